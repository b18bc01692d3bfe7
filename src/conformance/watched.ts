/** Detects changes of a region of shared memory cheaply. */

import { PAGE_SIZE, type Ptr } from '../hardware/address.ts';

const ZEROES = Buffer.alloc(PAGE_SIZE);

export class Watched {
  readonly #memory: Buffer;
  readonly #length: number;
  /** The contents at the last check; most pages stay zero, and share ZEROES. */
  #seen: Buffer;

  /** `memory`: all of it. `length`: of the stretch, in bytes. It counts as zero at first. */
  constructor(memory: Buffer, length = PAGE_SIZE) {
    this.#memory = memory;
    this.#length = length;
    this.#seen = length <= PAGE_SIZE ? ZEROES : Buffer.alloc(length);
  }

  /** Whether there are other bytes at `at`, its place now, than at the last call. */
  hasChanged(at: Ptr): boolean {
    const from = at * 4;
    const to = from + this.#length;
    if (this.#memory.compare(this.#seen, 0, this.#length, from, to) === 0) return false;
    if (this.#seen === ZEROES) this.#seen = Buffer.alloc(this.#length);
    this.#memory.copy(this.#seen, 0, from, to);
    return true;
  }
}
