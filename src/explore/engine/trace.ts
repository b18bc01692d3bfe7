/**
 * A digest of a run's behaviour: two runs share it exactly when they are the same Mazurkiewicz
 * trace, that is, when any two accesses of one word by different actors, one of which changes it,
 * come in the same order in both.
 *
 * Each word has a version: a number that follows from the sequence of actors that have changed it.
 * Each access adds the version that it found, or made, to a sum, times a factor of its CPU.
 * Accesses of a word by one CPU come in program order, so how many of them found which version says
 * which change each of them comes after. A sum does not depend on the order of its parts, so an
 * access costs an addition, and no record is kept. An access of a whole page finds a version of the
 * page, to which each change of one of its words adds.
 *
 * A store of the same value changes nothing, nor does a failed compare-and-exchange: both count as
 * loads, and loads do not conflict. Peeks and pokes are left out: no other actor accesses the word
 * at the time.
 */

import { PAGE_WORDS } from '../../hardware/address.ts';

/** The number of a word's page: without these bits. */
export const PAGE_BITS = 10;

/** For each byte. `toString(16)` of a word takes a fourth of a microsecond, some times per run. */
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** 8 hexadecimal digits. */
export const hexWord = (word: number): string =>
  DIGITS[word >>> 24]! +
  DIGITS[(word >>> 16) & 0xff]! +
  DIGITS[(word >>> 8) & 0xff]! +
  DIGITS[word & 0xff]!;

/** For a page: its version, and the sum of the versions of its words; two words each. */
export const PAGE_RECORD_BITS = 2;
export const SUM = 2;

/** Actors are as many as the bits of a word. */
const MOST_ACTORS = 32;

/** An odd factor for each actor, so that loads of different actors do not cancel or coincide. */
const READERS = Int32Array.from({ length: MOST_ACTORS }, (_, actor) => mixed(0, 2, actor) | 1);

/** An odd factor for each actor and half, one less than which is divisible by 2 and no more. */
const ADDERS = Int32Array.from(
  { length: 2 * MOST_ACTORS },
  (_, i) => (mixed(0, 3 + (i & 1), i >>> 1) & ~3) | 3,
);

/** So that a version of 0 is changed, too. */
const ADDED = 0x2545_f491;

/** Of an add to a count that may commute with any number of others; see Trace.count. */
export const MOST_SPARE = 255;

/** Numbers of counters are below this: a byte for each says how far it has raised a count. */
export const COUNTERS = 4;
const MOST_RISE = 255;

const byteOf = (bytes: number, counter: number): number => (bytes >>> (8 * counter)) & 0xff;

export class Trace {
  /** The sum's halves: signed words. */
  low = 0;
  high = 0;
  /** How many words and pages have a version other than 0, and which. */
  changed = 0;
  declare private readonly changedAt: Int32Array;
  /** Versions of words, two words each, for 64 bits. */
  protected readonly words: Int32Array;
  protected readonly pages: Int32Array;
  /** Of a count, for each counter: its adds so far, less what they were at their lowest. */
  protected readonly rises: Int32Array;

  /** `memory`: zeroed, of the size that memoryFor says; threads share it. */
  constructor(memory: Int32Array, words: number) {
    const pages = (words >>> PAGE_BITS) << PAGE_RECORD_BITS;
    this.words = memory.subarray(0, 2 * words);
    this.pages = memory.subarray(2 * words, 2 * words + pages);
    this.rises = memory.subarray(2 * words + pages, 3 * words + pages);
    this.changedAt = memory.subarray(3 * words + pages);
  }

  /** `words`: whole pages. */
  static memoryFor(words: number): number {
    const pages = words >>> PAGE_BITS;
    return 3 * words + (pages << PAGE_RECORD_BITS) + words + pages;
  }

  /** Before a run. */
  begin(): void {
    this.low = 0;
    this.high = 0;
    const { words, pages, rises } = this;
    for (let i = 0; i < this.changed; i++) {
      const at = this.changedAt[i]!;
      if (at >= 0) {
        words[at] = 0;
        words[at + 1] = 0;
        rises[at >>> 1] = 0;
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
   * `actor` has loaded a word from its own store buffer, whose stores will change it so often, as
   * actor `buffer`: counted as if they had drained, which makes no difference to the load.
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

  /** The running CPU has put a store into its buffer. */
  buffer(): void {}

  /** It has stored `after` where `before` was. */
  write(actor: number, at: number, before: number, after: number): void {
    if (before === after) this.read(actor, at);
    else this.change(actor, at);
  }

  /**
   * It has added to a word, and does not use the result: such adds commute. By a product and not by
   * a sum, since loads are summed up, and two of them would tell no more than their mean.
   */
  add(actor: number, at: number, _before: number, _after: number): void {
    const low = this.words[2 * at]!;
    const high = this.words[2 * at + 1]!;
    // By another number for each word, lest changes of the sum cancel out.
    const [lowKey, highKey] = [mixed(at, 0, ADDED), mixed(at, 1, ADDED)];
    const newLow = (Math.imul(low + lowKey, ADDERS[2 * actor]!) - lowKey) | 0;
    const newHigh = (Math.imul(high + highKey, ADDERS[2 * actor + 1]!) - highKey) | 0;
    this.setVersion(at, newLow, newHigh, newLow - low, newHigh - high);
    this.note(actor, at, ADDED);
  }

  /**
   * The same, to a count: see Words.countDown. `spare`: how far the least that it could have found
   * in any order (`lowest`) is above `least`; `counter`: whose add it is. Adds of one
   * come in the same order in every run that behaves alike, as those of an actor or of a vCPU do.
   */
  count(
    actor: number,
    at: number,
    before: number,
    added: number,
    _spare: number,
    counter: number,
  ): void {
    this.add(actor, at, before, before + added);
    this.rises[at] = risen(this.rises[at]!, counter, added);
  }

  /** The least that an add could find instead of `found` if those of others had come later. */
  lowest(counter: number, at: number, found: number): number {
    const rises = this.rises[at]!;
    let lowest = found | 0;
    for (let other = 0; other < COUNTERS; other++) {
      if (other === counter) continue;
      const rise = byteOf(rises, other);
      lowest -= rise === MOST_RISE ? found : rise;
    }
    return lowest;
  }

  protected riseOf(counter: number, at: number): number {
    return byteOf(this.rises[at]!, counter);
  }

  /** It has loaded the words from `at` on in one step. */
  readMany(actor: number, at: number, words: number): void {
    if (words === PAGE_WORDS) this.readPage(actor, at);
    else for (let i = at; i < at + words; i++) this.read(actor, i);
  }

  /** It has stored into all of them in one step, whatever was there. */
  writeMany(actor: number, at: number, words: number): void {
    if (words === PAGE_WORDS) this.changePage(actor, at);
    else for (let i = at; i < at + words; i++) this.change(actor, i);
  }

  /** Words are poked: not part of the behaviour. */
  aside(_at: number, _words: number): void {}

  /** A private event of `actor`, and its position in the actor's program. */
  note(actor: number, what: number, place: number): void {
    const key = Math.imul(what, 0xcc9e_2d51) + Math.imul(place, 0x85eb_ca77);
    this.low = (this.low + mixed(key, 0, actor)) | 0;
    this.high = (this.high + mixed(key, 1, actor)) | 0;
  }

  /** 16 hexadecimal digits. */
  get digest(): string {
    return hexWord(this.high) + hexWord(this.low);
  }

  private change(actor: number, at: number): void {
    const page = (at >>> PAGE_BITS) << PAGE_RECORD_BITS;
    const [words, pages] = [this.words, this.pages];
    const low = words[2 * at]!;
    const high = words[2 * at + 1]!;
    const newLow = mixed(low + pages[page]! + Math.imul(at + 1, 0xcc9e_2d51), 0, actor);
    const newHigh = mixed(high + pages[page + 1]! + Math.imul(at + 1, 0x85eb_ca77), 1, actor);
    this.setVersion(at, newLow, newHigh, newLow, newHigh);
    this.low = (this.low + newLow) | 0;
    this.high = (this.high + newHigh) | 0;
  }

  /** `moreLow`, `moreHigh`: for the sum of the versions in its page. */
  private setVersion(
    at: number,
    low: number,
    high: number,
    moreLow: number,
    moreHigh: number,
  ): void {
    const page = (at >>> PAGE_BITS) << PAGE_RECORD_BITS;
    const [words, pages] = [this.words, this.pages];
    if ((words[2 * at]! | words[2 * at + 1]!) === 0) this.changedAt[this.changed++] = 2 * at;
    if ((pages[page]! | pages[page + SUM]!) === 0) this.changedAt[this.changed++] = ~page;
    words[2 * at] = low;
    words[2 * at + 1] = high;
    pages[page + SUM]! += moreLow;
    pages[page + SUM + 1]! += moreHigh;
  }

  private readPage(actor: number, at: number): void {
    const page = (at >>> PAGE_BITS) << PAGE_RECORD_BITS;
    this.note(actor, page, this.pages[page]! + this.pages[page + SUM]!);
    this.note(actor, page, this.pages[page + 1]! + this.pages[page + SUM + 1]!);
  }

  private changePage(actor: number, at: number): void {
    const page = (at >>> PAGE_BITS) << PAGE_RECORD_BITS;
    const pages = this.pages;
    this.changedAt[this.changed++] = ~page;
    const newLow = mixed(pages[page]! + pages[page + SUM]! + page, 0, actor);
    const newHigh = mixed(pages[page + 1]! + pages[page + SUM + 1]! + page, 1, actor);
    pages[page] = newLow;
    pages[page + 1] = newHigh;
    this.low = (this.low + newLow) | 0;
    this.high = (this.high + newHigh) | 0;
  }
}

/** Where it is too much to be known, it stays at MOST_RISE. */
function risen(rises: number, counter: number, added: number): number {
  const rise = byteOf(rises, counter);
  if (rise === MOST_RISE) return rises;
  const now = Math.min(Math.max(rise + added, 0), MOST_RISE);
  return rises ^ ((rise ^ now) << (8 * counter));
}

/** Mix every bit of the word into every bit, as murmur3's finalizer; by half and by actor. */
function mixed(word: number, half: number, actor: number): number {
  let x = (word + Math.imul(2 * actor + half + 1, 0x9e37_79b1)) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85eb_ca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
  return x ^ (x >>> 16);
}
