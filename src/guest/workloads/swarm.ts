/**
 * Everything at once (swarm testing, Groce et al. 2012): each thread draws from all that
 * the other workloads do, and each process leaves some of it out and prefers some.
 */

import { NONE, type ProcessImage } from '../program.ts';
import type { Draw } from './draw.ts';
import { balloon, churn, move } from './mappings.ts';
import { copyOf, imageOf, MAX_SLOTS, Thread, together } from './thread.ts';
import type { Shape } from './workload.ts';

const PROCESSES = 3;
/** Process numbers after those: what is forked as a copy, by exec, and to be killed. */
const COPY = PROCESSES;
const EXECED = PROCESSES + 1;
const VICTIM = PROCESSES + 2;

const sweep = (thread: Thread, touch: (page: number) => void): void => {
  const first = thread.draw.below(48);
  for (const page of thread.draw.order(8)) touch(first + page);
};

const ACTS: readonly ((thread: Thread) => void)[] = [
  (thread) => sweep(thread, (page) => thread.fetch().read(page)),
  (thread) => sweep(thread, (page) => thread.change(page)),
  (thread) => sweep(thread, (page) => thread.read(0).count().write(0).touch(page)),
  churn,
  balloon,
  move,
  (thread) => thread.call().count().call().read(0),
  (thread) => thread.schedule().call().change(0),
  (thread) => {
    thread.forkCopy(COPY);
    sweep(thread, (page) => thread.change(page));
    thread.wait();
  },
  (thread) => {
    thread.forkByChild(COPY);
    sweep(thread, (page) => thread.change(page));
    thread.wait();
  },
  (thread) => {
    thread.forkCopy(VICTIM).touch(0).kill(VICTIM);
    sweep(thread, (page) => thread.change(page));
    thread.wait();
  },
  (thread) => {
    thread
      .fork(thread.draw.pick([EXECED, NONE]))
      .touch(0)
      .wait();
  },
];

/** Some acts not at all, the others more or less often. */
const drawWeights = (draw: Draw): number[] => {
  const weights = ACTS.map(() => Math.max(0, draw.below(8) - 2));
  weights[draw.below(ACTS.length)]! += 1;
  return weights;
};

export function swarm({ draw, size, threads }: Shape): ProcessImage[] {
  const streams = Array.from({ length: PROCESSES }, (_, process) => {
    const weights = drawWeights(draw);
    return together(draw, threads, (thread, index) => {
      const isParent = process === 0 && index === 0;
      if (isParent) for (let kid = 1; kid < PROCESSES; kid++) thread.fork(kid);
      for (let n = 0; n < size; n++) ACTS[draw.weighted(weights)]!(thread);
      if (isParent) thread.wait(PROCESSES - 1);
    });
  });
  const kid = (slot: number) => {
    const thread = new Thread(draw, slot);
    sweep(thread, (page) => thread.read(page).change(page));
    return thread;
  };
  return [
    ...streams.map((threadsOf) => imageOf('swarm', ...threadsOf)),
    copyOf('copy', kid(MAX_SLOTS - 1).end()),
    imageOf('execed', kid(0).end()),
    copyOf('victim', kid(MAX_SLOTS - 1).pause()),
  ];
}
