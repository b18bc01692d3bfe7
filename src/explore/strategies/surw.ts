/**
 * SURW, selectively uniform random walk (Zhao, Wolff, Mathur, Roychoudhury: Selectively Uniform
 * Concurrency Testing, ASPLOS 2025): some accesses are of interest, here as in the paper's
 * evaluation those of one word, drawn for each run in proportion to its accesses in the runs
 * before. The CPU that makes the next of them is drawn in proportion to how many each CPU has left,
 * so all orders of them are about equally likely. At all other accesses the CPU of the highest
 * random priority goes on, and draws a new one.
 */

import { Dice } from './dice.ts';
import { isRunnable, type Situation, type Strategy } from './strategy.ts';

/** No CPU is elected to make the next access of interest. */
const NOBODY = -1;

export class Surw implements Strategy {
  readonly #dice = new Dice();
  /** How often each CPU accessed each word, the most in any run so far. */
  readonly #seen = new Map<number, readonly number[]>();
  /** The same, in this run. */
  #counts = new Map<number, number[]>();
  #priorities: number[] = [];
  /** The word whose accesses are of interest; 0 for none. */
  #word = 0;
  /** How many of them each CPU has left. */
  #left: number[] = [];
  /** The CPU elected to make the next of them: the others wait before theirs. */
  #elected = NOBODY;

  begin(seed: number, actors: number): void {
    this.#dice.seed(seed);
    this.#counts = new Map();
    this.#priorities = Array.from({ length: actors }, () => this.#dice.word());
    this.#word = this.#drawWord();
    this.#left = [...(this.#seen.get(this.#word) ?? Array<number>(actors).fill(0))];
    this.#elected = this.#drawn(this.#left);
  }

  next(situation: Situation): number {
    const { actors, runnable } = situation;
    const waits = (actor: number): boolean =>
      actor !== this.#elected && this.#isOfInterest(situation, actor);
    // Accesses of earlier polling are counted as work: an actor that polls has many left.
    if (situation.relaxes) this.#electOf(runnable & ~(1 << situation.current));
    let best = this.#highest(situation, waits);
    if (best === NOBODY) {
      // The elected CPU is disabled, and all others wait for it.
      this.#electOf(runnable);
      best = this.#highest(situation, waits);
    }
    if (situation.pendingKind(best) !== 0) this.#count(situation.pendingAt(best), best, actors);
    if (this.#isOfInterest(situation, best)) {
      this.#left[best] = Math.max(0, this.#left[best]! - 1);
      this.#elected = this.#drawn(this.#left);
    }
    this.#priorities[best] = this.#dice.word();
    return best;
  }

  /** Elects one of these, even if it has no access of interest left. */
  #electOf(actors: number): void {
    this.#elected = this.#drawn(
      this.#left.map((n, actor) => (isRunnable(actors, actor) ? Math.max(n, 1) : 0)),
    );
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

  /** A word that several CPUs access; 0 before there is one. */
  #drawWord(): number {
    const words = [...this.#seen].filter(([, counts]) => counts.filter((n) => n > 0).length > 1);
    return words[this.#drawn(words.map(([, counts]) => sum(counts)))]?.[0] ?? 0;
  }

  /** An index, in proportion to these weights; NOBODY if all are 0. */
  #drawn(weights: readonly number[]): number {
    const total = sum(weights);
    if (total === 0) return NOBODY;
    let n = this.#dice.below(total);
    return weights.findIndex((weight) => {
      n -= weight;
      return n < 0;
    });
  }

  #isOfInterest(situation: Situation, actor: number): boolean {
    return (
      this.#word !== 0 &&
      situation.pendingKind(actor) !== 0 &&
      situation.pendingAt(actor) === this.#word
    );
  }

  #highest({ runnable, actors }: Situation, waits: (actor: number) => boolean): number {
    let best = NOBODY;
    for (let actor = 0; actor < actors; actor++) {
      if (!isRunnable(runnable, actor) || waits(actor)) continue;
      if (best < 0 || this.#priorities[actor]! > this.#priorities[best]!) best = actor;
    }
    return best;
  }

  #count(word: number, actor: number, actors: number): void {
    let counts = this.#counts.get(word);
    if (counts === undefined) {
      counts = Array<number>(actors).fill(0);
      this.#counts.set(word, counts);
    }
    counts[actor]!++;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
