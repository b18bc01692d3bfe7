/**
 * The accesses of a run so far, event by event, to find those that conflict with a new one, and to
 * undo the last ones.
 *
 * A place is a word, or the whole of a page (`pageOf`). Each access links to the one before it of
 * the same place, and an access of a single word to the one before it in the same page; and in
 * chains of their own to those that were no reads, since a read conflicts with no read.
 */

import { assert } from '../../errors.ts';
import { type AccessKind, isTooLow, Kind, kindOf, pageOf } from '../engine/recording-trace.ts';
import { PAGE_BITS } from '../engine/trace.ts';

/** No access. */
export const NONE = -1;

const isPage = (place: number): boolean => place < 0;

/** Whether accesses of one place conflict, by `kindOf`: one changes it, and not both add to it. */
const doConflict = (a: number, b: number): boolean => (a | b) !== 0 && (a & b) !== Kind.Add;

/** The accesses of an event: pairs of place and kind. */
export type Footprint = Int32Array;

type Tell = (event: number) => void;

/** The fields of an access. */
const PLACE = 0;
const KIND = 1;
const EVENT = 2;
/** The old value; not kept for a page. */
const OLD = 3;
const SAME_PLACE = 4;
const SAME_PAGE = 5;
/** The chain of all accesses; that of changes has its two fields behind. */
const ALL = 0;
const CHANGES = 2;
const FIELDS_BITS = 3;

/** Where a chain begins. */
class Last {
  /** The last access of each word, of each page as a whole, and of any word of each page. */
  readonly ofWord: Int32Array;
  readonly ofPage: Int32Array;
  readonly inPage: Int32Array;

  constructor(words: number) {
    const pages = (words >>> PAGE_BITS) + 1;
    this.ofWord = new Int32Array(words).fill(NONE);
    this.ofPage = new Int32Array(pages).fill(NONE);
    this.inPage = new Int32Array(pages).fill(NONE);
  }
}

export class Accesses {
  /** Signed words. */
  #fields = new Int32Array(1 << 12);
  count = 0;
  readonly #all: Last;
  readonly #changes: Last;

  /** Of a memory of so many words. */
  constructor(words: number) {
    this.#all = new Last(words);
    this.#changes = new Last(words);
  }

  /** `event` has accessed a place; `old`: the old value. */
  add(event: number, place: number, kind: AccessKind, old: number): void {
    const access = this.count++;
    const at = access << FIELDS_BITS;
    if (at === this.#fields.length) this.#grow();
    const fields = this.#fields;
    fields[at + PLACE] = place;
    fields[at + KIND] = kind;
    fields[at + EVENT] = event;
    fields[at + OLD] = old;
    this.#link(this.#all, ALL, access, place);
    if (kindOf(kind) !== Kind.Read) this.#link(this.#changes, CHANGES, access, place);
  }

  #link(last: Last, chain: number, access: number, place: number): void {
    const fields = this.#fields;
    const at = (access << FIELDS_BITS) + chain;
    if (isPage(place)) {
      fields[at + SAME_PLACE] = last.ofPage[~place]!;
      last.ofPage[~place] = access;
    } else {
      const page = place >>> PAGE_BITS;
      fields[at + SAME_PLACE] = last.ofWord[place]!;
      fields[at + SAME_PAGE] = last.inPage[page]!;
      last.ofWord[place] = access;
      last.inPage[page] = access;
    }
  }

  /** `access` is the last one of its chain. */
  #unlink(last: Last, chain: number, access: number): void {
    const fields = this.#fields;
    const at = (access << FIELDS_BITS) + chain;
    const place = this.place(access);
    if (isPage(place)) last.ofPage[~place] = fields[at + SAME_PLACE]!;
    else {
      last.ofWord[place] = fields[at + SAME_PLACE]!;
      last.inPage[place >>> PAGE_BITS] = fields[at + SAME_PAGE]!;
    }
  }

  /** Undo all but the first `count` accesses. */
  takeBack(count: number): void {
    while (this.count > count) {
      const access = --this.count;
      this.#unlink(this.#all, ALL, access);
      if (this.changes(access)) this.#unlink(this.#changes, CHANGES, access);
    }
  }

  place(access: number): number {
    return this.#fields[(access << FIELDS_BITS) + PLACE]!;
  }

  #accessKind(access: number): AccessKind {
    return this.#fields[(access << FIELDS_BITS) + KIND]!;
  }

  #kind(access: number): number {
    return kindOf(this.#accessKind(access));
  }

  changes(access: number): boolean {
    return this.#kind(access) !== Kind.Read;
  }

  event(access: number): number {
    return this.#fields[(access << FIELDS_BITS) + EVENT]!;
  }

  /** Of a chain, the last access of the same place before this one; NONE if there is none. */
  #previous(access: number, chain: number): number {
    return this.#fields[(access << FIELDS_BITS) + chain + SAME_PLACE]!;
  }

  /** The events that have changed one of the words, the last one first; each once. */
  changesOf(words: readonly number[]): readonly number[] {
    const events: number[] = [];
    for (const word of words) {
      let access = this.#changes.ofWord[word]!;
      for (; access !== NONE; access = this.#previous(access, CHANGES)) {
        assert(this.#kind(access) !== Kind.Add, 'adds to a word that is waited for are tied');
        if (events.at(-1) !== this.event(access)) events.push(this.event(access));
      }
    }
    return words.length === 1 ? events : [...new Set(events)].toSorted((a, b) => b - a);
  }

  /** A word's value before `event`; undefined if it was not changed since. */
  before(word: number, event: number): number | undefined {
    let old: number | undefined;
    let access = this.#changes.ofWord[word]!;
    while (access !== NONE && this.event(access) >= event) {
      old = this.#fields[(access << FIELDS_BITS) + OLD]!;
      access = this.#previous(access, CHANGES);
    }
    return old;
  }

  footprint(from: number, to: number): Footprint {
    const footprint = new Int32Array(2 * (to - from));
    for (let access = from; access < to; access++) {
      footprint[2 * (access - from)] = this.place(access);
      footprint[2 * (access - from) + 1] = this.#accessKind(access);
    }
    return footprint;
  }

  /**
   * Whether one of the accesses `from` … `to` − 1 conflicts with an event that is not of this run,
   * and could have come before.
   */
  conflict(footprint: Footprint, from: number, to: number): boolean {
    for (let access = from; access < to; access++) {
      const place = this.place(access);
      const kind = this.#accessKind(access);
      for (let i = 0; i < footprint.length; i += 2) {
        if (!meet(place, footprint[i]!)) continue;
        const other = footprint[i + 1]!;
        if (doConflict(kindOf(kind), kindOf(other))) return true;
        if (kindOf(kind) === Kind.Add && isTooLow(kind, other)) return true;
      }
    }
    return false;
  }

  /**
   * Each access of an earlier event that `access` conflicts with, as far as no other one that
   * conflicts with both lies between; more may be told. `cpuOf`: where there are buffers, whose an
   * event is, and those of one CPU and its buffer do not conflict.
   */
  eachConflict(access: number, tell: Tell, cpuOf?: (event: number) => number): void {
    const place = this.place(access);
    const kind = this.#kind(access);
    const chain = kind === Kind.Read ? CHANGES : ALL;
    const last = kind === Kind.Read ? this.#changes : this.#all;
    let before = isPage(place) ? last.ofPage[~place]! : last.ofWord[place]!;
    while (before >= access) before = this.#previous(before, chain);
    const covered = this.#sameKind(before, chain, kind, tell);
    if (isPage(place)) this.#singles(last.inPage[~place]!, chain, covered, kind, tell);
    else {
      if (cpuOf !== undefined && covered !== NONE) this.#beyond(access, tell, cpuOf);
      this.#sameKind(last.ofPage[place >>> PAGE_BITS]!, chain, kind, tell);
    }
  }

  /**
   * Back to the first change that is no add, whose event is returned; NONE if there is none. An add
   * hides no other.
   */
  #sameKind(last: number, chain: number, kind: number, tell: Tell): number {
    for (let other = last; other !== NONE; other = this.#previous(other, chain)) {
      const of = this.#kind(other);
      if (doConflict(kind, of)) tell(this.event(other));
      if (of === Kind.Change) return this.event(other);
    }
    return NONE;
  }

  /**
   * What the last changes hide from others, and not from their own CPU, which they do not conflict
   * with: all but for what conflicts with changes of two other CPUs.
   */
  #beyond(access: number, tell: Tell, cpuOf: (event: number) => number): void {
    const kind = this.#kind(access);
    const mine = cpuOf(this.event(access));
    let by: number | undefined;
    let other = this.#previous(access, ALL);
    for (; other !== NONE; other = this.#previous(other, ALL)) {
      const event = this.event(other);
      const of = this.#kind(other);
      if (doConflict(kind, of)) tell(event);
      const cpu = cpuOf(event);
      if (of !== Kind.Change || cpu === mine || cpu === by) continue;
      if (by !== undefined) return;
      by = cpu;
    }
  }

  /** Of words of a page, the last one `last`, since event `covered`. */
  #singles(last: number, chain: number, covered: number, kind: number, tell: Tell): void {
    let other = last;
    while (other !== NONE && this.event(other) >= covered) {
      if (doConflict(kind, this.#kind(other))) tell(this.event(other));
      other = this.#fields[(other << FIELDS_BITS) + chain + SAME_PAGE]!;
    }
  }

  #grow(): void {
    const fields = new Int32Array(this.#fields.length * 2);
    fields.set(this.#fields);
    this.#fields = fields;
  }
}

/** Whether two places have a word in common. */
function meet(a: number, b: number): boolean {
  if (isPage(a) === isPage(b)) return a === b;
  return isPage(a) ? pageOf(b) === a : pageOf(a) === b;
}
