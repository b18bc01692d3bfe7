/**
 * What a piece of work was told by what it asked: a list that grows while the piece is done, and
 * is read again from its beginning while the piece is done again.
 */

/** That there is room for at first. */
const ROOM = 256;

export class Results {
  /** Signed words. */
  #values = new Int32Array(ROOM);
  /** The next one, and how many there are of a piece that was left; none of one that was not. */
  #next = 0;
  #kept = 0;

  /** Whether it asks for what it was told before. */
  get isAgain(): boolean {
    return this.#next < this.#kept;
  }

  get isEmpty(): boolean {
    return this.#next === 0 && this.#kept === 0;
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
    this.#next = 0;
  }

  clear(): void {
    this.#next = 0;
    this.#kept = 0;
  }

  #grow(): void {
    const values = new Int32Array(this.#values.length * 2);
    values.set(this.#values);
    this.#values = values;
  }
}
