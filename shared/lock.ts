/**
 * A mutual-exclusion lock in one shared word, for critical sections of a few hundred
 * nanoseconds. A waiter sleeps at once: with more CPUs than cores, spinning would
 * only keep the holder from running.
 */

import { assert, GaveUp } from '../src/errors.ts';
import type { Ptr } from '../src/hardware/address.ts';
import type { Words } from './words.ts';

const FREE = 0;
/** Set while a CPU sleeps; the holder is in the bits below, plus one. */
const WAITERS = 0x8000_0000;

/** The host CPU that holds a lock whose word is this; −1 when it is free. */
export const holderOf = (word: number): number => (word & ~WAITERS) - 1;

/** A sleeper looks this often whether the machine has failed in the meantime. */
const PATIENCE_MS = 100;

export class Lock {
  declare private readonly words: Words;
  /** The word that waiters sleep on. */
  declare readonly at: Ptr;
  declare private readonly gaveUp: () => boolean;

  /** `gaveUp`: whether the holder may never come back, so that waiting makes no sense. */
  constructor(words: Words, at: Ptr, gaveUp: () => boolean) {
    this.words = words;
    this.at = at;
    this.gaveUp = gaveUp;
  }

  /**
   * `holder`: a host CPU's number, or the number of CPUs for the main thread. Returns whether the
   * lock was contended.
   */
  acquire(holder: number): boolean {
    const words = this.words;
    if (words.tryLock(this.at, FREE, holder + 1)) return false;
    assert(!this.holding(holder), 'a lock is not taken twice');
    for (;;) {
      const value = words.load(this.at);
      if (value === FREE) {
        // Others may sleep still, so take it with the bit set.
        const mine = ((holder + 1) | WAITERS) >>> 0;
        if (words.compareExchange(this.at, FREE, mine) === FREE) return true;
      } else if (
        value >= WAITERS ||
        words.compareExchange(this.at, value, value | WAITERS) === value
      ) {
        words.wait(this.at, value | WAITERS, PATIENCE_MS);
        if (this.gaveUp()) throw new GaveUp('the holder of this lock');
      }
    }
  }

  release(holder: number): void {
    assert(this.holding(holder), 'a lock is released by its holder');
    if (this.words.exchange(this.at, FREE) >= WAITERS) this.words.notify(this.at, 1);
  }

  holding(holder: number): boolean {
    return holderOf(this.words.glance(this.at)) === holder;
  }
}
