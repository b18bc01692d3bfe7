/**
 * One simulated host CPU under control.
 *
 * A CPU's work is cut into pieces that end where everything is in shared memory
 * (src/host/host-cpu-loop.ts). To leave a piece in the middle it is abandoned by a throw;
 * to go on it is done again from its beginning, and what it did to shared memory before is
 * not done again: each result is taken from a log instead. What is private to the CPU (its
 * registers, TLB, counters and events) is put back as it was at the beginning.
 */

import { type Ptr, toPtr } from '../../../shared/address.ts';
import { HOST_CPU_WORDS } from '../../../shared/host-cpu.ts';
import type { Layout } from '../../../shared/layout.ts';
import { StoreBuffer } from './store-buffer.ts';
import type { Turn } from './turn.ts';
import { TaskWord } from './turn-state.ts';

/** Thrown to leave a piece of work in the middle. */
export const LEAVE = Symbol('leave');

/** Words of a host CPU's record that others read and write: its first line. */
const SHARED_WORDS = 16;

export class Task {
  readonly index: number;
  readonly turn: Turn;
  readonly stores: StoreBuffer;
  /** What the piece's accesses so far have returned, and how many of them were passed again. */
  readonly #log: number[] = [];
  #passed = 0;
  /** Whether its piece has done something already that is not to be done again. */
  hasBegun = false;
  readonly #words: Uint32Array;
  readonly #at: number;
  readonly #from: number;
  readonly #to: number;
  readonly #views: readonly Uint32Array[];
  readonly #saved: readonly Uint32Array[];

  constructor(turn: Turn, index: number, layout: Layout, plain: Uint32Array) {
    this.turn = turn;
    this.index = index;
    this.stores = new StoreBuffer(turn.state, index);
    this.#words = turn.state.words;
    this.#at = turn.state.taskAt(index);
    const { hostCpus, counters, events } = layout.regions;
    const guests = layout.config.guests.length;
    this.#from = hostCpus.at + index * hostCpus.stride + SHARED_WORDS;
    this.#to = hostCpus.at + index * hostCpus.stride + HOST_CPU_WORDS;
    const view = (at: number, words: number) => plain.subarray(at, at + words);
    this.#views = [
      view(this.#from, this.#to - this.#from),
      view(counters.at + index * guests * counters.stride, guests * counters.stride),
      view(events.at + index * events.stride, events.stride),
    ];
    this.#saved = this.#views.map((words) => words.slice());
  }

  /** It was chosen at the access where it stands: the next one is done without asking. */
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

  /** It cannot go on before the word at `at` is another than `from`. */
  waitFor(at: Ptr, from: number): void {
    this.#words[this.#at + TaskWord.WaitsFor] = at;
    this.#words[this.#at + TaskWord.WaitsFrom] = from;
  }

  /** It waits for no word. */
  goOn(): void {
    this.#words[this.#at + TaskWord.WaitsFor] = 0;
  }

  /** The word that it waits for, 0 if none, and what that has been. */
  get waitsFor(): Ptr {
    return toPtr(this.#words[this.#at + TaskWord.WaitsFor]!);
  }

  get waitsFrom(): number {
    return this.#words[this.#at + TaskWord.WaitsFrom]!;
  }

  /** The access that it is about to make, for strategies that look; 0 if not known. */
  get pendingKind(): number {
    return this.#words[this.#at + TaskWord.PendingKind]!;
  }

  get pendingAt(): Ptr {
    return toPtr(this.#words[this.#at + TaskWord.PendingAt]!);
  }

  pend(kind: number, at: Ptr): void {
    this.#words[this.#at + TaskWord.PendingKind] = kind;
    this.#words[this.#at + TaskWord.PendingAt] = at;
  }

  /** A piece is done: the next one begins here. */
  commit(): void {
    this.restart();
    for (let i = 0; i < this.#views.length; i++) this.#saved[i]!.set(this.#views[i]!);
  }

  /** Nothing of its piece was done. */
  restart(): void {
    this.#log.length = 0;
    this.#passed = 0;
    this.hasBegun = false;
  }

  /** Do the piece again, up to where it was left. */
  rewind(): void {
    this.#passed = 0;
    for (let i = 0; i < this.#views.length; i++) this.#views[i]!.set(this.#saved[i]!);
  }

  /** Whether a word is this CPU's alone. */
  owns(at: number): boolean {
    return at >= this.#from && at < this.#to;
  }

  get isAgain(): boolean {
    return this.#passed < this.#log.length;
  }

  /** What the access returned when it was done. */
  again(): number {
    return this.#log[this.#passed++]!;
  }

  /** Remember what an access returned. */
  keep(value: number): number {
    this.#log.push(value);
    this.#passed++;
    return value;
  }
}
