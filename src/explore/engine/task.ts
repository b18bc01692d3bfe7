/**
 * One simulated host CPU under control.
 *
 * A CPU's work is cut into pieces; between two pieces its whole state is in shared memory
 * (src/host/host-cpu-loop.ts). A piece is left in the middle by a throw that unwinds it. To resume,
 * the piece is replayed from its beginning: accesses of shared memory that it has made return
 * their results from the replay log. The private state of the CPU (its registers, TLB, counters
 * and events) is restored first.
 *
 * See docs/decisions/log-and-replay.md.
 */

import type { Host } from '../../../shared/host.ts';
import type { Until } from '../../../shared/words.ts';
import { type Ptr, toPtr } from '../../hardware/address.ts';
import { type ControlState, TaskWord } from './control-state.ts';
import type { Controller } from './controller.ts';
import { DRAINED, type Guard, guardOn } from './guard.ts';
import { PrivateWords } from './private-words.ts';
import { Results } from './results.ts';
import { StoreBuffer } from './store-buffer.ts';

/** Thrown to unwind a piece in the middle. */
export const LEAVE = Symbol('leave');

/** In place of the word: it waits for several. */
export const SEVERAL = -2;

/** Whether `word` is one of those from `at` on. */
export const lies = (word: number, at: number, words: number): boolean =>
  word >= at && word < at + words;

export class Task {
  declare readonly index: number;
  declare readonly controller: Controller;
  declare readonly state: ControlState;
  readonly stores: StoreBuffer;
  /** The replay logs of its piece: results of steps, and of accesses that are no steps. */
  declare readonly steps: Results;
  declare readonly asides: Results;
  /** Its piece has poked a word. */
  hasPoked = false;
  /** The number of pieces that it has completed in this run. */
  pieces = 0;
  /** The states at their beginnings are kept, to go back to. */
  keepsPast = false;
  /** In an abridged run, the condition that it waits for if that is more than a word. */
  until: Until | undefined;
  readonly #words: Uint32Array;
  readonly #at: number;
  readonly #private: PrivateWords;
  declare private readonly from: number;
  declare private readonly own: number;

  /** `host`: a view by plain words. */
  constructor(controller: Controller, index: number, host: Host) {
    this.steps = new Results();
    this.asides = new Results();
    this.controller = controller;
    this.state = controller.state;
    this.index = index;
    this.stores = new StoreBuffer(controller.state, index);
    this.#words = controller.state.words;
    this.#at = controller.state.taskAt(index);
    this.#private = new PrivateWords(host, index, controller.snapshot);
    this.from = this.#private.from;
    this.own = this.#private.to - this.#private.from;
  }

  /** It was chosen at its pending access, which it makes without asking. */
  get granted(): boolean {
    return this.#words[this.#at + TaskWord.Granted] !== 0;
  }
  set granted(granted: boolean) {
    this.#words[this.#at + TaskWord.Granted] = granted ? 1 : 0;
  }

  get finished(): boolean {
    return this.#words[this.#at + TaskWord.Finished] !== 0;
  }
  set finished(finished: boolean) {
    this.#words[this.#at + TaskWord.Finished] = finished ? 1 : 0;
  }

  /** It waits until the word at `at` differs from `value`, or until it is `value`. */
  waitFor(at: Ptr, value: number, isEqual = false): void {
    this.#words[this.#at + TaskWord.WaitsFor] = at;
    this.#words[this.#at + TaskWord.WaitsFrom] = value;
    this.#words[this.#at + TaskWord.WaitsUntil] = isEqual ? 1 : 0;
  }

  /** It waits for nothing. */
  goOn(): void {
    this.#words[this.#at + TaskWord.WaitsFor] = 0;
    this.until = undefined;
  }

  /** The word that it waits for, or the first of several; 0 if none. */
  get waitsFor(): Ptr {
    return this.until?.words[0] ?? toPtr(this.#words[this.#at + TaskWord.WaitsFor]!);
  }

  /** The same, or SEVERAL. */
  get awaited(): number {
    return this.until === undefined ? this.#words[this.#at + TaskWord.WaitsFor]! : SEVERAL;
  }

  /** Whether it waits, by the current values in memory. */
  isStopped(memory: Uint32Array): boolean {
    const at = this.#words[this.#at + TaskWord.WaitsFor]!;
    if (at !== 0) {
      const isAsNamed = memory[at] === this.#words[this.#at + TaskWord.WaitsFrom];
      return isAsNamed === (this.#words[this.#at + TaskWord.WaitsUntil] === 0);
    }
    const { until } = this;
    return until !== undefined && !until.holds(until.words.map((word) => memory[word]!));
  }

  /** Whether it waits for one of so many words from `at` on. */
  awaits(at: number, words: number): boolean {
    const word = this.#words[this.#at + TaskWord.WaitsFor]!;
    if (word !== 0) return lies(word, at, words);
    return this.until?.words.some((each) => lies(each, at, words)) ?? false;
  }

  /** Its guard, for the search through all behaviours. */
  get guard(): Guard | undefined {
    const words = this.until ?? this.#guardOfWord;
    if (!this.waitsDrained) return words;
    return words === undefined ? DRAINED : { ...words, drained: true };
  }

  get #guardOfWord(): Guard | undefined {
    const at = this.#words[this.#at + TaskWord.WaitsFor]!;
    if (at === 0) return undefined;
    const value = this.#words[this.#at + TaskWord.WaitsFrom]!;
    return guardOn(at, value, this.#words[this.#at + TaskWord.WaitsUntil] === 1);
  }

  /** Its pending access waits until its store buffer is empty. */
  get waitsDrained(): boolean {
    return this.#words[this.#at + TaskWord.PendingDrained] !== 0;
  }

  /** Its pending access, for strategies; 0 if not known. */
  get pendingKind(): number {
    return this.#words[this.#at + TaskWord.PendingKind]!;
  }

  get pendingAt(): Ptr {
    return toPtr(this.#words[this.#at + TaskWord.PendingAt]!);
  }

  pend(kind: number, at: Ptr, waitsDrained: boolean): void {
    this.#words[this.#at + TaskWord.PendingKind] = kind;
    this.#words[this.#at + TaskWord.PendingAt] = at;
    this.#words[this.#at + TaskWord.PendingDrained] = waitsDrained ? 1 : 0;
  }

  /** A piece is complete: the next one begins here. */
  commit(): void {
    if (this.keepsPast) this.#private.remember(this.pieces);
    this.pieces++;
    this.restart();
    this.#private.keep();
  }

  /** A run begins. */
  begin(): void {
    this.pieces = 0;
    this.until = undefined;
    this.steps.goBack(0, 0);
    this.asides.goBack(0, 0);
    this.keepAll();
  }

  /** Words of a saved place. */
  static readonly PLACE_WORDS = 6;

  /** Save its place for goBack: PLACE_WORDS words from `at` on. */
  keepPlace(into: Uint32Array, at: number): void {
    const { steps, asides } = this;
    into[at] = this.pieces;
    into[at + 1] = steps.from;
    into[at + 2] = steps.length;
    into[at + 3] = asides.from;
    into[at + 4] = asides.length;
    into[at + 5] = this.hasPoked ? 1 : 0;
  }

  /** Restore its place, where it waits for `until`. */
  goBack(place: Uint32Array, at: number, until: Until | undefined): void {
    this.#private.goBack(place[at]!, this.pieces);
    this.pieces = place[at]!;
    this.steps.goBack(place[at + 1]!, place[at + 2]!);
    this.asides.goBack(place[at + 3]!, place[at + 4]!);
    this.hasPoked = place[at + 5] === 1;
    this.until = until;
  }

  /** Its piece has not begun. */
  restart(): void {
    this.steps.clear();
    this.asides.clear();
    this.hasPoked = false;
  }

  /** Replay the piece, up to where it was unwound. */
  rewind(): void {
    this.steps.rewind();
    this.asides.rewind();
    this.#private.putBack();
  }

  /** The same, where the CPU's private state was changed from outside. */
  keepAll(): void {
    this.restart();
    this.#private.keepAll();
  }

  /** Whether a word is this CPU's alone. */
  owns(at: number): boolean {
    return (at - this.from) >>> 0 < this.own;
  }

  /** Whether its piece has made accesses that must not be repeated. */
  get hasBegun(): boolean {
    return this.hasPoked || !this.steps.isEmpty;
  }
}
