/**
 * Host CPUs as they would run side by side: each access of shared memory takes one tick, on every
 * CPU, and computing takes none (a PRAM). The CPU furthest behind runs; so that control need not pass
 * at each access, it goes on until it is some ticks ahead. Who waits for a word, or tries
 * something in vain, stands still until the others have caught up, and that is noted.
 */

import { Dice } from '../../explore/strategies/dice.ts';
import {
  goesOnByItself,
  isRunnable,
  type Situation,
  type Strategy,
} from '../../explore/strategies/strategy.ts';
import type { Ptr } from '../../hardware/address.ts';

/** Ticks that a CPU may get ahead, drawn anew each time: orders differ from seed to seed. */
const LEAST_LEAD = 8;
const MOST_LEAD = 24;

/** That who tries in vain waits for: no word of the host's. */
export const IN_VAIN = 0 as Ptr;

/** Ticks that were waited for a word. */
export interface Wait {
  readonly word: Ptr;
  readonly ticks: number;
}

/** How a CPU stands. */
interface Standing {
  readonly finished: boolean;
  /** The word that it waits for; 0 for none. */
  readonly waitsFor: Ptr;
}

export class Lockstep implements Strategy {
  until = 0;
  /** In the order in which they ended. */
  readonly waits: Wait[] = [];
  readonly #standings: readonly Standing[];
  readonly #dice = new Dice();
  /** Of each CPU. */
  readonly #ticks: number[] = [];
  /** What a CPU stands still for, while it does. */
  readonly #waitsFor: (Ptr | undefined)[] = [];
  /** Up to where steps have been charged to who took them. */
  #step = 0;
  /** The running CPU. */
  #current = 0;

  constructor(standings: readonly Standing[]) {
    this.#standings = standings;
  }

  begin(seed: number): void {
    this.#dice.seed(seed);
    this.waits.length = 0;
    this.#step = 0;
    this.#current = 0;
    for (const i of this.#standings.keys()) {
      this.#ticks[i] = 0;
      this.#waitsFor[i] = undefined;
    }
  }

  /** A CPU's clock, at a step of the run; its own, if it is running. */
  ticksOf(cpu: number, step: number, current: number): number {
    return this.#ticks[cpu]! + (cpu === current ? step - this.#step : 0);
  }

  /** How long the run took: what the clock says that is furthest. */
  get length(): number {
    return Math.max(...this.#ticks);
  }

  next(situation: Situation): number {
    const { step, current, runnable, relaxes } = situation;
    this.#charge(current, step);
    this.#wake(runnable, this.#ticks[current]!);
    this.#lullAsleep(runnable);
    this.#current = relaxes ? this.#yields(situation) : this.#mostBehind(runnable);
    if (!relaxes) this.until = step + this.#leadOf(this.#current, runnable);
    return this.#current;
  }

  ended(steps: number): void {
    this.#charge(this.#current, steps);
  }

  draw(): number {
    return this.#dice.word();
  }

  #charge(cpu: number, step: number): void {
    this.#ticks[cpu]! += step - this.#step;
    this.#step = step;
  }

  /** Who waited for a word that has been written goes on from `now`. */
  #wake(runnable: number, now: number): void {
    for (const [cpu, word] of this.#waitsFor.entries()) {
      if (word === undefined || !isRunnable(runnable, cpu)) continue;
      this.#waitsFor[cpu] = undefined;
      this.#standsUntil(cpu, now, word);
    }
  }

  #standsUntil(cpu: number, now: number, word: Ptr): void {
    const ticks = now - this.#ticks[cpu]!;
    if (ticks <= 0) return;
    this.waits.push({ word, ticks });
    this.#ticks[cpu] = now;
  }

  #lullAsleep(runnable: number): void {
    for (const [cpu, { finished, waitsFor }] of this.#standings.entries()) {
      if (finished || waitsFor === 0 || isRunnable(runnable, cpu)) continue;
      this.#waitsFor[cpu] ??= waitsFor;
    }
  }

  /** What was tried in vain is tried again when another has come as far. */
  #yields(situation: Situation): number {
    const next = goesOnByItself(situation);
    const { current, step } = situation;
    this.until = step;
    this.#standsUntil(current, this.#ticks[next]! + 1, IN_VAIN);
    return next;
  }

  #mostBehind(runnable: number): number {
    let best = -1;
    for (const [cpu, ticks] of this.#ticks.entries()) {
      if (isRunnable(runnable, cpu) && (best < 0 || ticks < this.#ticks[best]!)) best = cpu;
    }
    return best;
  }

  /** Steps after which it is ahead of all others by as much as it may be. */
  #leadOf(cpu: number, runnable: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const [other, ticks] of this.#ticks.entries()) {
      if (other !== cpu && isRunnable(runnable, other)) next = Math.min(next, ticks);
    }
    const lead = LEAST_LEAD + this.#dice.below(MOST_LEAD - LEAST_LEAD);
    return next - this.#ticks[cpu]! + lead;
  }
}
