/** How a strategy is asked who takes the next step. */

import type { Ptr } from '../../hardware/address.ts';
import type { Access } from '../engine/access.ts';
import type { Guard } from '../engine/guard.ts';

/** What it may look at. */
export interface Situation {
  /** Steps taken so far: the number of the one to be decided. */
  readonly step: number;
  /** The CPU that took the last one; it may be unable to go on. */
  readonly current: number;
  /**
   * A bit for each CPU that can go on and each store buffer that can drain; never 0. Who has tried
   * something in vain and is to give way (see fairness.ts) is not among them.
   */
  readonly runnable: number;
  /** Host CPUs. */
  readonly cpus: number;
  /** Numbers that `runnable` has bits for: host CPUs, and store buffers where there are any. */
  readonly actors: number;
  /** A bit for each event that hardware may let happen now, by its actor (see actors.ts). */
  readonly events: number;
  /** The current CPU has tried something in vain. It is among the runnable only if nobody else is. */
  readonly relaxes: boolean;
  /** Who asks is at the beginning of a piece of work. */
  readonly begins: boolean;
  /** Where the guest's program is, if who asks stands before one of its operations; else 0. */
  readonly operation: number;
  /** An abridged run is at its end: who goes on is no part of its behaviour any more. */
  readonly hasEnded: boolean;
  /** What an actor's next step waits for, if for anything. */
  readonly guardOf: (actor: number) => Guard | undefined;
  /** What an actor is about to do, if it stands in the middle of something; 0 if not known. */
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
   * The first step at which it may say something else than who goes on now, if the same can go on
   * then, and nobody tries in vain. Asked after `next`; without it, it is asked each time.
   */
  readonly until?: number;
  /** Until then it is to be asked where a CPU begins a piece of work, since it waits for an event. */
  readonly eachPiece?: boolean;
  /** The schedule that began last is one of a list, and not drawn. */
  readonly isListed?: boolean;
  /** There are no more schedules: known once `begin` was called for one more. */
  readonly exhausted?: boolean;
  /**
   * Of one that lists its schedules by preemptions: how many the run that was begun last has, and
   * how many a run has at most.
   */
  readonly preemptions?: number;
  readonly bound?: number;
  /**
   * Of one that marks the steps of abridged runs (engine/past.ts): the step from which the next run is
   * another one than the last; 0 for one from the beginning.
   */
  readonly goesBackTo?: number | undefined;
  /** The last run took so many steps; `trace`: the digest of how it behaved (see Trace). */
  ended?(steps: number, trace: string): void;
  /** A number that the machine draws (prandom_u32): 0 … 2^32 − 1. */
  draw(): number;
  /**
   * Everything that it keeps between two decisions of a run is given to `carry`, word by word,
   * and replaced by what that returns. A strategy that has this can decide in several threads,
   * each with an instance of it, in turn.
   */
  readonly carry?: ((carry: Carry) => void) | undefined;
}

export const isRunnable = (runnable: number, actor: number): boolean =>
  ((runnable >>> actor) & 1) === 1;

/** Whether an actor may take the next step. */
export const canBe = ({ runnable, events, actors }: Situation, actor: number): boolean =>
  isRunnable(actor < actors ? runnable : events, actor);

/** Who goes on when nobody decides: the current CPU, or the next actor, if it cannot. */
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
