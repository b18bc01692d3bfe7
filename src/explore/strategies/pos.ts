/**
 * POS, partial order sampling (Yuan, Yang, Gu: Partial Order Aware Concurrency Sampling,
 * CAV 2018): each pending access has a random priority, and the highest is made. Those that race
 * with it draw new ones.
 */

import { type Access, onlyReads } from '../engine/access.ts';
import { Dice } from './dice.ts';
import { type Carry, isRunnable, type Situation, type Strategy } from './strategy.ts';

export class Pos implements Strategy {
  readonly #dice = new Dice();
  #priorities: number[] = [];
  /** The access that was chosen last: actor, kind and place. */
  #cpu = -1;
  #kind: Access | 0 = 0;
  #at = 0;
  #lowest = 0;

  begin(seed: number, actors: number): void {
    this.#dice.seed(seed);
    this.#priorities = Array.from({ length: actors }, () => this.#priority());
    this.#cpu = -1;
    this.#lowest = 0;
  }

  next(situation: Situation): number {
    const { runnable, actors } = situation;
    for (let cpu = 0; cpu < actors; cpu++) {
      if (cpu === this.#cpu || this.#races(situation, cpu)) {
        this.#priorities[cpu] = this.#priority();
      }
    }
    // Below all that made an attempt in vain earlier.
    if (situation.relaxes) this.#priorities[situation.current] = --this.#lowest;
    let best = -1;
    for (let cpu = 0; cpu < actors; cpu++) {
      if (!isRunnable(runnable, cpu)) continue;
      if (best < 0 || this.#priorities[cpu]! > this.#priorities[best]!) best = cpu;
    }
    this.#cpu = best;
    this.#kind = situation.pendingKind(best);
    this.#at = situation.pendingAt(best);
    return best;
  }

  draw(): number {
    return this.#dice.word();
  }

  carry(carry: Carry): void {
    this.#dice.carry(carry);
    this.#priorities = this.#priorities.map(carry);
    this.#cpu = carry(this.#cpu);
    this.#kind = carry(this.#kind) as Access | 0;
    this.#at = carry(this.#at);
    this.#lowest = carry(this.#lowest);
  }

  /** Not negative: negative priorities are for attempts in vain. */
  #priority(): number {
    return this.#dice.word() >>> 1;
  }

  #races(situation: Situation, cpu: number): boolean {
    const kind = situation.pendingKind(cpu);
    if (kind === 0 || this.#kind === 0 || situation.pendingAt(cpu) !== this.#at) return false;
    return !onlyReads(kind) || !onlyReads(this.#kind);
  }
}
