/**
 * Which accesses conflict: of one word (of one frame, where many words are accessed at once), by
 * different CPUs, one of which changes it. Accesses are recorded by operation.
 */

import { type Access, Access as Kind, onlyReads } from '../engine/access.ts';

/** Frames are of 1024 words. */
const FRAME_BITS = 10;

/** For each place: masks of the operations in which each CPU reads and writes it. */
const MASKS = 8;

/** Later operations share the last bit. */
const MOST_OPERATIONS = 30;

export class Conflicts {
  readonly #words = new Map<number, number>();
  /** For frames: of all accesses, and of accesses of many words alone. */
  readonly #frames = new Map<number, number>();
  readonly #wide = new Map<number, number>();

  /** An access in the CPU's operation number `operation`; 0 is before the first. */
  note(kind: Access, at: number, cpu: number, operation: number): void {
    const bit = 1 << Math.min(operation, MOST_OPERATIONS);
    const which = cpu * 2 + (onlyReads(kind) ? 0 : 1);
    add(this.#frames, (at >>> FRAME_BITS) * MASKS + which, bit);
    if (isWide(kind)) add(this.#wide, (at >>> FRAME_BITS) * MASKS + which, bit);
    else add(this.#words, at * MASKS + which, bit);
  }

  /** Whether an access conflicts with one of another CPU's operations from `first` to `last`. */
  with(kind: Access, at: number, cpu: number, first: number, last: number): boolean {
    const upTo = (n: number): number => 2 ** (Math.min(n, MOST_OPERATIONS) + 1) - 1;
    const between = upTo(last) & ~(first > 0 ? upTo(first - 1) : 0);
    const writes = this.#mask(kind, at, cpu * 2 + 1);
    const all = onlyReads(kind) ? writes : writes | this.#mask(kind, at, cpu * 2);
    return (all & between) !== 0;
  }

  #mask(kind: Access, at: number, which: number): number {
    const frame = (at >>> FRAME_BITS) * MASKS + which;
    if (isWide(kind)) return this.#frames.get(frame) ?? 0;
    return (this.#words.get(at * MASKS + which) ?? 0) | (this.#wide.get(frame) ?? 0);
  }
}

const isWide = (kind: Access): boolean =>
  kind === Kind.Scan || kind === Kind.Fill || kind === Kind.Copy;

const add = (map: Map<number, number>, key: number, bits: number): void => {
  map.set(key, (map.get(key) ?? 0) | bits);
};
