/**
 * The store buffer of a host CPU: x86 lets plain stores wait there, first in, first out,
 * until they drain or a locked operation flushes them; its own loads see them before
 * (SDM 3A 8.2; Sewell et al.: x86-TSO, CACM 2010).
 */

import type { Ptr } from '../../hardware/address.ts';
import { BUFFERED_STORES, type ControlState, TaskWord } from './control-state.ts';

/** No store of the word is buffered; values are 32 bits, unsigned. */
export const NOT_BUFFERED = -1;

export class StoreBuffer {
  readonly #words: Uint32Array;
  readonly #at: number;
  readonly #slots: number;

  constructor(state: ControlState, cpu: number) {
    this.#words = state.words;
    this.#at = state.taskAt(cpu);
    this.#slots = state.bufferAt(cpu);
  }

  get length(): number {
    return this.#words[this.#at + TaskWord.Stores]!;
  }

  get isFull(): boolean {
    return this.length === BUFFERED_STORES;
  }

  push(at: Ptr, value: number): void {
    const slot = this.#slot(this.length);
    this.#words[slot] = at;
    this.#words[slot + 1] = value;
    this.#words[this.#at + TaskWord.Stores]!++;
  }

  /** The value of the newest buffered store of a word. */
  find(at: Ptr): number {
    for (let i = this.length - 1; i >= 0; i--) {
      const slot = this.#slot(i);
      if (this.#words[slot] === at) return this.#words[slot + 1]!;
    }
    return NOT_BUFFERED;
  }

  /** How often the buffered stores of a word change it, starting from the value `now`. */
  changesOf(at: Ptr, now: number): number {
    let changes = 0;
    let found = now;
    for (const [place, value] of this.waiting) {
      if (place !== at || value === found) continue;
      changes++;
      found = value;
    }
    return changes;
  }

  /** All buffered stores, the oldest first: place and value. */
  get waiting(): (readonly [at: number, value: number])[] {
    return Array.from({ length: this.length }, (_, i) => {
      const slot = this.#slot(i);
      return [this.#words[slot]!, this.#words[slot + 1]!] as const;
    });
  }

  /** Of the oldest store. */
  get at(): Ptr {
    return this.#words[this.#slot(0)]! as Ptr;
  }

  get value(): number {
    return this.#words[this.#slot(0) + 1]!;
  }

  /** Remove the oldest one. */
  shift(): void {
    const oldest = this.#at + TaskWord.OldestStore;
    this.#words[oldest] = (this.#words[oldest]! + 1) % BUFFERED_STORES;
    this.#words[this.#at + TaskWord.Stores]!--;
  }

  #slot(i: number): number {
    const index = (this.#words[this.#at + TaskWord.OldestStore]! + i) % BUFFERED_STORES;
    return this.#slots + 2 * index;
  }
}
