/**
 * A cache of decoded blocks of the guests' programs, shared by all host CPUs. It is no part of the
 * simulated machine: hits and misses change only how long a run takes.
 * See docs/decisions/decoded-blocks.md.
 *
 * The directory has a word for each block of each stream: ABSENT, BUSY while a CPU decodes or
 * evicts it, UNFIT if it has too many system calls, or FIRST_SLOT + its slot. Where there are
 * fewer slots than blocks, the clock algorithm evicts. A reader publishes its slot in a hazard
 * pointer (Michael, 2004) and then checks the directory again; an evicting CPU changes the
 * directory and then checks the hazard pointers. One of the two sees the other.
 */

import type { Ptr } from '../src/hardware/address.ts';
import { toPtr } from '../src/hardware/address.ts';
import type { Layout } from './layout.ts';
import type { Words } from './words.ts';

/** Operations in every block of a stream but its last. */
export const BLOCK_OPS = 1 << 14;
/** Two words an operation. */
export const OPS_WORDS = 2 * BLOCK_OPS;
/** Four words a system call. */
const CALL_WORDS = 4 * 256;

export const SLOT_WORDS = OPS_WORDS + CALL_WORDS;
/** 66 MiB. */
export const MOST_SLOTS = 512;

const ABSENT = 0;
const BUSY = 1;
const UNFIT = 2;
const FIRST_SLOT = 3;

/** Of the clock: its lock and its hand. */
export const CLOCK_WORDS = 16;
/** Of a slot: the number of its block plus one, and whether it was used recently. */
export const SLOT_STATE_WORDS = 2;

/** Spins on the clock's lock, which is held for some hundred instructions. */
const PATIENCE = 64;
/** How long to wait for another CPU that decodes a block, before decoding it privately. */
const PATIENCE_MS = 20;

export interface DecodedBlock {
  /** Where its operations are in the machine's memory. */
  readonly at: Ptr;
  /** As in an OperationBlock. */
  readonly ops: Uint32Array;
  readonly calls: Uint32Array;
}

export class DecodedBlocks {
  readonly #words: Words;
  readonly #regions: Layout['regions'];
  /** This CPU's hazard pointer: the slot that it reads, plus one. */
  readonly #reading: Ptr;
  /** By slot: the block that this thread last saw in it. */
  readonly #known: { number: number; block: DecodedBlock }[] = [];

  constructor(words: Words, { regions }: Layout, cpu: number) {
    this.#words = words;
    this.#regions = regions;
    this.#reading = toPtr(regions.blockReaders.at + cpu * regions.blockReaders.stride);
  }

  /**
   * Block `number`, of `count` operations; it stays until this CPU asks for another one. `decode`
   * fills in the operations and returns the words of the system calls. Undefined if the cache
   * cannot hold it now: the caller decodes it privately.
   */
  find(
    number: number,
    count: number,
    decode: (ops: Uint32Array) => Uint32Array,
  ): DecodedBlock | undefined {
    const words = this.#words;
    const entry = this.#entryOf(number);
    for (let waited = 0; words.compareExchange(entry, ABSENT, BUSY) !== ABSENT; ) {
      const found = words.load(entry);
      if (found >= FIRST_SLOT) {
        const slot = found - FIRST_SLOT;
        words.store(this.#reading, slot + 1);
        if (words.load(entry) !== found) continue;
        words.poke(this.#askedFor(slot), 1);
        return this.#blockIn(slot, number, count);
      }
      if (found === UNFIT || waited++ === PATIENCE_MS) return undefined;
      words.wait(entry, BUSY, 1);
    }
    let outcome = ABSENT;
    try {
      const slot = this.#takeSlot();
      if (slot === undefined) return undefined;
      const block = this.#blockIn(slot, number, count);
      const calls = decode(block.ops);
      if (calls.length > CALL_WORDS) {
        outcome = UNFIT;
        return undefined;
      }
      block.calls.set(calls);
      words.store(this.#ownerOf(slot), number + 1);
      outcome = FIRST_SLOT + slot;
      return block;
    } finally {
      words.store(entry, outcome);
      words.notify(entry);
    }
  }

  /** A slot for this CPU alone; undefined if there is none now. */
  #takeSlot(): number | undefined {
    const words = this.#words;
    const { at: lock } = this.#regions.blockClock;
    const hand = toPtr(lock + 1);
    const slots = this.#regions.blockSlots.count;
    for (let looks = 0; words.exchange(lock, 1) !== 0; looks++) {
      if (looks === PATIENCE) return undefined;
    }
    try {
      // Two rounds: in the first one all slots may have been used recently.
      for (let looked = 0; looked < 2 * slots; looked++) {
        const slot = words.peek(hand);
        words.poke(hand, (slot + 1) % slots);
        if (!this.#clear(slot)) continue;
        // Before the lock is free, so that no other CPU clears it.
        words.store(this.#reading, slot + 1);
        return slot;
      }
      return undefined;
    } finally {
      words.store(lock, 0);
    }
  }

  /** Evict the block of a slot; false if it was used recently, or a CPU reads it. */
  #clear(slot: number): boolean {
    const words = this.#words;
    const asked = this.#askedFor(slot);
    if (words.peek(asked) !== 0) {
      words.poke(asked, 0);
      return false;
    }
    const owner = this.#ownerOf(slot);
    const number = words.load(owner);
    // The CPU that fills the slot may just be done: it keeps its hazard pointer until then.
    if (number === 0) return !this.#isRead(slot) && words.load(owner) === 0;
    const entry = this.#entryOf(number - 1);
    const here = FIRST_SLOT + slot;
    if (words.compareExchange(entry, here, BUSY) !== here) return false;
    const isRead = this.#isRead(slot);
    if (!isRead) words.store(owner, 0);
    words.store(entry, isRead ? here : ABSENT);
    words.notify(entry);
    return !isRead;
  }

  #isRead(slot: number): boolean {
    const { at, count, stride } = this.#regions.blockReaders;
    for (let cpu = 0; cpu < count; cpu++) {
      if (this.#words.load(toPtr(at + cpu * stride)) === slot + 1) return true;
    }
    return false;
  }

  #blockIn(slot: number, number: number, count: number): DecodedBlock {
    const known = this.#known[slot];
    if (known?.number === number) return known.block;
    const at = toPtr(this.#regions.blockSlots.at + slot * SLOT_WORDS);
    const { plain } = this.#words;
    const block = {
      at,
      ops: plain.subarray(at, at + 2 * count),
      calls: plain.subarray(at + OPS_WORDS, at + SLOT_WORDS),
    };
    this.#known[slot] = { number, block };
    return block;
  }

  #entryOf(number: number): Ptr {
    return toPtr(this.#regions.blockDirectory.at + number);
  }

  #ownerOf(slot: number): Ptr {
    return toPtr(this.#regions.blockStates.at + slot * SLOT_STATE_WORDS);
  }

  #askedFor(slot: number): Ptr {
    return toPtr(this.#ownerOf(slot) + 1);
  }
}
