/**
 * The leaf under control: each access of a shared word is a scheduling point, at which the
 * turn may pass to another host CPU. An access that was done before is not done again.
 */

import type { Ptr } from '../../shared/address.ts';
import { Entry } from '../../shared/entry.ts';
import { Words } from '../../shared/words.ts';
import { Access } from './access.ts';
import type { Task } from './task.ts';

export class TurnWords extends Words {
  readonly #task: Task;

  constructor(memory: WebAssembly.Memory, scratch: Ptr, task: Task) {
    super(memory, scratch);
    this.#task = task;
  }

  override peek(at: Ptr): number {
    const task = this.#task;
    if (task.owns(at)) return super.peek(at);
    return task.isAgain ? task.again() : task.keep(super.peek(at));
  }

  override poke(at: Ptr, value: number): void {
    const task = this.#task;
    if (task.owns(at)) return super.poke(at, value);
    if (task.isAgain) return void task.again();
    task.turn.touch(at);
    super.poke(at, value);
    task.keep(0);
  }

  override read(at: Ptr): number {
    return this.#do(Access.Read, at, 0, () => super.read(at));
  }

  override write(at: Ptr, value: number): void {
    this.#do(Access.Write, at, value, () => {
      super.write(at, value);
      return value;
    });
  }

  override load(at: Ptr): number {
    return this.#do(Access.Load, at, 0, () => super.load(at));
  }

  override store(at: Ptr, value: number): void {
    this.#do(Access.Store, at, value, () => {
      super.store(at, value);
      return value;
    });
  }

  override exchange(at: Ptr, value: number): number {
    return this.#do(Access.Exchange, at, value, () => super.exchange(at, value));
  }

  override compareExchange(at: Ptr, expected: number, value: number): number {
    return this.#do(Access.CompareExchange, at, value, () =>
      super.compareExchange(at, expected, value),
    );
  }

  override add(at: Ptr, value: number): number {
    return this.#do(Access.Add, at, value, () => super.add(at, value));
  }

  override and(at: Ptr, value: number): number {
    return this.#do(Access.And, at, value, () => super.and(at, value));
  }

  override or(at: Ptr, value: number): number {
    return this.#do(Access.Or, at, value, () => super.or(at, value));
  }

  override load64(at: Ptr): Entry {
    return this.#do64(Access.Load, at, 0, () => super.load64(at));
  }

  override store64(at: Ptr, entry: Entry): void {
    this.#do(Access.Store, at, entry.low, () => {
      super.store64(at, entry);
      return entry.low;
    });
  }

  override exchange64(at: Ptr, entry: Entry): Entry {
    return this.#do64(Access.Exchange, at, entry.low, () => super.exchange64(at, entry));
  }

  override compareExchange64(at: Ptr, expected: Entry, entry: Entry): boolean {
    const done = this.#do(Access.CompareExchange, at, entry.low, () =>
      super.compareExchange64(at, expected, entry) ? 1 : 0,
    );
    return done === 1;
  }

  override scan(at: Ptr, count: number, stride: number): number {
    return this.#do(Access.Scan, at, 0, () => super.scan(at, count, stride));
  }

  override fill(at: Ptr, words: number, value: number): void {
    if (this.#task.owns(at)) return super.fill(at, words, value);
    this.#do(Access.Fill, at, value, () => {
      super.fill(at, words, value);
      return value;
    });
  }

  override copy(to: Ptr, from: Ptr, words: number): void {
    const task = this.#task;
    if (!task.owns(to)) {
      this.#do(Access.Copy, to, 0, () => {
        super.copy(to, from, words);
        return 0;
      });
      return;
    }
    // Into registers: what was there then, not what is there now.
    for (let i = 0; i < words; i++) {
      const source = (from + i) as Ptr;
      const value = i === 0 ? this.read(source) : this.peek(source);
      super.poke((to + i) as Ptr, value);
    }
  }

  /** Nobody sleeps with the turn: it passes on until the word has changed. */
  override wait(at: Ptr, expected: number, _ms: number): void {
    const task = this.#task;
    if (task.isAgain) return void task.again();
    if (super.read(at) === expected >>> 0) task.turn.wait(task, at, expected >>> 0);
    task.keep(0);
  }

  override notify(_at: Ptr, _count?: number): void {
    // Who waits looks at the word itself.
  }

  #do(kind: Access, at: Ptr, value: number, access: () => number): number {
    const task = this.#task;
    if (task.isAgain) return task.again();
    task.turn.point(task, kind, at);
    const result = access();
    task.turn.done(task, kind, at, value, result);
    return task.keep(result);
  }

  #do64(kind: Access, at: Ptr, value: number, access: () => Entry): Entry {
    const task = this.#task;
    if (task.isAgain) {
      const low = task.again();
      return new Entry(low, task.again());
    }
    task.turn.point(task, kind, at);
    const entry = access();
    task.turn.done(task, kind, at, value, entry.low);
    task.keep(entry.low);
    task.keep(entry.high);
    return entry;
  }
}
