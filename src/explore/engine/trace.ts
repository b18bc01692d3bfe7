/**
 * A digest of what a run did, up to the order of accesses that do not conflict: two runs share it
 * exactly when they are one trace of Mazurkiewicz, that is, when any two accesses of one word by
 * different actors, one of which changes it, come in the same order in both.
 *
 * Each word has a version: a number that follows from who has changed it so far, one after the
 * other. Each access adds the version that it found, or made, to a sum, times a number of its
 * CPU's. Accesses of a word by one CPU come in the order of its program, so how many of them found
 * which version says which change each of them comes after. The order of the parts of a sum does
 * not matter, so an access costs an addition, and no record is kept. Who reads or changes a whole
 * page finds a version of the page, to which each change of one of its words adds.
 *
 * A store of what was there already changes nothing, nor does a compare-and-exchange in vain: they
 * count as loads. Of loads it does not matter which comes first. Left out is what is no step: a
 * look at a word that nobody else touches at the time comes before or after all steps of others.
 */

import { PAGE_WORDS } from '../../hardware/address.ts';

/** The number of a word's page: without these bits. */
export const PAGE_BITS = 10;

/** Of each byte. `toString(16)` of a word takes a fourth of a microsecond, and each run has some. */
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** 8 hexadecimal digits. */
export const hexWord = (word: number): string =>
  DIGITS[word >>> 24]! +
  DIGITS[(word >>> 16) & 0xff]! +
  DIGITS[(word >>> 8) & 0xff]! +
  DIGITS[word & 0xff]!;

/** Of a page: its version, and the sum of those that were made of its words; two words each. */
export const PAGE_RECORD_BITS = 2;
export const SUM = 2;

/** Actors are as many as the bits of a word. */
const MOST_ACTORS = 32;

/** So that an actor's loads are not another's, nor those of two others together: odd numbers. */
const READERS = Int32Array.from({ length: MOST_ACTORS }, (_, actor) => mixed(0, 2, actor) | 1);

export class Trace {
  /** The sum's halves: signed words. */
  low = 0;
  high = 0;
  /** How many words and pages have another version than 0, and which. */
  changed = 0;
  readonly #changed: Int32Array;
  /** Versions of words, two words each, or 32 bits would be all. */
  protected readonly words: Int32Array;
  protected readonly pages: Int32Array;

  /** `memory`: 0, for so many words of the machine as memoryFor says; threads share it. */
  constructor(memory: Int32Array, words: number) {
    const pages = (words >>> PAGE_BITS) << PAGE_RECORD_BITS;
    this.words = memory.subarray(0, 2 * words);
    this.pages = memory.subarray(2 * words, 2 * words + pages);
    this.#changed = memory.subarray(2 * words + pages);
  }

  /** `words`: whole pages. */
  static memoryFor(words: number): number {
    const pages = words >>> PAGE_BITS;
    return 2 * words + (pages << PAGE_RECORD_BITS) + words + pages;
  }

  /** Before a run. */
  begin(): void {
    this.low = 0;
    this.high = 0;
    const [words, pages] = [this.words, this.pages];
    for (let i = 0; i < this.changed; i++) {
      const at = this.#changed[i]!;
      if (at >= 0) {
        words[at] = 0;
        words[at + 1] = 0;
      } else {
        pages[~at] = 0;
        pages[~at + 1] = 0;
        pages[~at + SUM] = 0;
        pages[~at + SUM + 1] = 0;
      }
    }
    this.changed = 0;
  }

  /** `actor` has loaded a word. */
  read(actor: number, at: number): void {
    const page = (at >>> PAGE_BITS) << PAGE_RECORD_BITS;
    const reader = READERS[actor]!;
    const low = this.words[2 * at]! + this.pages[page]! + Math.imul(at + 1, 0xcc9e_2d51);
    const high = this.words[2 * at + 1]! + this.pages[page + 1]! + Math.imul(at + 1, 0x85eb_ca77);
    this.low = (this.low + Math.imul(low, reader)) | 0;
    this.high = (this.high + Math.imul(high, reader)) | 0;
  }

  /**
   * `actor` has loaded a word that its own buffer has, whose stores will change it so often, as
   * `buffer`: as if they had, since whether they have makes no difference to it.
   */
  readAhead(actor: number, buffer: number, at: number, changes: number): void {
    const page = (at >>> PAGE_BITS) << PAGE_RECORD_BITS;
    const [words, pages] = [this.words, this.pages];
    const [lowKey, highKey] = [Math.imul(at + 1, 0xcc9e_2d51), Math.imul(at + 1, 0x85eb_ca77)];
    let low = words[2 * at]!;
    let high = words[2 * at + 1]!;
    for (let i = 0; i < changes; i++) {
      low = mixed(low + pages[page]! + lowKey, 0, buffer);
      high = mixed(high + pages[page + 1]! + highKey, 1, buffer);
    }
    const reader = READERS[actor]!;
    this.low = (this.low + Math.imul(low + pages[page]! + lowKey, reader)) | 0;
    this.high = (this.high + Math.imul(high + pages[page + 1]! + highKey, reader)) | 0;
  }

  /** Who takes this step puts a store into its buffer. */
  buffer(): void {}

  /** It has stored `after` where `before` was. */
  write(actor: number, at: number, before: number, after: number): void {
    if (before === after) this.read(actor, at);
    else this.#change(actor, at);
  }

  /** It has loaded the words from `at` on in one step. */
  readMany(actor: number, at: number, words: number): void {
    if (words === PAGE_WORDS) this.#readPage(actor, at);
    else for (let i = at; i < at + words; i++) this.read(actor, i);
  }

  /** It has stored into all of them in one step, whatever was there. */
  writeMany(actor: number, at: number, words: number): void {
    if (words === PAGE_WORDS) this.#changePage(actor, at);
    else for (let i = at; i < at + words; i++) this.#change(actor, i);
  }

  /** Words are written that nobody else touches at the time: no part of what is told apart. */
  aside(_at: number, _words: number): void {}

  /** Something of `actor`'s own that others do not see, and its place among what it does. */
  note(actor: number, what: number, place: number): void {
    const key = Math.imul(what, 0xcc9e_2d51) + Math.imul(place, 0x85eb_ca77);
    this.low = (this.low + mixed(key, 0, actor)) | 0;
    this.high = (this.high + mixed(key, 1, actor)) | 0;
  }

  /** 16 hexadecimal digits. */
  get digest(): string {
    return hexWord(this.high) + hexWord(this.low);
  }

  #change(actor: number, at: number): void {
    const page = (at >>> PAGE_BITS) << PAGE_RECORD_BITS;
    const [words, pages] = [this.words, this.pages];
    const low = words[2 * at]!;
    const high = words[2 * at + 1]!;
    if ((low | high) === 0) this.#changed[this.changed++] = 2 * at;
    if ((pages[page]! | pages[page + SUM]!) === 0) this.#changed[this.changed++] = ~page;
    const newLow = mixed(low + pages[page]! + Math.imul(at + 1, 0xcc9e_2d51), 0, actor);
    const newHigh = mixed(high + pages[page + 1]! + Math.imul(at + 1, 0x85eb_ca77), 1, actor);
    words[2 * at] = newLow;
    words[2 * at + 1] = newHigh;
    pages[page + SUM]! += newLow;
    pages[page + SUM + 1]! += newHigh;
    this.low = (this.low + newLow) | 0;
    this.high = (this.high + newHigh) | 0;
  }

  #readPage(actor: number, at: number): void {
    const page = (at >>> PAGE_BITS) << PAGE_RECORD_BITS;
    this.note(actor, page, this.pages[page]! + this.pages[page + SUM]!);
    this.note(actor, page, this.pages[page + 1]! + this.pages[page + SUM + 1]!);
  }

  #changePage(actor: number, at: number): void {
    const page = (at >>> PAGE_BITS) << PAGE_RECORD_BITS;
    const pages = this.pages;
    this.#changed[this.changed++] = ~page;
    const newLow = mixed(pages[page]! + pages[page + SUM]! + page, 0, actor);
    const newHigh = mixed(pages[page + 1]! + pages[page + SUM + 1]! + page, 1, actor);
    pages[page] = newLow;
    pages[page + 1] = newHigh;
    this.low = (this.low + newLow) | 0;
    this.high = (this.high + newHigh) | 0;
  }
}

/** Every bit of the word into every bit of the result, as murmur3 ends; by half and by actor. */
function mixed(word: number, half: number, actor: number): number {
  let x = (word + Math.imul(2 * actor + half + 1, 0x9e37_79b1)) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85eb_ca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
  return x ^ (x >>> 16);
}
