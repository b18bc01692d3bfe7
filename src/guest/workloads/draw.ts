/** Random numbers for a workload: from its name and seed, the same in every worker. */

import { prandomU32, seedRandom } from '../../../shared/random.ts';
import { makeMemory, Words } from '../../../shared/words.ts';
import { assert } from '../../errors.ts';
import { toPtr } from '../../hardware/address.ts';

const STATE = toPtr(4);

export class Draw {
  readonly #words = new Words(makeMemory(16), toPtr(2));

  /** `name`: so that the same seed says something else to each workload. */
  constructor(name: string, seed: number) {
    let stream = 0;
    for (const character of name) stream = Math.imul(stream, 31) + character.charCodeAt(0);
    seedRandom(this.#words, STATE, seed, stream);
  }

  /** 0 … n − 1 */
  below(n: number): number {
    return prandomU32(this.#words, STATE) % n;
  }

  pick<T>(from: readonly T[]): T {
    assert(from.length > 0, 'there is something to pick from');
    return from[this.below(from.length)]!;
  }

  /** 0 … n − 1 in random order. */
  order(n: number): number[] {
    const numbers = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
    }
    return numbers;
  }

  /** An index, in proportion to its weight. */
  weighted(weights: readonly number[]): number {
    let left = this.below(weights.reduce((a, b) => a + b, 0));
    return weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
  }
}
