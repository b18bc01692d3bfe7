/** What was decided before, decided again. */

import { isRunnable, type Situation, type Strategy } from '../strategy.ts';
import type { Decisions } from '../turn.ts';

/** The run does not go as the one that was recorded. */
export class Diverged extends Error {
  override readonly name = 'Diverged';
}

export class Recorded implements Strategy {
  readonly #decisions: Decisions;
  #nextTurn = 0;
  #nextDrawn = 0;

  constructor(decisions: Decisions) {
    this.#decisions = decisions;
  }

  begin(): void {
    this.#nextTurn = 0;
    this.#nextDrawn = 0;
  }

  next({ step, current, runnable }: Situation): number {
    const { turns } = this.#decisions;
    if (turns[this.#nextTurn] === step) {
      const cpu = turns[this.#nextTurn + 1]!;
      this.#nextTurn += 2;
      if (!isRunnable(runnable, cpu)) {
        throw new Diverged(`at step ${step}: CPU ${cpu} was to go on, and it cannot`);
      }
      return cpu;
    }
    if (!isRunnable(runnable, current)) {
      throw new Diverged(`at step ${step}: CPU ${current} was to go on, and it cannot`);
    }
    return current;
  }

  draw(): number {
    const value = this.#decisions.drawn[this.#nextDrawn++];
    if (value === undefined) throw new Diverged('more numbers are drawn than were');
    return value;
  }
}
