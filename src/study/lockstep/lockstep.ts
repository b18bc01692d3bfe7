/**
 * Host CPUs in parallel, in simulated time: each access of shared memory takes one tick, on every
 * CPU, and computing takes none (a PRAM). The CPU furthest behind runs; to save switches, it goes
 * on until it is some ticks ahead. A CPU that waits for a word, or makes an attempt in vain, stops
 * until the others have caught up; its waiting time is recorded.
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

/** The word of a CPU that tries in vain: none of the host's. */
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
  /** What a CPU waits for. */
  readonly #waitsFor: (Ptr | undefined)[] = [];
  /** The step up to which steps have been charged to CPUs. */
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

  /** The time of the run: the latest of all clocks. */
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

  /** CPUs that waited for a word continue from `now`, when it is written. */
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

  /** An attempt in vain is repeated when another CPU has caught up. */
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
