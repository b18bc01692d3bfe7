/**
 * A record in shared memory: words at offsets from a place. What has a record's fields as
 * accessors over these holds no state of its own. They are so short that the compiler puts
 * them into their callers however much is there already.
 */

import type { Ptr } from './address.ts';
import type { Words } from './words.ts';

/**
 * Fields are declared, here and in what hot code goes through: one that is defined first holds
 * undefined until the constructor sets it, and V8 knows nothing of what it holds from then on.
 */
export class SharedRecord {
  declare readonly words: Words;
  declare protected readonly at: Ptr;

  constructor(words: Words, at: Ptr) {
    this.words = words;
    this.at = at;
  }

  /** To 32 bits, so that V8 need not look whether it is more. */
  protected field(offset: number): Ptr {
    return ((this.at + offset) | 0) as Ptr;
  }

  /** What nobody else touches at the time. */
  protected get(offset: number): number {
    return this.words.peek(this.field(offset));
  }
  protected set(offset: number, value: number): void {
    this.words.poke(this.field(offset), value);
  }

  /** What others look at, as the kernel does: plainly. */
  protected read(offset: number): number {
    return this.words.read(this.field(offset));
  }
  protected write(offset: number, value: number): void {
    this.words.write(this.field(offset), value);
  }

  /** What others look at, where it matters what was done before and after. */
  protected load(offset: number): number {
    return this.words.load(this.field(offset));
  }
  protected store(offset: number, value: number): void {
    this.words.store(this.field(offset), value);
  }
}
