/** A trace that also tells somebody of each access, as long as somebody is to be told. */

import { PAGE_WORDS } from '../../../shared/address.ts';
import { PAGE_BITS, Trace } from './trace.ts';

/** The place that is all of the page with the word `at`; others are words. */
export const pageOf = (at: number): number => ~(at >>> PAGE_BITS);

/** Is told of accesses of places. */
export interface Recorder {
  read(place: number): void;
  /** `old`: what was there before; of a page, 0. */
  change(place: number, old: number): void;
}

export class RecordingTrace extends Trace {
  recorder: Recorder | undefined;
  readonly #plain: Uint32Array;

  /** As for Trace; `plain`: the machine's memory. */
  constructor(memory: Int32Array, plain: Uint32Array) {
    super(memory, plain.length);
    this.#plain = plain;
  }

  override read(actor: number, at: number): void {
    super.read(actor, at);
    this.recorder?.read(at);
  }

  override write(actor: number, at: number, before: number, after: number): void {
    if (before === after) return this.read(actor, at);
    super.write(actor, at, before, after);
    this.recorder?.change(at, before);
  }

  override readMany(actor: number, at: number, words: number): void {
    // Of fewer words each is read.
    super.readMany(actor, at, words);
    if (words === PAGE_WORDS) this.recorder?.read(pageOf(at));
  }

  override writeMany(actor: number, at: number, words: number): void {
    super.writeMany(actor, at, words);
    if (words === PAGE_WORDS) return this.recorder?.change(pageOf(at), 0);
    for (let i = at; i < at + words; i++) this.recorder?.change(i, this.#plain[i]!);
  }
}
