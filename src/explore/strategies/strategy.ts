/** The interface of a strategy, which decides which actor takes the next step. */

import type { Ptr } from '../../hardware/address.ts';
import type { Access } from '../engine/access.ts';
import type { Guard } from '../engine/guard.ts';

/** What it may read. */
export interface Situation {
  /** Steps taken so far: the number of the step to decide. */
  readonly step: number;
  /** The CPU that took the last one; it may be disabled. */
  readonly current: number;
  /**
   * A bit for each enabled CPU and each store buffer that can drain; never 0. Actors that have to
   * yield (see fairness.ts) are not among them.
   */
  readonly runnable: number;
  /** Host CPUs. */
  readonly cpus: number;
  /** Numbers that `runnable` has bits for: host CPUs, and store buffers where there are any. */
  readonly actors: number;
  /** A bit for each possible event of hardware, by its actor (see actors.ts). */
  readonly events: number;
  /** The current CPU has made an attempt in vain. It is runnable only if no other actor is. */
  readonly relaxes: boolean;
  /** The asking CPU is at the beginning of a piece. */
  readonly begins: boolean;
  /** The guest program's position, if the asking CPU is before one of its operations; else 0. */
  readonly operation: number;
  /** The guard of an actor's next step, if it has one. */
  readonly guardOf: (actor: number) => Guard | undefined;
  /** An actor's pending access, if it is in the middle of a piece; 0 if not known. */
  pendingKind(actor: number): Access | 0;
  pendingAt(actor: number): Ptr;
}

/** Passes a word (32 bits, signed) to the next thread, or returns the one that was passed. */
export type Carry = (word: number) => number;

export interface Strategy {
  /** A run begins; the same seed decides the same. */
  begin(seed: number, actors: number): void;
  /** One that is runnable, or an event. */
  next(situation: Situation): number;
  /**
   * The first step at which its choice may differ from this one, as long as the same actors are
   * enabled and none makes an attempt in vain. Read after `next`; without it, it is asked each
   * time.
   */
  readonly until?: number;
  /** Until then it must be asked at the beginning of each piece, since it waits for an event. */
  readonly eachPiece?: boolean;
  /** The schedule that began last is enumerated, not drawn. */
  readonly isListed?: boolean;
  /** There are no more schedules: known once `begin` was called for one more. */
  readonly exhausted?: boolean;
  /**
   * For one that enumerates schedules by preemptions: the number in the current run, and the bound.
   */
  readonly preemptions?: number;
  readonly bound?: number;
  /**
   * For one that marks the steps of abridged runs (engine/past.ts): the step at which the next run
   * leaves the last one; 0 for a run from the beginning.
   */
  readonly goesBackTo?: number | undefined;
  /** The last run took so many steps; `trace`: the digest of how it behaved (see Trace). */
  ended?(steps: number, trace: string): void;
  /** A number that the machine draws (prandom_u32): 0 … 2^32 − 1. */
  draw(): number;
  /**
   * Pass all state between two decisions of a run to `carry`, word by word, and replace it by the
   * results. A strategy that has this can decide in several threads, each with its own instance.
   */
  readonly carry?: ((carry: Carry) => void) | undefined;
}

export const isRunnable = (runnable: number, actor: number): boolean =>
  ((runnable >>> actor) & 1) === 1;

/** Whether an actor may take the next step. */
export const canBe = ({ runnable, events, actors }: Situation, actor: number): boolean =>
  isRunnable(actor < actors ? runnable : events, actor);

/** The default: the current CPU, or the next enabled actor if it is disabled. */
export function goesOnByItself({ runnable, current, actors }: Situation): number {
  for (let i = 0; ; i++) {
    const actor = (current + i) % actors;
    if (isRunnable(runnable, actor)) return actor;
  }
}

/** The n-th of the runnable actors, from 0. */
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
