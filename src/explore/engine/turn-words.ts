/**
 * The leaf under control: each access of a shared word is a scheduling point, at which the
 * turn may pass to another host CPU. An access that was done before is not done again.
 * Where stores are buffered, plain ones wait there, and plain loads look there first.
 */

import { type Ptr, toPtr } from '../../../shared/address.ts';
import { Entry } from '../../../shared/entry.ts';
import { Words } from '../../../shared/words.ts';
import { Access } from './access.ts';
import { NOT_BUFFERED } from './store-buffer.ts';
import type { Task } from './task.ts';

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
    if (task.owns(at)) return super.peek(at);
    return task.isAgain ? task.again() : task.keep(this.#newest(at));
  }

  override poke(at: Ptr, value: number): void {
    const task = this.#task;
    if (task.owns(at)) return super.poke(at, value);
    if (task.isAgain) return void task.again();
    if (this.#isBuffered(at)) task.turn.flush(task);
    task.hasBegun = true;
    task.turn.touch(at);
    super.poke(at, value);
    task.keep(0);
  }

  override read(at: Ptr): number {
    if (this.#task.isAgain) return this.#task.again();
    this.#begin(Access.Read, at);
    return this.#end(Access.Read, at, 0, this.#newest(at));
  }

  override write(at: Ptr, value: number): void {
    const task = this.#task;
    if (task.isAgain) return void task.again();
    this.#begin(Access.Write, at);
    if (this.#buffers) task.stores.push(at, value);
    else super.write(at, value);
    this.#end(Access.Write, at, value, value);
  }

  override load(at: Ptr): number {
    if (this.#task.isAgain) return this.#task.again();
    this.#begin(Access.Load, at);
    return this.#end(Access.Load, at, 0, this.#buffers ? this.#newest(at) : super.load(at));
  }

  override store(at: Ptr, value: number): void {
    if (this.#task.isAgain) return void this.#task.again();
    this.#begin(Access.Store, at);
    super.store(at, value);
    this.#end(Access.Store, at, value, value);
  }

  override exchange(at: Ptr, value: number): number {
    if (this.#task.isAgain) return this.#task.again();
    this.#begin(Access.Exchange, at);
    return this.#end(Access.Exchange, at, value, super.exchange(at, value));
  }

  override compareExchange(at: Ptr, expected: number, value: number): number {
    if (this.#task.isAgain) return this.#task.again();
    this.#begin(Access.CompareExchange, at);
    const found = super.compareExchange(at, expected, value);
    return this.#end(Access.CompareExchange, at, value, found);
  }

  override add(at: Ptr, value: number): number {
    if (this.#task.isAgain) return this.#task.again();
    this.#begin(Access.Add, at);
    return this.#end(Access.Add, at, value, super.add(at, value));
  }

  override and(at: Ptr, value: number): number {
    if (this.#task.isAgain) return this.#task.again();
    this.#begin(Access.And, at);
    return this.#end(Access.And, at, value, super.and(at, value));
  }

  override or(at: Ptr, value: number): number {
    if (this.#task.isAgain) return this.#task.again();
    this.#begin(Access.Or, at);
    return this.#end(Access.Or, at, value, super.or(at, value));
  }

  override read64(at: Ptr): Entry {
    if (this.#task.isAgain) return this.#again64();
    this.#begin(Access.Read, at);
    if (this.#isBuffered(at) || this.#isBuffered(toPtr(at + 1))) this.#task.turn.flush(this.#task);
    return this.#end64(Access.Read, at, 0, super.read64(at));
  }

  override load64(at: Ptr): Entry {
    if (this.#task.isAgain) return this.#again64();
    this.#begin(Access.Load, at);
    if (this.#isBuffered(at) || this.#isBuffered(toPtr(at + 1))) this.#task.turn.flush(this.#task);
    return this.#end64(Access.Load, at, 0, super.load64(at));
  }

  override store64(at: Ptr, entry: Entry): void {
    if (this.#task.isAgain) return void this.#task.again();
    this.#begin(Access.Store, at);
    super.store64(at, entry);
    this.#end(Access.Store, at, entry.low, entry.low);
  }

  override exchange64(at: Ptr, entry: Entry): Entry {
    if (this.#task.isAgain) return this.#again64();
    this.#begin(Access.Exchange, at);
    return this.#end64(Access.Exchange, at, entry.low, super.exchange64(at, entry));
  }

  override compareExchange64(at: Ptr, expected: Entry, entry: Entry): boolean {
    if (this.#task.isAgain) return this.#task.again() === 1;
    this.#begin(Access.CompareExchange, at);
    const done = super.compareExchange64(at, expected, entry);
    this.#end(Access.CompareExchange, at, entry.low, done ? 1 : 0);
    return done;
  }

  override scan(at: Ptr, count: number, stride: number): number {
    if (this.#task.isAgain) return this.#task.again();
    this.#begin(Access.Scan, at);
    return this.#end(Access.Scan, at, 0, super.scan(at, count, stride));
  }

  override fill(at: Ptr, words: number, value: number): void {
    if (this.#task.owns(at)) return super.fill(at, words, value);
    if (this.#task.isAgain) return void this.#task.again();
    this.#begin(Access.Fill, at);
    super.fill(at, words, value);
    this.#end(Access.Fill, at, value, value);
  }

  override copy(to: Ptr, from: Ptr, words: number): void {
    const task = this.#task;
    if (!task.owns(to)) {
      if (task.isAgain) return void task.again();
      this.#begin(Access.Copy, to);
      super.copy(to, from, words);
      this.#end(Access.Copy, to, 0, 0);
      return;
    }
    // Into registers: what was there then, not what is there now.
    for (let i = 0; i < words; i++) {
      const source = toPtr(from + i);
      const value = i === 0 ? this.read(source) : this.peek(source);
      super.poke(toPtr(to + i), value);
    }
  }

  /** Nobody sleeps with the turn: it passes on until the word has changed. */
  override wait(at: Ptr, expected: number, _ms: number): void {
    const task = this.#task;
    if (task.isAgain) return void task.again();
    if (super.read(at) === expected >>> 0) task.turn.wait(task, at, expected >>> 0);
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

  #begin(kind: Access, at: Ptr): void {
    this.#task.turn.point(this.#task, kind, at);
  }

  #end(kind: Access, at: Ptr, value: number, result: number): number {
    this.#task.turn.done(this.#task.index, kind, at, value, result);
    return this.#task.keep(result);
  }

  #end64(kind: Access, at: Ptr, value: number, entry: Entry): Entry {
    this.#task.turn.done(this.#task.index, kind, at, value, entry.low);
    this.#task.keep(entry.low);
    this.#task.keep(entry.high);
    return entry;
  }

  #again64(): Entry {
    const low = this.#task.again();
    return new Entry(low, this.#task.again());
  }

  /** The word as this CPU sees it. */
  #newest(at: Ptr): number {
    const buffered = this.#buffers ? this.#task.stores.find(at) : NOT_BUFFERED;
    return buffered === NOT_BUFFERED ? super.read(at) : buffered;
  }

  #isBuffered(at: Ptr): boolean {
    return this.#buffers && this.#task.stores.find(at) !== NOT_BUFFERED;
  }
}
