/**
 * An undo log: the old values of a machine's words and their versions (trace.ts), to undo changes,
 * the last one first.
 */

import { PAGE_WORDS } from '../../hardware/address.ts';
import { PAGE_BITS, PAGE_RECORD_BITS, SUM } from './trace.ts';

/** For a change: its word, or ~page for a whole page; the old value; four halves of versions. */
const FIELDS_BITS = 3;

export class Journal {
  /** The number of changes in the log. */
  length = 0;
  /** Off: changes are not logged, since they will not be undone. */
  isOn = false;
  readonly #plain: Uint32Array;
  readonly #words: Int32Array;
  readonly #pages: Int32Array;
  readonly #rises: Int32Array;
  #notes = new Int32Array(1 << 12);
  /** Old contents of whole pages, one after the other. */
  #contents = new Uint32Array(4 * PAGE_WORDS);
  #contentWords = 0;
  /** The number of logged changes of each page. */
  readonly #ofPage: Int32Array;

  /** `plain`: the machine's memory; `words`, `pages`, `rises`: of a Trace of it. */
  constructor(plain: Uint32Array, words: Int32Array, pages: Int32Array, rises: Int32Array) {
    this.#plain = plain;
    this.#words = words;
    this.#pages = pages;
    this.#rises = rises;
    this.#ofPage = new Int32Array((plain.length >>> PAGE_BITS) + 1);
  }

  /** At the beginning of a run. */
  begin(isOn: boolean): void {
    this.isOn = isOn;
    this.length = 0;
    this.#contentWords = 0;
    this.#ofPage.fill(0);
  }

  /** The word at `at`, with the old value `before`, changes; called before its version does. */
  note(at: number, before: number): void {
    const page = at >>> PAGE_BITS;
    const words = this.#words;
    this.#add(at, before, page, words[2 * at]!, words[2 * at + 1]!);
  }

  /** A count's rises, now `before`, change. Their place is behind the memory's words. */
  noteRises(at: number, before: number): void {
    const note = this.#newNote();
    this.#notes[note] = this.#plain.length + at;
    this.#notes[note + 1] = before;
  }

  /** Called before so many words from `at` on are changed. */
  noteMany(at: number, words: number): void {
    const plain = this.#plain;
    if (words !== PAGE_WORDS) {
      for (let i = at; i < at + words; i++) this.note(i, plain[i]!);
      return;
    }
    if (this.#contentWords === this.#contents.length) {
      const contents = new Uint32Array(this.#contents.length * 2);
      contents.set(this.#contents);
      this.#contents = contents;
    }
    this.#contents.set(plain.subarray(at, at + words), this.#contentWords);
    this.#contentWords += words;
    const page = at >>> PAGE_BITS;
    this.#add(~page, 0, page, 0, 0);
  }

  /** Undo all but the first `length` changes; `touched` is reset for pages without any. */
  takeBack(length: number, touched: Uint8Array): void {
    const notes = this.#notes;
    const pages = this.#pages;
    while (this.length > length) {
      const note = --this.length << FIELDS_BITS;
      const at = notes[note]!;
      if (at >= this.#plain.length) {
        this.#rises[at - this.#plain.length] = notes[note + 1]!;
        continue;
      }
      const page = at < 0 ? ~at : at >>> PAGE_BITS;
      if (at < 0) {
        this.#contentWords -= PAGE_WORDS;
        const from = this.#contentWords;
        this.#plain.set(this.#contents.subarray(from, from + PAGE_WORDS), page << PAGE_BITS);
      } else {
        this.#plain[at] = notes[note + 1]!;
        this.#words[2 * at] = notes[note + 2]!;
        this.#words[2 * at + 1] = notes[note + 3]!;
      }
      const record = page << PAGE_RECORD_BITS;
      pages[record] = notes[note + 4]!;
      pages[record + 1] = notes[note + 5]!;
      pages[record + SUM] = notes[note + 6]!;
      pages[record + SUM + 1] = notes[note + 7]!;
      if (--this.#ofPage[page]! === 0) touched[page] = 0;
    }
  }

  #add(at: number, before: number, page: number, low: number, high: number): void {
    const note = this.#newNote();
    const notes = this.#notes;
    const pages = this.#pages;
    const record = page << PAGE_RECORD_BITS;
    notes[note] = at;
    notes[note + 1] = before;
    notes[note + 2] = low;
    notes[note + 3] = high;
    notes[note + 4] = pages[record]!;
    notes[note + 5] = pages[record + 1]!;
    notes[note + 6] = pages[record + SUM]!;
    notes[note + 7] = pages[record + SUM + 1]!;
    this.#ofPage[page]!++;
  }

  #newNote(): number {
    const note = this.length++ << FIELDS_BITS;
    if (note === this.#notes.length) {
      const grown = new Int32Array(this.#notes.length * 2);
      grown.set(this.#notes);
      this.#notes = grown;
    }
    return note;
  }
}
