/**
 * The state of a run under control, in one array of words: which host CPU is running, the
 * decisions so far, and what each CPU waits for. Host CPUs in threads of their own share it;
 * only the running one accesses it.
 */

import { MOST_CPUS } from './actors.ts';
import { Fairness, fairnessWords } from './fairness.ts';
import { hexWord, type Trace } from './trace.ts';

/** Words that a strategy may pass to the next thread. */
export const STRATEGY_WORDS = 56;

const STEP = STRATEGY_WORDS;
const CURRENT = STEP + 1;
const LOW = STEP + 2;
const HIGH = STEP + 3;
const SWITCHES = STEP + 4;
const DRAWN = STEP + 5;
const OVER = STEP + 6;
const RUN = STEP + 7;
const SEED = STEP + 8;
const FAILED = STEP + 9;
const TRACE_LOW = STEP + 10;
const TRACE_HIGH = STEP + 11;
const TRACE_CHANGED = STEP + 12;
/** Of an abridged run: bits of columns at their end, and of all; bits of vCPUs there. */
const ENDED = STEP + 13;
const COLUMNS = STEP + 14;
const AT_END = STEP + 15;
const FAIRNESS = STEP + 16;
/** Host CPUs and their store buffers. */
const HEADER_WORDS = FAIRNESS + fairnessWords(2 * MOST_CPUS);

/** Stores that a store buffer holds; x86 processors of lguest's time had some 20 to 36. */
export const BUFFERED_STORES = 32;

/** Of each host CPU. */
export const TaskWord = {
  Granted: 0,
  Finished: 1,
  /** The word that it waits for to change, and from what; 0 when it does not wait. */
  WaitsFor: 2,
  WaitsFrom: 3,
  /** It waits for the word to become that instead. */
  WaitsUntil: 4,
  /** The pending access, if it is in the middle of a piece. */
  PendingKind: 5,
  PendingAt: 6,
  /** Whether the pending access, in an abridged run, waits until its store buffer is empty. */
  PendingDrained: 7,
  /** Of its store buffer: the oldest store and their number. */
  OldestStore: 8,
  Stores: 9,
  /** Nonzero: this CPU is to run. A CPU in a thread of its own sleeps on it. */
  Go: 10,
} as const;

const TASK_WORDS = 11;

/** Of each host CPU, behind all that: pairs of place and value. */
const BUFFER_WORDS = 2 * BUFFERED_STORES;

/** Room for switches and draws beyond one of each for each step that a run takes at most. */
const SPARE = 16;

/** Thrown at the end of an abridged run. No Error: its stack would take a twentieth of the run. */
export const ALL_HAVE_ENDED = Symbol('all have ended');

export class ControlState {
  /** Steps that the running CPU may take before it asks; if negative, steps that it took beyond. */
  left = 0;
  /** The step at which none is left. */
  #until = 0;
  /** The digest's halves: signed words. */
  private low = 0;
  private high = 0;
  /** The order of conflicting accesses. */
  readonly trace: Trace;
  readonly words: Uint32Array;
  /** What a strategy passes to the next thread. */
  readonly strategy: Uint32Array;
  readonly fairness: Fairness;
  readonly #cpus: number;
  readonly #switchesAt: number;
  readonly #drawnAt: number;

  /** `words`: as many as wordsFor says. */
  constructor(words: Uint32Array, cpus: number, mostSteps: number, trace: Trace) {
    this.trace = trace;
    this.words = words;
    this.strategy = words.subarray(0, STRATEGY_WORDS);
    this.fairness = new Fairness(words.subarray(FAIRNESS, HEADER_WORDS));
    this.#cpus = cpus;
    this.#switchesAt = this.bufferAt(cpus);
    this.#drawnAt = this.#switchesAt + 2 * (mostSteps + SPARE);
  }

  static wordsFor(cpus: number, mostSteps: number): number {
    const now = HEADER_WORDS + cpus * (TASK_WORDS + BUFFER_WORDS);
    return now + 3 * (mostSteps + SPARE);
  }

  /**
   * The words that change during a run, with the store buffers if there are any; without the words
   * of the strategy, and without the decisions, which are only appended. After `handOver` they can
   * be saved, and restored before `takeOver`.
   */
  now(hasBuffers: boolean): Uint32Array {
    return this.words.subarray(STEP, this.bufferAt(hasBuffers ? this.#cpus : 0));
  }

  /** At the beginning of a run. */
  reset(): void {
    this.words.fill(0, 0, this.#switchesAt);
    this.left = 0;
    this.#until = 0;
    this.low = 0x9e37_79b9 | 0;
    this.high = 0x85eb_ca6b | 0;
    this.trace.begin();
  }

  /** Control leaves this thread: store what is kept in fields, for the next thread to load. */
  handOver(): void {
    this.words[STEP] = this.step;
    this.words[LOW] = this.low;
    this.words[HIGH] = this.high;
    this.words[TRACE_LOW] = this.trace.low;
    this.words[TRACE_HIGH] = this.trace.high;
    this.words[TRACE_CHANGED] = this.trace.changed;
  }

  /** Control has come to this thread. */
  takeOver(): void {
    this.left = 0;
    this.#until = this.stepHandedOver;
    this.low = this.words[LOW]! | 0;
    this.high = this.words[HIGH]! | 0;
    this.trace.low = this.words[TRACE_LOW]! | 0;
    this.trace.high = this.words[TRACE_HIGH]! | 0;
    this.trace.changed = this.words[TRACE_CHANGED]!;
  }

  /** Steps taken when a thread last passed control to another. */
  get stepHandedOver(): number {
    return this.words[STEP]!;
  }

  /** Steps taken so far. */
  get step(): number {
    return this.#until - this.left;
  }

  /** Up to this step the running CPU makes its accesses without asking. */
  set plainUntil(step: number) {
    this.left = step - this.step;
    this.#until = step;
  }

  /** Ask the strategy at the next access. */
  askNext(): void {
    this.plainUntil = this.step;
  }

  /** The host CPU that is running. */
  get current(): number {
    return this.words[CURRENT]!;
  }
  set current(cpu: number) {
    this.words[CURRENT] = cpu;
  }

  /** The run is over, maybe in the middle of a piece: no CPU may go on. */
  get over(): boolean {
    return this.words[OVER] !== 0;
  }
  set over(over: boolean) {
    this.words[OVER] = over ? 1 : 0;
  }

  /** In an abridged run a vCPU has come to a column's end; again when a piece is replayed. */
  noteEnd(vcpu: number, column: number, columns: number): void {
    const { words } = this;
    words[COLUMNS] = 2 ** columns - 1;
    if (((words[ENDED]! >>> column) & 1) === 1) return;
    words[ENDED]! |= 1 << column;
    words[AT_END]! |= 1 << vcpu;
  }
  isAtEnd(vcpu: number): boolean {
    return ((this.words[AT_END]! >>> vcpu) & 1) === 1;
  }
  /** In an abridged run all columns are at their end. */
  get haveEnded(): boolean {
    return this.words[ENDED] !== 0 && this.words[ENDED] === this.words[COLUMNS];
  }

  /** The number of this run, for threads; 0 when there are no more runs. */
  get run(): number {
    return this.words[RUN]!;
  }
  set run(number: number) {
    this.words[RUN] = number;
  }

  get seed(): number {
    return this.words[SEED]!;
  }
  set seed(seed: number) {
    this.words[SEED] = seed;
  }

  /** The host CPU in whose thread an error ended the run; 0, whose thread begins runs, if none. */
  get failed(): number {
    return this.words[FAILED]!;
  }
  set failed(cpu: number) {
    this.words[FAILED] = cpu;
  }

  /** Where a host CPU's words begin. */
  taskAt(cpu: number): number {
    return HEADER_WORDS + cpu * TASK_WORDS;
  }

  bufferAt(cpu: number): number {
    return this.taskAt(this.#cpus) + cpu * BUFFER_WORDS;
  }

  /** There is no room for a further switch. */
  get isFull(): boolean {
    return this.#switchesAt + this.words[SWITCHES]! >= this.#drawnAt;
  }

  /** At this step control passes to `actor`. */
  noteSwitch(actor: number): void {
    const count = this.words[SWITCHES]!;
    this.words[this.#switchesAt + count] = this.step;
    this.words[this.#switchesAt + count + 1] = actor;
    this.words[SWITCHES] = count + 2;
  }

  /** Pairs: step, actor. */
  get switches(): number[] {
    return this.#numbers(this.#switchesAt, this.words[SWITCHES]!);
  }

  noteDrawn(value: number): void {
    this.words[this.#drawnAt + this.words[DRAWN]!++] = value;
  }

  get drawn(): number[] {
    return this.#numbers(this.#drawnAt, this.words[DRAWN]!);
  }

  #numbers(at: number, count: number): number[] {
    const numbers: number[] = [];
    for (let i = 0; i < count; i++) numbers.push(this.words[at + i]!);
    return numbers;
  }

  /**
   * Add a step to the digest: `who` is its actor and kind of access. Both halves are mixed at once,
   * each with the other's upper bits, which a product does not carry down.
   */
  take(who: number, at: number, value: number, result: number): void {
    this.left--;
    const low = this.low;
    const high = this.high;
    const access = low ^ (at + Math.imul(who, 0x9e37_79b1));
    const came = high ^ (value + Math.imul(result, 0x85eb_ca77));
    this.low = Math.imul(access + (high >>> 7), 0xcc9e_2d51);
    this.high = Math.imul(came + (low >>> 11), 0x1b87_3593);
  }

  /** The digest of all steps so far: actor, kind, place, value and result. 16 hex digits. */
  get digest(): string {
    return hexWord(this.high) + hexWord(this.low);
  }

  /** 32 bits of it. */
  get shortDigest(): number {
    return this.low ^ this.high;
  }
}
