/** Workloads that change the page tables of processes that do not run at the time. */

import type { ProcessImage } from '../program.ts';
import { again, copyOf, imageOf, MAX_SLOTS, Thread, together } from './thread.ts';
import type { Shape } from './workload.ts';

/** Pages that the processes have at the same addresses. */
const PAGES = 48;

/** Reads between two switches: other tables are evicted meanwhile, and errors become visible. */
const READS = 1000;

/** Pages are written, and swapped out of all tables and in again, by any thread. */
export function swapStorm({ draw, size, threads: processes }: Shape): ProcessImage[] {
  const work = (thread: Thread): void => {
    for (let page = 0; page < PAGES; page++) thread.fill(page);
    for (let turn = 0; turn < 14; turn++) {
      for (let n = 0; n < READS; n++) thread.read(draw.below(PAGES));
      thread.schedule();
    }
  };
  const parent = new Thread(draw, 0);
  for (let page = 0; page < PAGES; page++) parent.write(page);
  for (let kid = 1; kid < processes; kid++) {
    if (draw.below(2) === 0) parent.forkByChild(kid);
    else parent.fork(kid);
  }
  work(parent);
  parent.wait(processes - 1);
  const children = Array.from({ length: processes - 1 }, (_, i) => {
    const child = new Thread(draw, i + 1);
    work(child);
    return imageOf('child', again(child, size * 8));
  });
  return [imageOf('parent', parent.end()), ...children];
}

/** A process is copied again and again by its children, and they by theirs. */
export function copiedAsleep({ draw, size, threads: kids }: Shape): ProcessImage[] {
  const change = (thread: Thread): void => {
    for (const page of draw.order(PAGES)) thread.change(page);
  };
  const parent = together(draw, 2, (thread, index) => {
    for (let round = 0; round < size; round++) {
      change(thread);
      if (index > 0) continue;
      for (let kid = 1; kid <= kids; kid++) thread.forkByChild(kid).change(draw.below(PAGES));
      change(thread);
      thread.wait(kids);
    }
  });
  const copies = Array.from({ length: kids }, (_, kid) => {
    const thread = new Thread(draw, kid + 2);
    change(thread);
    thread.schedule();
    change(thread);
    return copyOf('copy', thread.end());
  });
  return [imageOf('parent', ...parent), ...copies];
}

/** Processes are ended by their parents, wherever they are; their pages are used again at once. */
export function killing({ draw, size, threads: kids }: Shape): ProcessImage[] {
  const parent = new Thread(draw, 0);
  const touch = (thread: Thread): void => {
    for (const page of draw.order(PAGES)) thread.touch(page);
  };
  for (let round = 0; round < size; round++) {
    touch(parent);
    for (let kid = 1; kid <= kids; kid++) parent.forkCopy(kid);
    for (const kid of draw.order(kids)) {
      for (let n = draw.below(3); n > 0; n--) parent.schedule().change(n);
      parent.kill(kid + 1).map(0, 4);
      for (let page = 0; page < 4; page++) parent.changeArea(page);
      parent.wait();
    }
  }
  const victims = Array.from({ length: kids }, () => {
    const main = new Thread(draw, MAX_SLOTS - 1);
    main.clone(1);
    touch(main);
    const other = new Thread(draw, MAX_SLOTS - 2);
    touch(other);
    return copyOf('victim', main.pause(), other.pause());
  });
  return [imageOf('parent', parent.end()), ...victims];
}
