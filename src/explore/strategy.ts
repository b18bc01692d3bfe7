/** How a strategy is asked which host CPU takes the next step. */

import type { Ptr } from '../../shared/address.ts';
import type { Access } from './access.ts';

/** What it may look at. */
export interface Situation {
  /** Steps taken so far: the number of the one to be decided. */
  readonly step: number;
  /** The CPU that took the last one; it may be unable to go on. */
  readonly current: number;
  /** A bit for each CPU that can go on; never 0. */
  readonly runnable: number;
  readonly cpus: number;
  /** What a CPU is about to do, if it stands in the middle of something; 0 if not known. */
  pendingKind(cpu: number): Access | 0;
  pendingAt(cpu: number): Ptr;
}

export interface Strategy {
  /** A run begins; the same seed decides the same. */
  begin(seed: number, cpus: number): void;
  /** One of the runnable CPUs. */
  next(situation: Situation): number;
  /** The last run took so many steps. */
  ended?(steps: number): void;
  /** A number that the machine draws (prandom_u32): 0 … 2^32 − 1. */
  draw(): number;
}

export const isRunnable = (runnable: number, cpu: number): boolean =>
  ((runnable >>> cpu) & 1) === 1;

/** The n-th of the runnable CPUs, from 0. */
export function nthRunnable(runnable: number, n: number): number {
  let mask = runnable;
  for (let i = 0; i < n; i++) mask &= mask - 1;
  return 31 - Math.clz32(mask & -mask);
}

export function countRunnable(runnable: number): number {
  let n = 0;
  for (let mask = runnable; mask !== 0; mask &= mask - 1) n++;
  return n;
}
