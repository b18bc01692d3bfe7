/** Random numbers for strategies, separate from those that the simulated machine draws. */

import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { Carry } from './strategy.ts';

export class Dice {
  #generator: RandomGenerator = xoroshiro128plus(0);

  seed(seed: number): void {
    this.#generator = xoroshiro128plus(seed);
  }

  /** See Strategy. */
  carry(carry: Carry): void {
    this.#generator = xoroshiro128plusFromState(this.#generator.getState().map(carry));
  }

  /** 0 … 2^32 − 1 */
  word(): number {
    return this.#generator.next() >>> 0;
  }

  /** 0 … n − 1; for the small n used here the bias is below 1 in 10^8. */
  below(n: number): number {
    return n === 1 ? 0 : this.word() % n;
  }
}
