/**
 * A replay log: the results of a piece's accesses, appended while the piece runs, and read from the
 * beginning while it is replayed. The logs of a run's earlier pieces are in front of it.
 */

/** The capacity at first. */
const ROOM = 256;

/** In place of what an aside came to: it was a step, and that is asked next. */
export const AS_STEP = 1;

export class Results {
  /** Signed words. */
  private values = new Int32Array(ROOM);
  /** Where the piece begins, the next result, and the end of those that are replayed. */
  private beginning = 0;
  private next = 0;
  private kept = 0;

  /** Whether the next result is replayed. */
  get isAgain(): boolean {
    return this.next < this.kept;
  }

  get isEmpty(): boolean {
    return this.length === this.beginning;
  }

  get from(): number {
    return this.beginning;
  }

  get length(): number {
    return Math.max(this.next, this.kept);
  }

  again(): number {
    return this.values[this.next++]!;
  }

  keep(value: number): number {
    const next = this.next;
    if (next === this.values.length) this.grow();
    this.values[next] = value;
    this.next = next + 1;
    return value;
  }

  /** The piece was unwound: replay it. */
  rewind(): void {
    if (this.next > this.kept) this.kept = this.next;
    this.next = this.beginning;
  }

  /** A piece begins. */
  clear(): void {
    this.beginning = this.next;
    this.kept = this.next;
  }

  /** Go back to a piece that began at `from` and had come to `length`; 0 and 0: a new run. */
  goBack(from: number, length: number): void {
    this.beginning = from;
    this.next = from;
    this.kept = length;
  }

  private grow(): void {
    const values = new Int32Array(this.values.length * 2);
    values.set(this.values);
    this.values = values;
  }
}
