import { Prot, Sys } from '../guest/program.ts';
import type { AddressFold, Range } from './fold.ts';
import { SLOT_SHIFT } from './fold.ts';
import { Reservations, without } from './reservations.ts';
import type { AddressSpace } from './space.ts';

/** Puts one system call of the guest into the stream of the running thread. */
export type Emit = (nr: number, a: number, b: number, c: number) => void;

/**
 * The calls that change what is mapped, from the addresses of the original run to
 * calls of the guest. Lengths are rounded up to pages. A range whose slots went to
 * different places becomes one call for each part.
 */
export class MemoryCalls {
  readonly #fold: AddressFold;
  readonly #space: AddressSpace;
  readonly #emit: Emit;
  readonly #reserved = new Reservations();
  /** The break in the original run; undefined before the first brk. */
  #brk: number | undefined;
  /** Guest address of the heap less its original address. */
  #heapShift = 0;
  /** A heap that was folded apart cannot be told by its end: then mmap2 and munmap tell it. */
  #heapInOnePiece = true;
  /** Mappings added for an mprotect of pages that by the trace were not there. */
  repairs = 0;
  /** The first break, in guest addresses. */
  initialBrk: number | undefined;

  constructor(fold: AddressFold, space: AddressSpace, emit: Emit) {
    this.#fold = fold;
    this.#space = space;
    this.#emit = emit;
  }

  /** Bytes mapped in the original run and not in the guest. */
  get untouched(): number {
    return this.#reserved.bytes;
  }

  /** mmap returned `address`. */
  map(address: number, length: number, prot: number): void {
    const range = pageRange(address, length);
    this.#reserved.cut(range);
    const fits = this.#fold.hasRoomFor(range);
    // What is mapped for nothing stays where it is or has no place.
    if (fits && prot === 0) this.#placeUnmoved(range);
    for (const part of fits && prot !== 0 ? this.#parts(range) : this.#reserveRest(range, prot)) {
      this.#mapNow(part, prot);
    }
  }

  unmap(address: number, length: number): void {
    const range = pageRange(address, length);
    this.#reserved.cut(range);
    for (const part of this.#placedParts(range)) {
      this.#emit(Sys.munmap, part.start, part.end - part.start, 0);
      this.#space.unmap(part);
    }
  }

  protect(address: number, length: number, prot: number): void {
    const range = pageRange(address, length);
    const fits = this.#fold.hasRoomFor(range);
    if (!fits) this.#reserved.cut(range);
    for (const part of fits ? this.#parts(range) : this.#reserveRest(range, prot)) {
      for (const hole of this.#space.protect(part, prot)) {
        this.#emit(Sys.mmap2, hole.start, hole.end - hole.start, prot & 7);
        this.repairs++;
      }
      this.#emit(Sys.mprotect, part.start, part.end - part.start, prot & 7);
    }
  }

  /** mremap returned `to`: the guest unmaps and maps, and the contents are not moved. */
  remap(from: number, oldLength: number, newLength: number, to: number): void {
    const old = pageRange(from, oldLength);
    const now = pageRange(to, newLength);
    const prot =
      this.#reserved.protAt(from) ?? this.#space.protAt(this.#parts(pageRange(from, 1))[0]!.start);
    if (from !== to) {
      if (old.end > old.start) this.unmap(old.start, old.end - old.start);
      this.map(now.start, now.end - now.start, prot);
    } else if (now.end > old.end) this.map(old.end, now.end - old.end, prot);
    else if (now.end < old.end) this.unmap(now.end, old.end - now.end);
  }

  /**
   * brk returned `result`. Returns whether that is a call of the guest: one that only
   * asks, or that failed, is not.
   */
  brk(asked: number, result: number): boolean {
    if (this.#brk === undefined) {
      const [page] = this.#parts(pageRange(result, 1));
      this.#heapShift = page!.start - pageDown(result);
      this.initialBrk = result + this.#heapShift;
    }
    const old = this.#brk ?? result;
    this.#brk = asked === result ? result : old;
    if (asked !== result) return false;

    const range = { start: pageUp(Math.min(old, result)), end: pageUp(Math.max(old, result)) };
    const length = range.end - range.start;
    const shift = this.#heapShift;
    this.#heapInOnePiece &&=
      this.#fold.hasRoomFor(range) &&
      this.#parts(range).every(
        (part) => part.end - part.start === length && part.start - range.start === shift,
      );
    if (!this.#heapInOnePiece) {
      if (result > old) this.map(range.start, length, HEAP_PROT);
      else this.unmap(range.start, length);
      return true;
    }
    this.#emit(Sys.brk, result + shift, 0, 0);
    for (const part of this.#parts(range)) {
      if (result > old) this.#space.map(part, HEAP_PROT);
      else this.#space.unmap(part);
    }
    return true;
  }

  /** A slot has got its place by being used: what was reserved in it is mapped now. */
  open(slot: number): void {
    for (const { prot, ...range } of this.#reserved.cut(slotRange(slot))) {
      for (const part of this.#fold.ranges(range.start, range.end)) this.#mapNow(part, prot);
    }
  }

  #mapNow(part: Range, prot: number): void {
    this.#emit(Sys.mmap2, part.start, part.end - part.start, prot & 7);
    this.#space.map(part, prot);
  }

  /** Guest ranges of a range that is to be used. */
  #parts(range: Range): Range[] {
    if (range.end <= range.start) return [];
    const parts = this.#fold.ranges(range.start, range.end);
    for (const slot of slots(range)) this.open(slot);
    return parts;
  }

  /** Guest ranges of those parts of a range whose slots have a place. */
  #placedParts(range: Range): Range[] {
    const placed = this.#fold.placedIn(range).map((slot) => within(range, slotRange(slot)));
    return merged(placed.flatMap((part) => this.#parts(part)));
  }

  /** Notes what has no place in the guest as reserved; returns guest ranges of the others. */
  #reserveRest(range: Range, prot: number): Range[] {
    const placed = this.#fold.placedIn(range).map(slotRange);
    for (const rest of without(range, placed)) this.#reserved.add(rest, prot);
    return this.#placedParts(range);
  }

  #placeUnmoved(range: Range): void {
    for (const slot of slots(range)) if (this.#fold.stays(slot)) this.#fold.place(slot);
  }
}

const PAGE_BYTES = 4096;
const HEAP_PROT = Prot.Read | Prot.Write;

function pageDown(address: number): number {
  return Math.floor(address / PAGE_BYTES) * PAGE_BYTES;
}

function pageUp(address: number): number {
  return Math.ceil(address / PAGE_BYTES) * PAGE_BYTES;
}

/** The whole pages that `length` bytes at `address` touch. */
function pageRange(address: number, length: number): Range {
  const start = pageDown(address);
  return { start, end: Math.max(start, pageUp(address + length)) };
}

function* slots(range: Range): Generator<number> {
  const bytes = 1 << SLOT_SHIFT;
  for (let slot = Math.floor(range.start / bytes); slot * bytes < range.end; slot++) yield slot;
}

function slotRange(slot: number): Range {
  return { start: slot * (1 << SLOT_SHIFT), end: (slot + 1) * (1 << SLOT_SHIFT) };
}

const within = (a: Range, b: Range): Range => ({
  start: Math.max(a.start, b.start),
  end: Math.min(a.end, b.end),
});

/** Joins ranges that follow one another. */
function merged(ranges: readonly Range[]): Range[] {
  const out: { start: number; end: number }[] = [];
  for (const { start, end } of ranges) {
    const last = out.at(-1);
    if (last !== undefined && last.end === start) last.end = end;
    else out.push({ start, end });
  }
  return out;
}
