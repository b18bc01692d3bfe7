/**
 * The leaf under control: each access of a shared word is a scheduling point, at which
 * control may pass to another host CPU. An access that is replayed from the log is not made
 * again. With store buffers, plain stores go into the buffer and plain loads look there first.
 */

import { REGISTERS_WORDS, type Section } from '../../../shared/host-cpu.ts';
import type { Lock } from '../../../shared/lock.ts';
import { Words } from '../../../shared/words.ts';
import { type Ptr, toPtr } from '../../hardware/address.ts';
import { Entry } from '../../hardware/entry.ts';
import type { WasmMemory } from '../../wasm.ts';
import * as access from './access.ts';
import { bufferOf } from './actors.ts';
import type { ControlState } from './control-state.ts';
import type { Guards } from './lockdep.ts';
import { AS_STEP } from './results.ts';
import { NOT_BUFFERED } from './store-buffer.ts';
import type { Task } from './task.ts';
import type { Trace } from './trace.ts';

// The module's own: constants to V8.
const { Read, Write, Load, Store, Exchange, CompareExchange, Add, And, Or, Scan, Fill, Copy } =
  access.Access;

/**
 * Only the running CPU executes this code, so every operation is atomic although it is made of
 * plain reads and writes.
 */
export class ControlledWords extends Words {
  declare readonly task: Task;
  declare readonly state: ControlState;
  declare readonly buffers: boolean;
  declare protected readonly trace: Trace;
  /** The number of its CPU. */
  declare protected readonly cpu: number;
  declare protected readonly guards: Guards;

  constructor(memory: WasmMemory, scratch: Ptr, task: Task) {
    super(memory, scratch);
    this.task = task;
    this.state = task.state;
    this.trace = task.state.trace;
    this.cpu = task.index;
    this.buffers = task.controller.memory === 'tso';
    this.guards = task.controller.lockdep.of(task.index);
  }

  override peek(at: Ptr): number {
    const { asides } = this.task;
    if (this.task.owns(at)) return this.plain[at]!;
    if (asides.isAgain) return asides.again() >>> 0;
    this.guards.look(at);
    return asides.keep(this.isBuffered(at) ? this.task.stores.find(at) : this.plain[at]!);
  }

  override poke(at: Ptr, value: number): void {
    const task = this.task;
    if (task.owns(at)) {
      this.plain[at] = value;
      return;
    }
    const { asides } = task;
    if (asides.isAgain) return asides.again() === AS_STEP ? this.store(at, value) : undefined;
    if (this.isBuffered(at) && !task.controller.flushAside(task)) {
      asides.keep(AS_STEP);
      return this.store(at, value);
    }
    this.guards.change(at);
    task.hasPoked = true;
    task.controller.touch(at);
    this.trace.aside(at, 1);
    this.plain[at] = value;
    asides.keep(0);
  }

  override read(at: Ptr): number {
    if (this.isAgain(Read, at)) return this.again() >>> 0;
    return this.done(Read, at, 0, this.newest(at));
  }

  override write(at: Ptr, value: number): void {
    if (this.isAgain(Write, at)) return void this.again();
    if (this.buffers) {
      this.task.stores.push(at, value);
      this.trace.buffer();
    } else this.put(at, value);
    this.changed(Write, at, value, value);
  }

  override load(at: Ptr): number {
    if (this.isAgain(Load, at)) return this.again() >>> 0;
    return this.done(Load, at, 0, this.newest(at));
  }

  override store(at: Ptr, value: number): void {
    if (this.isAgain(Store, at)) return void this.again();
    this.put(at, value);
    this.changed(Store, at, value, value);
  }

  override exchange(at: Ptr, value: number): number {
    if (this.isAgain(Exchange, at)) return this.again() >>> 0;
    const found = this.plain[at]!;
    this.put(at, value);
    return this.changed(Exchange, at, value, found);
  }

  override compareExchange(at: Ptr, expected: number, value: number): number {
    if (this.isAgain(CompareExchange, at)) return this.again() >>> 0;
    const found = this.plain[at]!;
    this.put(at, found === expected >>> 0 ? value : found);
    return this.changed(CompareExchange, at, value, found);
  }

  override add(at: Ptr, value: number): number {
    if (this.isAgain(Add, at)) return this.again() >>> 0;
    const found = this.plain[at]!;
    this.put(at, found + value);
    return this.changed(Add, at, value, found);
  }

  override and(at: Ptr, value: number): number {
    if (this.isAgain(And, at)) return this.again() >>> 0;
    const found = this.plain[at]!;
    this.put(at, found & value);
    return this.changed(And, at, value, found);
  }

  override or(at: Ptr, value: number): number {
    if (this.isAgain(Or, at)) return this.again() >>> 0;
    const found = this.plain[at]!;
    this.put(at, found | value);
    return this.changed(Or, at, value, found);
  }

  override read64(at: Ptr): Entry {
    return this.take64(Read, at);
  }

  override load64(at: Ptr): Entry {
    return this.take64(Load, at);
  }

  override store64(at: Ptr, entry: Entry): void {
    if (this.isAgain(Store, at)) return void this.again();
    this.setEntry(at, entry);
    this.changed(Store, at, entry.low, entry.low);
  }

  override exchange64(at: Ptr, entry: Entry): Entry {
    if (this.isAgain(Exchange, at)) return this.again64();
    const found = this.entry(at);
    this.setEntry(at, entry);
    this.changed(Exchange, at, entry.low, found.low);
    this.task.asides.keep(found.high);
    return found;
  }

  override compareExchange64(at: Ptr, expected: Entry, entry: Entry): boolean {
    if (this.isAgain(CompareExchange, at)) return this.again() === 1;
    const found = new Entry(this.plain[at]!, this.plain[at + 1]!);
    const same = found.low === expected.low && found.high === expected.high;
    this.setEntry(at, same ? entry : found);
    this.changed(CompareExchange, at, entry.low, same ? 1 : 0);
    return same;
  }

  override scan(at: Ptr, count: number, stride: number): number {
    this.waitDrained(Scan, at);
    if (this.isAgain(Scan, at)) return this.again();
    const found = super.scan(at, count, stride);
    this.trace.readMany(this.cpu, at, Math.min(found, count - 1) * stride + 1);
    return this.done(Scan, at, 0, found);
  }

  override move(to: Ptr, from: Ptr, words: number): void {
    const task = this.task;
    // Words that are buffered, or this CPU's own, go one by one.
    if (this.buffers || task.owns(to) || task.owns(from)) {
      for (let i = 0; i < words; i++) this.poke(toPtr(to + i), this.peek(toPtr(from + i)));
      return;
    }
    if (task.asides.isAgain) return void task.asides.again();
    task.hasPoked = true;
    task.controller.touch(to, words);
    this.trace.aside(to, words);
    for (let i = 0; i < words; i++) this.plain[to + i] = this.plain[from + i]!;
    task.asides.keep(0);
  }

  override fill(at: Ptr, words: number, value: number): void {
    if (this.task.owns(at)) return super.fill(at, words, value);
    if (this.isAgain(Fill, at)) return void this.again();
    this.trace.writeMany(this.cpu, at, words);
    super.fill(at, words, value);
    this.changed(Fill, at, value, value, words);
  }

  override copy(to: Ptr, from: Ptr, words: number): void {
    if (!this.task.owns(to)) {
      if (this.isAgain(Copy, to)) return void this.again();
      if (!this.task.owns(from)) this.trace.readMany(this.cpu, from, words);
      this.trace.writeMany(this.cpu, to, words);
      super.copy(to, from, words);
      this.changed(Copy, to, 0, 0, words);
      return;
    }
    // Into registers: the logged values, not the current ones.
    for (let i = 0; i < words; i++) {
      const source = toPtr(from + i);
      this.plain[to + i] = i === 0 ? this.read(source) : this.peek(source);
    }
  }

  override copyRegisters(to: Ptr, from: Ptr): void {
    this.copy(to, from, REGISTERS_WORDS);
  }

  /** A CPU that waits does not sleep: control passes to others until the word has changed. */
  override wait(at: Ptr, expected: number, _ms: number): void {
    const task = this.task;
    if (task.asides.isAgain) return void task.asides.again();
    if (this.plain[at] === expected >>> 0) task.controller.wait(task, at, expected >>> 0);
    task.asides.keep(0);
  }

  override relax(): void {
    const task = this.task;
    if (task.asides.isAgain) return void task.asides.again();
    task.controller.relax(task);
    task.asides.keep(0);
  }

  override mustHold(lock: Lock, where: string): void {
    if (!this.task.steps.isAgain) this.guards.mustHold(lock.at, where);
  }

  override mustBeInside(section: Section | undefined, where: string): void {
    if (!this.task.steps.isAgain) this.guards.mustBeInside(section, where);
  }

  override notify(_at: Ptr, _count?: number): void {
    // A waiting CPU is enabled by the word itself.
  }

  /**
   * Whether the access is replayed, and `again` returns its result. If not, it is made when this
   * returns, which is at once where nothing has to be decided.
   */
  protected isAgain(kind: access.Access, at: Ptr): boolean {
    return this.state.left <= 0 && this.asks(kind, at);
  }

  private asks(kind: access.Access, at: Ptr): boolean {
    const task = this.task;
    if (task.steps.isAgain) return true;
    task.controller.point(task, kind, at);
    return false;
  }

  protected again(): number {
    return this.task.steps.again();
  }

  protected done(kind: access.Access, at: Ptr, value: number, result: number): number {
    this.take(kind, at, value, result);
    this.guards.look(at);
    return this.task.steps.keep(result);
  }

  protected changed(
    kind: access.Access,
    at: Ptr,
    value: number,
    result: number,
    words = 2,
  ): number {
    this.task.controller.touch(at, words);
    this.take(kind, at, value, result);
    this.guards.change(at);
    return this.task.steps.keep(result);
  }

  private take(kind: access.Access, at: Ptr, value: number, result: number): void {
    this.state.take((this.cpu << 8) | kind, at, value, result);
    // With a watcher, every access asks.
    if (this.state.left <= 0) this.task.controller.tell(this.cpu, kind, at, value, result);
  }

  private take64(kind: access.Access, at: Ptr): Entry {
    const task = this.task;
    const isBuffered = this.isBuffered(at) || this.isBuffered(toPtr(at + 1));
    if (isBuffered) this.waitDrained(kind, at);
    if (this.isAgain(kind, at)) return this.again64();
    if (isBuffered) task.controller.flush(task);
    const found = this.entry(at);
    this.done(kind, at, 0, found.low);
    task.asides.keep(found.high);
    return found;
  }

  private again64(): Entry {
    const low = this.again();
    return new Entry(low, this.task.asides.again());
  }

  private entry(at: Ptr): Entry {
    return new Entry(this.get(at), this.get(toPtr(at + 1)));
  }

  private setEntry(at: Ptr, { low, high }: Entry): void {
    this.put(at, low);
    this.put(toPtr(at + 1), high);
  }

  /**
   * Before an access that flushes the store buffer, where each store drains in a step of its own.
   */
  protected waitDrained(_kind: access.Access, _at: Ptr): void {}

  /** The word as this CPU sees it. Two calls: V8 would box a variable for either result. */
  private newest(at: Ptr): number {
    return this.isBuffered(at) ? this.forwarded(at) : this.get(at);
  }

  private forwarded(at: Ptr): number {
    const { task } = this;
    const changes = task.stores.changesOf(at, this.plain[at]!);
    this.trace.readAhead(this.cpu, bufferOf(this.cpu, task.controller.cpus), at, changes);
    return task.stores.find(at);
  }

  private get(at: Ptr): number {
    this.trace.read(this.cpu, at);
    return this.plain[at]!;
  }

  protected put(at: Ptr, value: number): void {
    const before = this.plain[at]!;
    this.plain[at] = value;
    this.trace.write(this.cpu, at, before, this.plain[at]!);
  }

  private isBuffered(at: Ptr): boolean {
    return this.buffers && this.task.stores.find(at) !== NOT_BUFFERED;
  }
}
