/**
 * SURW, selectively uniform random walk (Zhao, Wolff, Mathur, Roychoudhury: Selectively
 * Uniform Concurrency Testing, ASPLOS 2025): some accesses are of interest, here those of
 * one word, drawn for each run from those seen before. Who makes the next of them is drawn
 * in proportion to how many each CPU has left, so that their orders are as likely as they
 * can be told to be; everything else goes on as it comes.
 */

import type { Access } from '../engine/access.ts';
import { Dice } from './dice.ts';
import { isRunnable, nthRunnable, type Situation, type Strategy } from './strategy.ts';

export class Surw implements Strategy {
  readonly #dice = new Dice();
  /** How often each CPU accessed each word, the most in any run so far. */
  readonly #seen = new Map<number, number[]>();
  #counts = new Map<number, number[]>();
  #word = 0;
  #left: number[] = [];
  /** Who is to make the next access of interest. */
  #elected = 0;

  begin(seed: number, actors: number): void {
    this.#dice.seed(seed);
    this.#counts = new Map();
    const shared = [...this.#seen].filter(([, counts]) => counts.filter((n) => n > 0).length > 1);
    const drawn = shared[this.#dice.below(Math.max(1, shared.length))];
    this.#word = drawn?.[0] ?? 0;
    this.#left = drawn === undefined ? Array<number>(actors).fill(1) : [...drawn[1]];
    this.#elect((1 << actors) - 1);
  }

  next(situation: Situation): number {
    const { runnable, current } = situation;
    if (!situation.relaxes && this.#mayGoOn(situation, current))
      return this.#go(situation, current);
    // Those that may, from a random one on.
    let others = 0;
    for (let cpu = 0; cpu < situation.actors; cpu++) {
      const inVain = situation.relaxes && cpu === current;
      if (!inVain && this.#mayGoOn(situation, cpu)) others |= 1 << cpu;
    }
    if (others === 0) {
      // Who was elected cannot, or only in vain: somebody else must.
      const rest = situation.relaxes ? runnable & ~(1 << current) : runnable;
      this.#elect(rest === 0 ? runnable : rest);
      return this.#go(situation, this.#elected);
    }
    const n = this.#dice.below(situation.actors);
    for (let i = 0; i < situation.actors; i++) {
      const cpu = (n + i) % situation.actors;
      if (isRunnable(others, cpu)) return this.#go(situation, cpu);
    }
    return nthRunnable(runnable, 0);
  }

  ended(): void {
    for (const [word, counts] of this.#counts) {
      const most = this.#seen.get(word);
      this.#seen.set(word, most ? counts.map((n, cpu) => Math.max(n, most[cpu]!)) : counts);
    }
  }

  draw(): number {
    return this.#dice.word();
  }

  #mayGoOn(situation: Situation, cpu: number): boolean {
    if (!isRunnable(situation.runnable, cpu)) return false;
    return situation.pendingAt(cpu) !== this.#word || cpu === this.#elected;
  }

  #go(situation: Situation, cpu: number): number {
    const at = situation.pendingAt(cpu);
    const kind: Access | 0 = situation.pendingKind(cpu);
    if (kind !== 0) {
      const counts = this.#counts.get(at) ?? Array<number>(situation.actors).fill(0);
      counts[cpu]!++;
      this.#counts.set(at, counts);
    }
    if (kind !== 0 && at === this.#word) {
      this.#left[cpu] = Math.max(0, this.#left[cpu]! - 1);
      this.#elect(situation.runnable);
    }
    return cpu;
  }

  #elect(runnable: number): void {
    const weights = this.#left.map((left, cpu) => (isRunnable(runnable, cpu) ? left : 0));
    const total = weights.reduce((a, b) => a + b, 0);
    if (total === 0) {
      this.#elected = nthRunnable(runnable, 0);
      return;
    }
    let n = this.#dice.below(total);
    this.#elected = weights.findIndex((weight) => {
      n -= weight;
      return n < 0;
    });
  }
}
