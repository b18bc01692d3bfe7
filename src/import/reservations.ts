import type { Range } from './fold.ts';

/** A range of original addresses, and its Prot. */
export interface Reservation extends Range {
  readonly prot: number;
}

/**
 * What the original run has mapped and the guest has not yet: a 64-bit program maps far more than
 * it touches, and more than a guest has addresses. Ranges do not overlap.
 */
export class Reservations {
  #ranges: Reservation[] = [];

  get bytes(): number {
    return this.#ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  add(range: Range, prot: number): void {
    if (range.start < range.end) this.#ranges.push({ ...range, prot });
  }

  /** Takes out all that lies in the range; returns it, in the order of addresses. */
  cut(range: Range): Reservation[] {
    const inside: Reservation[] = [];
    this.#ranges = this.#ranges.flatMap((one) => {
      if (one.end <= range.start || range.end <= one.start) return one;
      const [start, end] = [Math.max(one.start, range.start), Math.min(one.end, range.end)];
      inside.push({ ...one, start, end });
      const rest = [
        { ...one, end: start },
        { ...one, start: end },
      ];
      return rest.filter((part) => part.start < part.end);
    });
    return inside.sort((a, b) => a.start - b.start);
  }

  /** Of the page at the address; undefined if it is not reserved. */
  protAt(address: number): number | undefined {
    return this.#ranges.find(({ start, end }) => start <= address && address < end)?.prot;
  }
}

/** What is left of a range without some others, which are in the order of addresses. */
export function without(range: Range, others: readonly Range[]): Range[] {
  const rest: Range[] = [];
  let { start } = range;
  for (const other of others) {
    if (start < other.start) rest.push({ start, end: other.start });
    start = Math.max(start, other.end);
  }
  if (start < range.end) rest.push({ start, end: range.end });
  return rest;
}
