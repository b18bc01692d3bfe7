/**
 * Workloads of threads that are in one another's way: in memory, in the kernel, in the Switcher.
 */

import type { ProcessImage } from '../program.ts';
import { imageOf, type Thread, together } from './thread.ts';
import type { Shape } from './workload.ts';

const threadsOf = (
  command: string,
  { draw, size, threads }: Shape,
  round: (thread: Thread) => void,
): ProcessImage[] => {
  const work = (thread: Thread): void => {
    for (let n = 0; n < size; n++) round(thread);
  };
  return [imageOf(command, ...together(draw, threads, work))];
};

/** Threads write words of their own on the same lines, and count together. */
export const falseSharing = (shape: Shape): ProcessImage[] =>
  threadsOf('sharing', shape, (thread) => {
    thread.write(0).count().change(0).count().read(1).change(1);
  });

/** Mostly system calls: the kernel's lock is always held, sometimes by a preempted vCPU. */
export const lockContention = (shape: Shape): ProcessImage[] =>
  threadsOf('calls', shape, (thread) => {
    thread.call().count().call().change(0);
  });

/** In and out of the guest, and with the registers of another vCPU the next write is wrong. */
export const switcherPingPong = (shape: Shape): ProcessImage[] =>
  threadsOf('ping-pong', shape, (thread) => {
    thread.schedule().read(0).change(0).call().read(1).write(1);
  });
