/** Workloads that fault: for pages not there yet, and for pages that are shared until written. */

import type { ProcessImage } from '../program.ts';
import { copyOf, imageOf, SHARED_PAGES, Thread, together } from './thread.ts';
import type { Shape } from './workload.ts';

/** Pages that the threads are after at the same time. */
const WINDOW = 8;

/** Threads of one process fault on the same pages, all below one last-level table. */
export function faultStormShared({ draw, size, threads }: Shape): ProcessImage[] {
  const work = (thread: Thread): void => {
    for (let round = 0; round < size; round++) {
      for (const page of draw.order(WINDOW)) thread.fetch().read(round * WINDOW + page);
      for (const page of draw.order(WINDOW)) thread.change(round * WINDOW + page);
    }
  };
  return [imageOf('storm', ...together(draw, threads, work))];
}

/** Each process faults on a page table of its own, again and again on the same addresses. */
export function faultStormSeparate({ draw, size, threads }: Shape): ProcessImage[] {
  const work = (thread: Thread): void => {
    for (let round = 0; round < size; round++) {
      thread.map(0, WINDOW).touch(round);
      for (const page of draw.order(WINDOW)) thread.readArea(page).changeArea(page);
    }
  };
  return family(threads, (thread) => work(thread), { draw, kids: 'exec' });
}

/** A process and its copies all write the pages that they share, on several threads each. */
export function cowStorm({ draw, size, threads }: Shape): ProcessImage[] {
  const pages = 16;
  const kids = 3;
  const changeAll = (thread: Thread): void => {
    for (const page of draw.order(pages)) thread.change(page);
  };
  const parent = together(draw, threads, (thread, index) => {
    for (let round = 0; round < size; round++) {
      changeAll(thread);
      if (index > 0) continue;
      for (let kid = 1; kid <= kids; kid++) thread.forkCopy(kid).change(draw.below(pages));
      changeAll(thread);
      thread.wait(kids);
    }
  });
  const copies = Array.from({ length: kids }, (_, kid) =>
    copyOf('copy', ...together(draw, 2, changeAll, threads + kid * 2)),
  );
  return [imageOf('storm', ...parent), ...copies];
}

/** Pages are read first, so that they are the zero page or another's, and written afterwards. */
export function cowBreak({ draw, size, threads }: Shape): ProcessImage[] {
  const pages = Math.min(SHARED_PAGES, size * 4);
  const breakAll = (thread: Thread): void => {
    for (const page of draw.order(pages)) thread.read(page);
    for (const page of draw.order(pages)) thread.change(page).read(page);
  };
  return family(threads, breakAll, { draw, kids: 'copy' });
}

interface Family {
  readonly draw: Shape['draw'];
  /** Whether the children begin with nothing, or with what the parent had read and written. */
  readonly kids: 'exec' | 'copy';
}

/** A process that starts `processes` − 1 others and does as they do. */
export function family(
  processes: number,
  work: (thread: Thread) => void,
  { draw, kids }: Family,
): ProcessImage[] {
  const parent = new Thread(draw, 0);
  for (let page = 0; page < WINDOW; page++) parent.touch(page).read(page + WINDOW);
  for (let kid = 1; kid < processes; kid++) {
    if (kids === 'copy') parent.forkCopy(kid);
    else parent.fork(kid);
  }
  work(parent);
  parent.wait(processes - 1);
  const children = Array.from({ length: processes - 1 }, (_, i) => {
    const child = new Thread(draw, i + 1);
    work(child);
    return imageOf('child', child.end());
  });
  return [imageOf('parent', parent.end()), ...children];
}
