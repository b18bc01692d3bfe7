/**
 * The leaf: every access of a word that two threads share goes through here. Atomic operations are
 * sequentially consistent. `read` and `write` are plain, as hardware's own loads and stores;
 * `peek` and `poke` are for words that no other CPU accesses at the time.
 *
 * See docs/decisions/one-leaf.md.
 */

import type { Ptr } from '../src/hardware/address.ts';
import type { Entry } from '../src/hardware/entry.ts';
import * as entries from '../src/hardware/entry.ts';
import type { WasmMemory } from '../src/wasm.ts';
import { type AtomicsExports, instantiateAtomics } from './atomics-wasm.ts';
import type { Section } from './host-cpu.ts';
import type { Lock } from './lock.ts';

const { Entry: EntryValue } = entries;

/** Memory is made in units of WebAssembly pages. */
const WASM_PAGE_WORDS = 0x10000 / 4;

/** The machine's one shared buffer. It never grows. */
export function makeMemory(words: number): WasmMemory {
  const pages = Math.ceil(words / WASM_PAGE_WORDS);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/** One instance for each memory serves all views in this thread, and is one call target to V8. */
const instances = new WeakMap<WasmMemory, AtomicsExports>();

function atomicsOver(memory: WasmMemory): AtomicsExports {
  const made = instances.get(memory) ?? instantiateAtomics(memory);
  instances.set(memory, made);
  return made;
}

/**
 * Splits a 64-bit load. As a double it is one instruction and no call; only NaNs may come out
 * with a changed bit.
 */
const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);
const NOT_A_NUMBER = 0x7ff0_0000;

/** A condition on some words, to wait for. */
export interface Until {
  readonly words: readonly Ptr[];
  /** `found`: the values of these words, in their order. */
  readonly holds: (found: readonly number[]) => boolean;
}

export class Words {
  declare readonly memory: WasmMemory;
  /** The whole memory; unsigned so that a plain load needs no conversion. */
  declare readonly plain: Uint32Array;
  declare private readonly signed: Int32Array;
  declare private readonly doubles: Float64Array;
  declare private readonly atomics: AtomicsExports;
  /** Those that hot code calls, one load away. */
  declare private readonly loadWord: AtomicsExports['load'];
  declare private readonly storeWord: AtomicsExports['store'];
  declare private readonly exchangeWord: AtomicsExports['exchange'];
  declare private readonly replaceWord: AtomicsExports['compareExchange'];
  declare private readonly addWord: AtomicsExports['add'];
  declare private readonly scratch: Ptr;

  /** `scratch`: two words, on an even place, that belong to the calling thread alone. */
  constructor(memory: WasmMemory, scratch: Ptr) {
    this.memory = memory;
    this.plain = new Uint32Array(memory.buffer);
    this.signed = new Int32Array(memory.buffer);
    this.doubles = new Float64Array(memory.buffer);
    this.atomics = atomicsOver(memory);
    this.loadWord = this.atomics.load;
    this.storeWord = this.atomics.store;
    this.exchangeWord = this.atomics.exchange;
    this.replaceWord = this.atomics.compareExchange;
    this.addWord = this.atomics.add;
    this.scratch = scratch;
  }

  /** Whether this is the leaf itself: records access what needs no locked operation past it. */
  get isLeaf(): boolean {
    return this.constructor === Words;
  }

  peek(at: Ptr): number {
    return this.plain[at]!;
  }

  poke(at: Ptr, value: number): void {
    this.plain[at] = value;
  }

  read(at: Ptr): number {
    return this.plain[at]!;
  }

  write(at: Ptr, value: number): void {
    this.plain[at] = value;
  }

  /** A 64-bit entry, whole, as one plain load; `at` is even. */
  read64(at: Ptr): Entry {
    double[0] = this.doubles[at >>> 1]!;
    if ((halves[1]! & NOT_A_NUMBER) === NOT_A_NUMBER) this.#loadHalves(at);
    return new EntryValue(halves[0]!, halves[1]!);
  }

  load(at: Ptr): number {
    return this.loadWord(at) >>> 0;
  }

  store(at: Ptr, value: number): void {
    this.storeWord(at, value);
  }

  /** Returns the value before, as do the others below. */
  exchange(at: Ptr, value: number): number {
    return this.exchangeWord(at, value) >>> 0;
  }

  compareExchange(at: Ptr, expected: number, value: number): number {
    return this.replaceWord(at, expected, value) >>> 0;
  }

  add(at: Ptr, value: number): number {
    return this.addWord(at, value) >>> 0;
  }

  /** The same, its result not used: to the search through all behaviours such adds commute. */
  addBlind(at: Ptr, value: number): void {
    this.add(at, value);
  }

  /** Add to a count that `countDown` subtracts from. */
  countUp(at: Ptr, value: number): void {
    this.add(at, value);
  }

  /**
   * Subtract `value`; returns the old value, which is used only if it is `least` or less. Both are
   * the same in all calls for a word. To the search through all behaviours these commute with one
   * another, `countUp` and `addIf`, as long as they find more than `least` in any order.
   */
  countDown(at: Ptr, value: number, _least: number): number {
    return this.add(at, -value);
  }

  and(at: Ptr, value: number): number {
    return this.atomics.and(at, value) >>> 0;
  }

  or(at: Ptr, value: number): number {
    return this.atomics.or(at, value) >>> 0;
  }

  /** A 64-bit entry, whole. `at` is even, here and below. */
  load64(at: Ptr): Entry {
    const low = this.atomics.load64(at, this.scratch);
    return new EntryValue(low, this.plain[this.scratch + 1]!);
  }

  #loadHalves(at: Ptr): void {
    halves[0] = this.atomics.load64(at, this.scratch);
    halves[1] = this.plain[this.scratch + 1]!;
  }

  store64(at: Ptr, entry: Entry): void {
    this.atomics.store64(at, entry.low, entry.high);
  }

  exchange64(at: Ptr, entry: Entry): Entry {
    const low = this.atomics.exchange64(at, entry.low, entry.high, this.scratch);
    return new EntryValue(low, this.plain[this.scratch + 1]!);
  }

  compareExchange64(at: Ptr, expected: Entry, entry: Entry): boolean {
    return (
      this.atomics.compareExchange64(at, expected.low, expected.high, entry.low, entry.high) === 1
    );
  }

  /** Which of `count` words, `stride` apart, is the first with bit 0 set; `count` if none. */
  scan(at: Ptr, count: number, stride: number): number {
    for (let i = 0; i < count; i++) if (this.plain[at + i * stride]! & 1) return i;
    return count;
  }

  /** As many peeks and pokes, at once. */
  move(to: Ptr, from: Ptr, words: number): void {
    this.atomics.copy(to, from, words);
  }

  fill(at: Ptr, words: number, value: number): void {
    this.plain.fill(value, at, at + words);
  }

  copy(to: Ptr, from: Ptr, words: number): void {
    this.atomics.copy(to, from, words);
  }

  /** REGISTERS_WORDS words; the two places do not overlap. */
  copyRegisters(to: Ptr, from: Ptr): void {
    this.atomics.copyRegisters(to, from);
  }

  /**
   * Poll a word up to `looks` times, until it is no longer `expected`. Between two polls the core's
   * other hardware thread, which may be the writer, has the core to itself.
   */
  spin(at: Ptr, expected: number, looks: number): void {
    for (let i = 0; i < looks && this.load(at) === expected; i++) Atomics.pause();
  }

  /** Sleep until a notify, or until the word is no longer `expected`, or for `ms` at most. */
  wait(at: Ptr, expected: number, ms: number): void {
    Atomics.wait(this.signed, at, expected | 0, ms);
  }

  /** `cpu_relax`: an attempt failed; let others make progress. */
  relax(): void {}

  /** An attempt fails until this holds: an abridged run waits for it. */
  waitUntil(_until: Until): void {}

  /**
   * Change a lock's word from `free` to `mine`; returns whether it was free. An abridged run
   * (docs/decisions/abridged-runs.md) waits until it is.
   */
  tryLock(at: Ptr, free: number, mine: number): boolean {
    return this.compareExchange(at, free, mine) === free;
  }

  /** Add `value`, which is above `bits`, if one of these is set; returns whether it was. */
  addIf(at: Ptr, bits: number, value: number): boolean {
    for (;;) {
      const found = this.read(at);
      if ((found & bits) === 0) return false;
      if (this.compareExchange(at, found, found + value) === found) return true;
    }
  }

  /** A load of a word; the caller uses only the bits that no other thread changes. */
  glance(at: Ptr): number {
    return this.load(at);
  }

  /**
   * lockdep_assert_held: the caller, `where`, must hold this lock, or be inside this section.
   * Checked only under control, in every schedule, as are the guards of record fields
   * (src/explore/engine/lockdep.ts).
   */
  mustHold(_lock: Lock, _where: string): void {}
  mustBeInside(_section: Section | undefined, _where: string): void {}

  /**
   * A vCPU is at the end of a litmus test's column, one of so many. True in an abridged run, in
   * which it only has to halt: the run is over when all have.
   */
  endColumn(_vcpu: number, _column: number, _columns: number): boolean {
    return false;
  }

  /** In an abridged run, whether it is at the end of its column, and nothing has to wake it. */
  isAtEnd(_vcpu: number): boolean {
    return false;
  }

  /** Wake sleepers on `at` if the word `asked` is not 0; a sleeper sets it first. */
  notifyIfAsked(at: Ptr, asked: Ptr): void {
    if (this.read(asked) !== 0) this.notify(at);
  }

  /**
   * Sleep until the word at `at`, which never takes a value twice, is no longer `expected`. `ask`
   * is called before each sleep of at most `ms`, and `gaveUp` after it; it throws to end the wait.
   */
  waitForChange(at: Ptr, expected: number, ms: number, ask: () => void, gaveUp: () => void): void {
    while (this.load(at) === expected) {
      ask();
      this.wait(at, expected, ms);
      gaveUp();
    }
  }

  /** Wake at most `count` sleepers. */
  notify(at: Ptr, count = Number.POSITIVE_INFINITY): void {
    Atomics.notify(this.signed, at, count);
  }
}
