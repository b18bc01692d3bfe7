/** Random walk: at each step a uniformly random enabled actor. */

import { Dice } from './dice.ts';
import {
  type Carry,
  countRunnable,
  nthRunnable,
  type Situation,
  type Strategy,
} from './strategy.ts';

export class RandomWalk implements Strategy {
  readonly #dice = new Dice();

  begin(seed: number): void {
    this.#dice.seed(seed);
  }

  next({ runnable }: Situation): number {
    return nthRunnable(runnable, this.#dice.below(countRunnable(runnable)));
  }

  draw(): number {
    return this.#dice.word();
  }

  carry(carry: Carry): void {
    this.#dice.carry(carry);
  }
}
