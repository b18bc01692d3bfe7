import type { Fold } from '../guest/traces/format.ts';

/** Log2 of the bytes that move together: 4 MiB, what one page directory entry maps. */
export const SLOT_SHIFT = 22;
const SLOT_BYTES = 1 << SLOT_SHIFT;

/** Slots below the guest kernel, which begins at 0xC0000000. */
const SLOTS = 0xc0000000 / SLOT_BYTES;

/** A mapping is made at once as long as so many slots are enough; others, as they are used. */
const AT_ONCE = SLOTS / 4;

/** No slot begins at this word. */
export const NOWHERE = -1;

/** A range of guest addresses, end exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Brings the addresses of the original run below the guest's kernel. Slots of 4 MiB
 * stay where they are if they can; the others, from a kernel of another split or
 * from 64 bits, go to the highest free slots, next to the slots they were next to.
 * The mapping is one to one and never changes once it was used.
 */
export class AddressFold {
  /** The place of each slot below 4 GiB, an address; NOWHERE while it has none. */
  readonly low = new Int32Array(1024).fill(NOWHERE);
  /** Guest slot by original slot (address / 4 MiB, up to 2^42). */
  readonly #slots = new Map<number, number>();
  readonly #taken = new Uint8Array(SLOTS);
  readonly #exhausted: () => Error;
  #lastSlot = -1;
  #lastBase = 0;

  /** `exhausted` makes the error for a program that touches more than 3 GiB of slots. */
  constructor(exhausted: () => Error) {
    this.#exhausted = exhausted;
  }

  /** Guest address of the slot that holds high × 2^32 + low, as a signed word. */
  base(high: number, low: number): number {
    const slot = high * 1024 + (low >>> SLOT_SHIFT);
    if (slot === this.#lastSlot) return this.#lastBase;
    this.#lastBase = this.place(slot) << SLOT_SHIFT;
    this.#lastSlot = slot;
    return this.#lastBase;
  }

  /** Whether the slot has its place already. */
  placed(slot: number): boolean {
    return this.#slots.has(slot);
  }

  /** Whether an unplaced slot would get its own place. */
  stays(slot: number): boolean {
    return slot < SLOTS && this.#free(slot);
  }

  /** Original slots of a range that have a place, in the order of addresses. */
  placedIn({ start, end }: Range): number[] {
    const placed = [...this.#slots.keys()];
    const isIn = (slot: number) => slot * SLOT_BYTES < end && (slot + 1) * SLOT_BYTES > start;
    return placed.filter(isIn).sort((a, b) => a - b);
  }

  /** Whether all of a range can have its places now and leave enough for what is touched later. */
  hasRoomFor(range: Range): boolean {
    const slots = Math.ceil(range.end / SLOT_BYTES) - Math.floor(range.start / SLOT_BYTES);
    return slots <= AT_ONCE && this.#slots.size + slots - this.placedIn(range).length <= AT_ONCE;
  }

  /** Guest slot of an original slot, found now if it has none. */
  place(slot: number): number {
    return this.#slots.get(slot) ?? this.#assign(slot, this.#choose(slot));
  }

  /** Guest ranges of an original range: as few as possible, in the order of the original. */
  ranges(start: number, end: number): Range[] {
    const first = Math.floor(start / SLOT_BYTES);
    const last = Math.ceil(end / SLOT_BYTES) - 1;
    this.#placeRun(first, last);
    const ranges: { start: number; end: number }[] = [];
    for (let slot = first; slot <= last; slot++) {
      const offset = this.place(slot) * SLOT_BYTES - slot * SLOT_BYTES;
      const from = Math.max(start, slot * SLOT_BYTES) + offset;
      const to = Math.min(end, (slot + 1) * SLOT_BYTES) + offset;
      const before = ranges.at(-1);
      if (before !== undefined && before.end === from) before.end = to;
      else ranges.push({ start: from, end: to });
    }
    return ranges;
  }

  /** Moved ranges, in the order of the original addresses. */
  folds(): Fold[] {
    const moved = [...this.#slots].filter(([from, to]) => from !== to);
    moved.sort(([a], [b]) => a - b);
    const folds: { first: number; to: number; slots: number }[] = [];
    for (const [slot, to] of moved) {
      const run = folds.at(-1);
      if (run !== undefined && run.first + run.slots === slot && run.to + run.slots === to) {
        run.slots++;
      } else folds.push({ first: slot, to, slots: 1 });
    }
    return folds.map(({ first, to, slots }) => ({
      from: (BigInt(first) * BigInt(SLOT_BYTES)).toString(16),
      to: to * SLOT_BYTES,
      length: slots * SLOT_BYTES,
    }));
  }

  /** Gives the unplaced slots of a long range places side by side, if there is room. */
  #placeRun(first: number, last: number): void {
    if (last === first || first < SLOTS) return;
    for (let slot = first; slot <= last; slot++) if (this.#slots.has(slot)) return;
    const length = last - first + 1;
    let free = 0;
    for (let to = SLOTS - 1; to > 0; to--) {
      free = this.#taken[to] === 0 ? free + 1 : 0;
      if (free < length) continue;
      for (let i = 0; i < length; i++) this.#assign(first + i, to + i);
      return;
    }
  }

  #choose(slot: number): number {
    if (this.stays(slot)) return slot;
    const below = this.#slots.get(slot - 1);
    if (below !== undefined && this.#free(below + 1)) return below + 1;
    const above = this.#slots.get(slot + 1);
    if (above !== undefined && above > 1 && this.#free(above - 1)) return above - 1;
    // A slot with free ones on both sides lets its neighbours stay its neighbours.
    for (let to = SLOTS - 2; to > 1; to--) {
      if (this.#free(to - 1) && this.#free(to) && this.#free(to + 1)) return to;
    }
    // Slot 0 holds page 0: nothing that was elsewhere may answer to a null pointer.
    for (let to = SLOTS - 1; to > 0; to--) if (this.#free(to)) return to;
    throw this.#exhausted();
  }

  #free(to: number): boolean {
    return this.#taken[to] === 0;
  }

  #assign(slot: number, to: number): number {
    this.#slots.set(slot, to);
    this.#taken[to] = 1;
    if (slot < this.low.length) this.low[slot] = to << SLOT_SHIFT;
    return to;
  }
}
