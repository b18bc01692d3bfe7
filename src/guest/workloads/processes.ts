/** Workloads of many processes: that start one another, and that take turns. */

import { NONE, type ProcessImage } from '../program.ts';
import { family } from './faults.ts';
import { imageOf, MAX_SLOTS, Thread, together } from './thread.ts';
import type { Shape } from './workload.ts';

/** Operations of a thread that is killed sooner or later. */
const LONG = 2000;

/**
 * A tree of processes, each of which starts two others, by exec or as a copy of itself,
 * and waits for them. Those without children become another program, while a second
 * thread of theirs still runs.
 */
export function forkBomb({ draw, size, threads: processes }: Shape): ProcessImage[] {
  const last = processes;
  const images = Array.from({ length: processes }, (_, i) => {
    const main = new Thread(draw, i);
    const kids = [2 * i + 1, 2 * i + 2].filter((kid) => kid < processes);
    const touch = (): void => {
      for (let n = 0; n < size; n++) main.fetch().touch(draw.below(32));
    };
    touch();
    for (const kid of kids) {
      if (draw.below(2) === 0) main.fork(kid);
      else main.forkCopy(kid);
      touch();
    }
    if (kids.length > 0) {
      main.fork(NONE);
      touch();
      main.wait(kids.length + 1);
      return imageOf('branch', main.end());
    }
    if (i === 0) return imageOf('branch', main.end());
    main.clone(1);
    touch();
    main.exec(last);
    const doomed = new Thread(draw, MAX_SLOTS - 1);
    for (let n = 0; n < LONG; n++) doomed.change(draw.below(32)).call();
    return imageOf('leaf', main.end(), doomed.exit());
  });
  const leaf = new Thread(draw, 0);
  for (let n = 0; n < size; n++) leaf.fetch().change(n);
  return [...images, imageOf('last', leaf.end())];
}

/** More processes than the host keeps page tables, with a context switch after a few steps. */
export function pgdirThrash({ draw, size, threads }: Shape): ProcessImage[] {
  const work = (thread: Thread): void => {
    for (let round = 0; round < size; round++) thread.change(draw.below(8)).schedule().read(round);
  };
  return family(threads, work, { draw, kids: 'exec' });
}

/** Threads in each of the processes; a system call right after every switch uses the new stack. */
export function stackMoves({ draw, size, threads }: Shape): ProcessImage[] {
  const processes = 4;
  const work = (thread: Thread): void => {
    for (let round = 0; round < size; round++) thread.schedule().call().change(draw.below(4));
  };
  const parent = together(draw, threads, (thread, index) => {
    if (index === 0) for (let kid = 1; kid < processes; kid++) thread.fork(kid);
    work(thread);
    if (index === 0) thread.wait(processes - 1);
  });
  const children = Array.from({ length: processes - 1 }, () =>
    imageOf('child', ...together(draw, threads, work)),
  );
  return [imageOf('parent', ...parent), ...children];
}
