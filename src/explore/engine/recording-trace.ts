/**
 * A trace that also reports each access to a listener, if there is one.
 *
 * Words that a CPU may wait for together, enabled by any of them, are tied: a change of one
 * conflicts with a change of any other, as if each also incremented a common word. Otherwise the
 * waiting step would depend on a selection of changes that do not conflict with one another, and
 * the search through all behaviours would have to try every selection.
 */

import { PAGE_WORDS } from '../../hardware/address.ts';
import { Journal } from './journal.ts';
import { MOST_SPARE, PAGE_BITS, Trace } from './trace.ts';

/** The place that is all of the page with the word `at`; others are words. */
export const pageOf = (at: number): number => ~(at >>> PAGE_BITS);

/** Stands for all tied words: a word that is never accessed. */
const TIED = 0;

/** Of an access: whether it changes its place, and by an add that commutes with other adds. */
export const Kind = { Read: 0, Change: 1, Add: 2 } as const;

/** One of Kind, and for an add its spare, and how far it may bring down what others find. */
export type AccessKind = number;

export const kindOf = (kind: AccessKind): number => kind & 3;

/** `spare`: see Trace.count; `fall`: what it takes beyond what its counter has added before. */
const addKind = (spare: number, fall: number): AccessKind =>
  Kind.Add | (Math.min(spare, MOST_SPARE) << 2) | (fall << 10);

const BLIND = addKind(MOST_SPARE, 0);

/** Whether two adds that may come in either order leave the first one nothing to spare. */
export const isTooLow = (add: AccessKind, other: AccessKind): boolean =>
  ((add >>> 2) & 0xff) <= other >>> 10;

/** Is told of accesses of places. */
export interface Recorder {
  read(place: number): void;
  /** `old`: the old value; 0 for a page. `kind`: Kind.Change by default. */
  change(place: number, old: number, kind?: AccessKind): void;
  /** A store was buffered. */
  buffer(): void;
}

export class RecordingTrace extends Trace {
  recorder: Recorder | undefined;
  /** The undo log of all changes. */
  readonly journal: Journal;
  readonly #plain: Uint32Array;
  readonly #tied = new Set<number>();
  /** Of the next add. */
  #addKind = BLIND;

  /** As for Trace; `plain`: the machine's memory. */
  constructor(memory: Int32Array, plain: Uint32Array) {
    super(memory, plain.length);
    this.#plain = plain;
    this.journal = new Journal(plain, this.words, this.pages, this.rises);
  }

  /** Before the first run: any of these words may be waited for together with others of them. */
  tie(words: readonly number[]): void {
    for (const word of words) this.#tied.add(word);
  }

  areTied(words: readonly number[]): boolean {
    return words.every((word) => this.#tied.has(word));
  }

  override read(actor: number, at: number): void {
    super.read(actor, at);
    this.recorder?.read(at);
  }

  override write(actor: number, at: number, before: number, after: number): void {
    if (before === after) return this.read(actor, at);
    if (this.journal.isOn) this.journal.note(at, before);
    super.write(actor, at, before, after);
    this.recorder?.change(at, before);
    if (this.#tied.has(at)) this.#countChange(actor);
  }

  /** Of tied words each change conflicts with all others. */
  override add(actor: number, at: number, before: number, after: number): void {
    if (this.#tied.has(at)) return this.write(actor, at, before, after);
    if (this.journal.isOn) this.journal.note(at, before);
    super.add(actor, at, before, after);
    this.recorder?.change(at, before, this.#addKind);
  }

  override count(
    actor: number,
    at: number,
    before: number,
    added: number,
    spare: number,
    counter: number,
  ): void {
    this.#addKind = addKind(spare, Math.max(0, -added - this.riseOf(counter, at)));
    if (this.journal.isOn) this.journal.noteRises(at, this.rises[at]!);
    super.count(actor, at, before, added, spare, counter);
    this.#addKind = BLIND;
  }

  override readAhead(actor: number, buffer: number, at: number, changes: number): void {
    super.readAhead(actor, buffer, at, changes);
    this.recorder?.read(at);
  }

  override buffer(): void {
    this.recorder?.buffer();
  }

  override readMany(actor: number, at: number, words: number): void {
    // Few words are read one by one.
    super.readMany(actor, at, words);
    if (words === PAGE_WORDS) this.recorder?.read(pageOf(at));
  }

  override writeMany(actor: number, at: number, words: number): void {
    if (this.journal.isOn) this.journal.noteMany(at, words);
    super.writeMany(actor, at, words);
    if (words === PAGE_WORDS) return this.recorder?.change(pageOf(at), 0);
    for (let i = at; i < at + words; i++) this.recorder?.change(i, this.#plain[i]!);
  }

  override aside(at: number, words: number): void {
    if (this.journal.isOn) this.journal.noteMany(at, words);
  }

  #countChange(actor: number): void {
    if (this.journal.isOn) this.journal.note(TIED, this.#plain[TIED]!);
    super.write(actor, TIED, 0, 1);
    this.recorder?.change(TIED, 0);
  }
}
