/**
 * PCT, probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte:
 * A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs, ASPLOS 2010).
 *
 * CPUs have random priorities, and the highest that is enabled runs. At d − 1 random steps the
 * running one gets the lowest priority, as does one that has made an attempt in vain. A bug of
 * depth d among n CPUs and k steps is found with a chance of at least 1 / (n · k^(d−1)) per run.
 */

import { Dice } from './dice.ts';
import { type Carry, isRunnable, type Situation, type Strategy } from './strategy.ts';

/** Steps of a run, before one was seen. */
const FIRST_GUESS = 300;

export class Pct implements Strategy {
  readonly depth: number;
  readonly #dice = new Dice();
  readonly #priorities: number[] = [];
  /** Steps of priority changes; −1 for past ones. */
  readonly #changes: number[] = [];
  until = 0;
  /** The k of the paper: the most steps that a run has taken; a guess before the first. */
  #steps = 0;
  #lowest = 0;

  constructor(depth: number) {
    this.depth = depth;
  }

  begin(seed: number, actors: number): void {
    this.#dice.seed(seed);
    // Above the priorities that the changes assign: d, d + 1, … in random order.
    this.#priorities.length = 0;
    for (let cpu = 0; cpu < actors; cpu++) {
      const place = this.#dice.below(cpu + 1);
      for (let i = cpu; i > place; i--) this.#priorities[i] = this.#priorities[i - 1]!;
      this.#priorities[place] = cpu + this.depth;
    }
    this.#changes.length = 0;
    for (let i = 1; i < this.depth; i++) {
      this.#changes.push(this.#dice.below(this.#steps || FIRST_GUESS));
    }
    this.#lowest = 0;
  }

  next(situation: Situation): number {
    const { step, current } = situation;
    const change = this.#changes.indexOf(step);
    if (change >= 0) {
      this.#changes[change] = -1;
      this.#priorities[current] = this.depth - 1 - change;
    }
    if (situation.relaxes) this.#priorities[current] = --this.#lowest;
    this.until = this.#nextChange(step);
    return this.#highest(situation);
  }

  #nextChange(from: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (const step of this.#changes) if (step >= from && step < least) least = step;
    return least;
  }

  ended(steps: number): void {
    if (steps > this.#steps) this.#steps = steps;
  }

  draw(): number {
    return this.#dice.word();
  }

  carry(carry: Carry): void {
    this.#dice.carry(carry);
    for (let i = 0; i < this.#priorities.length; i++) {
      this.#priorities[i] = carry(this.#priorities[i]!);
    }
    for (let i = 0; i < this.#changes.length; i++) this.#changes[i] = carry(this.#changes[i]!);
    this.#lowest = carry(this.#lowest);
  }

  #highest({ runnable, actors }: Situation): number {
    let best = -1;
    for (let cpu = 0; cpu < actors; cpu++) {
      if (!isRunnable(runnable, cpu)) continue;
      if (best < 0 || this.#priorities[cpu]! > this.#priorities[best]!) best = cpu;
    }
    return best;
  }
}
