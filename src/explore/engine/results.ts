/**
 * What a piece of work was told by what it asked: a list that grows while the piece is done, and
 * is read again from its beginning while the piece is done again. That of a run's pieces before is
 * in front of it.
 */

/** That there is room for at first. */
const ROOM = 256;

/** In place of what an aside came to: it was a step, and that is asked next. */
export const AS_STEP = 1;

export class Results {
  /** Signed words. */
  #values = new Int32Array(ROOM);
  /** Where the piece begins; the next one; and up to where they are of a piece that was left. */
  #from = 0;
  #next = 0;
  #kept = 0;

  /** Whether it asks for what it was told before. */
  get isAgain(): boolean {
    return this.#next < this.#kept;
  }

  get isEmpty(): boolean {
    return this.length === this.#from;
  }

  get from(): number {
    return this.#from;
  }

  get length(): number {
    return Math.max(this.#next, this.#kept);
  }

  again(): number {
    return this.#values[this.#next++]!;
  }

  keep(value: number): number {
    const next = this.#next;
    if (next === this.#values.length) this.#grow();
    this.#values[next] = value;
    this.#next = next + 1;
    return value;
  }

  /** The piece was left: it is to be done again. */
  rewind(): void {
    if (this.#next > this.#kept) this.#kept = this.#next;
    this.#next = this.#from;
  }

  /** A piece begins. */
  clear(): void {
    this.#from = this.#next;
    this.#kept = this.#next;
  }

  /** To a piece that began at `from` and was left at `length`; 0 and 0: to the beginning of a run. */
  goBack(from: number, length: number): void {
    this.#from = from;
    this.#next = from;
    this.#kept = length;
  }

  #grow(): void {
    const values = new Int32Array(this.#values.length * 2);
    values.set(this.#values);
    this.#values = values;
  }
}
