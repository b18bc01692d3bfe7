/**
 * The leaf under control: each access of a shared word is a scheduling point, at which the
 * turn may pass to another host CPU. An access that was done before is not done again.
 * Where stores are buffered, plain ones wait there, and plain loads look there first.
 */

import { type Ptr, toPtr } from '../../../shared/address.ts';
import { Entry } from '../../../shared/entry.ts';
import { Words } from '../../../shared/words.ts';
import * as access from './access.ts';
import { NOT_BUFFERED } from './store-buffer.ts';
import type { Task } from './task.ts';

// The module's own, so that the compiler knows their values.
const { Read, Write, Load, Store, Exchange, CompareExchange, Add, And, Or, Scan, Fill, Copy } =
  access.Access;

/**
 * Only who has the turn is here, so nothing can come between the parts of an operation: plain
 * reads and writes will do for all of them.
 */
export class TurnWords extends Words {
  readonly #task: Task;
  readonly #buffers: boolean;

  constructor(memory: WebAssembly.Memory, scratch: Ptr, task: Task) {
    super(memory, scratch);
    this.#task = task;
    this.#buffers = task.turn.memory === 'tso';
  }

  override peek(at: Ptr): number {
    const task = this.#task;
    if (task.owns(at)) return this.plain[at]!;
    return task.isAgain ? task.again() >>> 0 : task.keep(this.#newest(at));
  }

  override poke(at: Ptr, value: number): void {
    const task = this.#task;
    if (task.owns(at)) {
      this.plain[at] = value;
      return;
    }
    if (task.isAgain) return void task.again();
    if (this.#isBuffered(at)) task.turn.flush(task);
    task.hasBegun = true;
    task.turn.touch(at);
    this.plain[at] = value;
    task.keep(0);
  }

  override read(at: Ptr): number {
    const task = this.#task;
    if (task.isAgain) return task.again() >>> 0;
    this.#begin(Read, at);
    return this.#done(Read, at, 0, this.#newest(at));
  }

  override write(at: Ptr, value: number): void {
    const task = this.#task;
    if (task.isAgain) return void task.again();
    this.#begin(Write, at);
    if (this.#buffers) task.stores.push(at, value);
    else this.plain[at] = value;
    this.#changed(Write, at, value, value);
  }

  override load(at: Ptr): number {
    const task = this.#task;
    if (task.isAgain) return task.again() >>> 0;
    this.#begin(Load, at);
    return this.#done(Load, at, 0, this.#newest(at));
  }

  override store(at: Ptr, value: number): void {
    const task = this.#task;
    if (task.isAgain) return void task.again();
    this.#begin(Store, at);
    this.plain[at] = value;
    this.#changed(Store, at, value, value);
  }

  override exchange(at: Ptr, value: number): number {
    const task = this.#task;
    if (task.isAgain) return task.again() >>> 0;
    this.#begin(Exchange, at);
    const found = this.plain[at]!;
    this.plain[at] = value;
    return this.#changed(Exchange, at, value, found);
  }

  override compareExchange(at: Ptr, expected: number, value: number): number {
    const task = this.#task;
    if (task.isAgain) return task.again() >>> 0;
    this.#begin(CompareExchange, at);
    const found = this.plain[at]!;
    if (found === expected >>> 0) this.plain[at] = value;
    return this.#changed(CompareExchange, at, value, found);
  }

  override add(at: Ptr, value: number): number {
    const task = this.#task;
    if (task.isAgain) return task.again() >>> 0;
    this.#begin(Add, at);
    const found = this.plain[at]!;
    this.plain[at] = found + value;
    return this.#changed(Add, at, value, found);
  }

  override and(at: Ptr, value: number): number {
    const task = this.#task;
    if (task.isAgain) return task.again() >>> 0;
    this.#begin(And, at);
    const found = this.plain[at]!;
    this.plain[at] = found & value;
    return this.#changed(And, at, value, found);
  }

  override or(at: Ptr, value: number): number {
    const task = this.#task;
    if (task.isAgain) return task.again() >>> 0;
    this.#begin(Or, at);
    const found = this.plain[at]!;
    this.plain[at] = found | value;
    return this.#changed(Or, at, value, found);
  }

  override read64(at: Ptr): Entry {
    return this.#take64(Read, at);
  }

  override load64(at: Ptr): Entry {
    return this.#take64(Load, at);
  }

  override store64(at: Ptr, entry: Entry): void {
    const task = this.#task;
    if (task.isAgain) return void task.again();
    this.#begin(Store, at);
    this.#setEntry(at, entry);
    this.#changed(Store, at, entry.low, entry.low);
  }

  override exchange64(at: Ptr, entry: Entry): Entry {
    const task = this.#task;
    if (task.isAgain) return this.#again64();
    this.#begin(Exchange, at);
    const found = this.#entry(at);
    this.#setEntry(at, entry);
    this.#changed(Exchange, at, entry.low, found.low);
    task.keep(found.high);
    return found;
  }

  override compareExchange64(at: Ptr, expected: Entry, entry: Entry): boolean {
    const task = this.#task;
    if (task.isAgain) return task.again() === 1;
    this.#begin(CompareExchange, at);
    const { low, high } = this.#entry(at);
    const same = low === expected.low && high === expected.high;
    if (same) this.#setEntry(at, entry);
    this.#changed(CompareExchange, at, entry.low, same ? 1 : 0);
    return same;
  }

  override scan(at: Ptr, count: number, stride: number): number {
    const task = this.#task;
    if (task.isAgain) return task.again();
    this.#begin(Scan, at);
    return this.#done(Scan, at, 0, super.scan(at, count, stride));
  }

  override move(to: Ptr, from: Ptr, words: number): void {
    const task = this.#task;
    if (this.#buffers || task.owns(to) || task.owns(from)) {
      this.#moveOneByOne(to, from, words);
      return;
    }
    if (task.isAgain) return void task.again();
    task.hasBegun = true;
    task.turn.touch(to, words);
    for (let i = 0; i < words; i++) this.plain[to + i] = this.plain[from + i]!;
    task.keep(0);
  }

  /** Words that are buffered, or this CPU's own. */
  #moveOneByOne(to: Ptr, from: Ptr, words: number): void {
    for (let i = 0; i < words; i++) this.poke(toPtr(to + i), this.peek(toPtr(from + i)));
  }

  override fill(at: Ptr, words: number, value: number): void {
    const task = this.#task;
    if (task.owns(at)) return super.fill(at, words, value);
    if (task.isAgain) return void task.again();
    this.#begin(Fill, at);
    super.fill(at, words, value);
    this.#changed(Fill, at, value, value, words);
  }

  override copy(to: Ptr, from: Ptr, words: number): void {
    const task = this.#task;
    if (!task.owns(to)) {
      if (task.isAgain) return void task.again();
      this.#begin(Copy, to);
      super.copy(to, from, words);
      this.#changed(Copy, to, 0, 0, words);
      return;
    }
    // Into registers: what was there then, not what is there now.
    for (let i = 0; i < words; i++) {
      const source = toPtr(from + i);
      this.plain[to + i] = i === 0 ? this.read(source) : this.peek(source);
    }
  }

  /** Nobody sleeps with the turn: it passes on until the word has changed. */
  override wait(at: Ptr, expected: number, _ms: number): void {
    const task = this.#task;
    if (task.isAgain) return void task.again();
    if (this.plain[at] === expected >>> 0) task.turn.wait(task, at, expected >>> 0);
    task.keep(0);
  }

  override relax(): void {
    const task = this.#task;
    if (task.isAgain) return void task.again();
    task.turn.relax(task);
    task.keep(0);
  }

  override notify(_at: Ptr, _count?: number): void {
    // Who waits looks at the word itself.
  }

  #begin(kind: access.Access, at: Ptr): void {
    const task = this.#task;
    if (!task.state.isPlain) task.turn.point(task, kind, at);
    task.hasBegun = true;
  }

  #done(kind: access.Access, at: Ptr, value: number, result: number): number {
    const task = this.#task;
    const { index, state } = task;
    state.take((index << 8) | kind, at, value, result);
    // Who is watched never has it plain.
    if (state.plainUntil === 0) task.turn.tell(index, kind, at, value, result);
    return task.keep(result);
  }

  #changed(kind: access.Access, at: Ptr, value: number, result: number, words = 2): number {
    this.#task.turn.touch(at, words);
    return this.#done(kind, at, value, result);
  }

  #take64(kind: access.Access, at: Ptr): Entry {
    const task = this.#task;
    if (task.isAgain) return this.#again64();
    this.#begin(kind, at);
    if (this.#isBuffered(at) || this.#isBuffered(toPtr(at + 1))) task.turn.flush(task);
    const found = this.#entry(at);
    this.#done(kind, at, 0, found.low);
    task.keep(found.high);
    return found;
  }

  #again64(): Entry {
    const low = this.#task.again();
    return new Entry(low, this.#task.again());
  }

  #entry(at: Ptr): Entry {
    return new Entry(this.plain[at]!, this.plain[at + 1]!);
  }

  #setEntry(at: Ptr, { low, high }: Entry): void {
    this.plain[at] = low;
    this.plain[at + 1] = high;
  }

  /** The word as this CPU sees it. */
  #newest(at: Ptr): number {
    const buffered = this.#buffers ? this.#task.stores.find(at) : NOT_BUFFERED;
    return buffered === NOT_BUFFERED ? this.plain[at]! : buffered;
  }

  #isBuffered(at: Ptr): boolean {
    return this.#buffers && this.#task.stores.find(at) !== NOT_BUFFERED;
  }
}
