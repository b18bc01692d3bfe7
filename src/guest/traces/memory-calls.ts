import { Prot, Sys } from '../program.ts';
import type { AddressFold, Range } from './fold.ts';
import { SLOT_SHIFT } from './fold.ts';
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
  /**
   * Parts of reservations (PROT_NONE) by slot that has no place yet. A 64-bit program
   * reserves far more than it uses and more than the guest has: such a part is mapped
   * when its slot is first used for something.
   */
  readonly #reserved = new Map<number, Range[]>();
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

  /** mmap returned `address`. */
  map(address: number, length: number, prot: number): void {
    const range = pageRange(address, length);
    this.#unreserve(range);
    for (const part of prot === 0 ? this.#reserve(range) : this.#parts(range)) {
      this.#emit(Sys.mmap2, part.start, part.end - part.start, prot & 7);
      this.#space.map(part, prot);
    }
  }

  unmap(address: number, length: number): void {
    const range = pageRange(address, length);
    this.#unreserve(range);
    for (const part of this.#placedParts(range)) {
      this.#emit(Sys.munmap, part.start, part.end - part.start, 0);
      this.#space.unmap(part);
    }
  }

  protect(address: number, length: number, prot: number): void {
    for (const part of this.#parts(pageRange(address, length))) {
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
    const prot = this.#space.protAt(this.#parts(pageRange(from, 1))[0]!.start);
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

    const start = pageUp(Math.min(old, result));
    const parts = this.#parts({ start, end: pageUp(Math.max(old, result)) });
    if (
      parts.length > 1 ||
      (parts[0]?.start ?? start + this.#heapShift) !== start + this.#heapShift
    )
      this.#heapInOnePiece = false;
    if (this.#heapInOnePiece) this.#emit(Sys.brk, result + this.#heapShift, 0, 0);
    const mapped = result > old;
    for (const part of parts) {
      const length = part.end - part.start;
      if (mapped) this.#space.map(part, HEAP_PROT);
      else this.#space.unmap(part);
      if (this.#heapInOnePiece) continue;
      if (mapped) this.#emit(Sys.mmap2, part.start, length, HEAP_PROT);
      else this.#emit(Sys.munmap, part.start, length, 0);
    }
    return true;
  }

  /** Before a slot gets its place by an access: what was reserved there is mapped now. */
  open(slot: number): void {
    const reserved = this.#reserved.get(slot);
    if (reserved === undefined) return;
    this.#reserved.delete(slot);
    for (const range of reserved) {
      for (const part of this.#fold.ranges(range.start, range.end)) {
        this.#emit(Sys.mmap2, part.start, part.end - part.start, 0);
        this.#space.map(part, 0);
      }
    }
  }

  /** Guest ranges of a range that is to be used. */
  #parts(range: Range): Range[] {
    if (range.end <= range.start) return [];
    const parts = this.#fold.ranges(range.start, range.end);
    if (this.#reserved.size > 0) for (const slot of slots(range)) this.open(slot);
    return parts;
  }

  /** Guest ranges of those parts of a range whose slots have a place. */
  #placedParts(range: Range): Range[] {
    const parts: Range[] = [];
    for (const slot of slots(range)) {
      if (this.#fold.placed(slot)) parts.push(...this.#parts(within(range, slot)));
    }
    return merged(parts);
  }

  /** Notes the parts that have no place and would not stay where they are; returns the others. */
  #reserve(range: Range): Range[] {
    const parts: Range[] = [];
    for (const slot of slots(range)) {
      const part = within(range, slot);
      if (this.#fold.placed(slot) || this.#fold.stays(slot)) parts.push(...this.#parts(part));
      else this.#reserved.set(slot, [...(this.#reserved.get(slot) ?? []), part]);
    }
    return merged(parts);
  }

  #unreserve(range: Range): void {
    if (this.#reserved.size === 0) return;
    for (const slot of slots(range)) {
      const rest = this.#reserved.get(slot)?.flatMap((part) => [
        { start: part.start, end: Math.min(part.end, range.start) },
        { start: Math.max(part.start, range.end), end: part.end },
      ]);
      const left = rest?.filter((part) => part.start < part.end);
      if (left === undefined) continue;
      if (left.length > 0) this.#reserved.set(slot, left);
      else this.#reserved.delete(slot);
    }
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

function within(range: Range, slot: number): Range {
  const start = slot * (1 << SLOT_SHIFT);
  return {
    start: Math.max(range.start, start),
    end: Math.min(range.end, start + (1 << SLOT_SHIFT)),
  };
}

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
