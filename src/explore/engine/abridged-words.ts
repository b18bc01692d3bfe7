/** The leaf of an abridged run: see docs/decisions/abridged-runs.md. */

import type { Until } from '../../../shared/words.ts';
import type { Ptr } from '../../hardware/address.ts';
import { Access } from './access.ts';
import { ControlledWords } from './controlled-words.ts';
import { COUNTERS, MOST_SPARE } from './trace.ts';

export class AbridgedWords extends ControlledWords {
  /** A word that other CPUs see belongs to the step before: to the search this is an access of it. */
  override peek(at: Ptr): number {
    if (this.isToldOf(at)) this.trace.read(this.cpu, at);
    return super.peek(at);
  }

  override poke(at: Ptr, value: number): void {
    if (this.isToldOf(at)) this.trace.write(this.cpu, at, this.plain[at]!, value >>> 0);
    super.poke(at, value);
  }

  private isToldOf(at: Ptr): boolean {
    const { task } = this;
    return !task.asides.isAgain && this.guards.isSeen(at) && !task.owns(at);
  }

  override tryLock(at: Ptr, free: number, mine: number): boolean {
    const { task } = this;
    const stands = !task.steps.isAgain;
    if (stands) task.waitFor(at, free, true);
    if (stands) this.state.askNext();
    const isTaken = super.tryLock(at, free, mine);
    if (stands) task.goOn();
    return isTaken;
  }

  /** It is no step. */
  override glance(at: Ptr): number {
    return this.peek(at);
  }

  /** Without an access there is no step. */
  override scan(at: Ptr, count: number, stride: number): number {
    return count === 0 ? 0 : super.scan(at, count, stride);
  }

  protected override waitDrained(kind: Access, at: Ptr): void {
    const { task } = this;
    if (!this.buffers || task.steps.isAgain) return;
    task.controller.point(task, kind, at, true);
    task.granted = true;
  }

  override addBlind(at: Ptr, value: number): void {
    if (this.isAgain(Access.Add, at)) return void this.again();
    const found = this.plain[at]!;
    this.plain[at] = found + value;
    this.trace.add(this.cpu, at, found, this.plain[at]!);
    this.changed(Access.Add, at, value, found);
  }

  override countUp(at: Ptr, value: number): void {
    if (this.isAgain(Access.Add, at)) return void this.again();
    const found = this.plain[at]!;
    this.#count(at, found, value, MOST_SPARE);
    this.changed(Access.Add, at, value, found);
  }

  /** With store buffers an add like others, as addIf. */
  override countDown(at: Ptr, value: number, least: number): number {
    if (this.buffers) return super.countDown(at, value, least);
    if (this.isAgain(Access.Add, at)) return this.again();
    const found = this.plain[at]!;
    const spare = this.trace.lowest(this.guards.runningVcpu, at, found) - least;
    this.#count(at, found, -value, spare);
    return this.changed(Access.Add, at, -value, found);
  }

  /** The vCPU counts: it runs on one CPU at a time, and takes its references along if it moves. */
  #count(at: Ptr, found: number, value: number, spare: number): void {
    const counter = this.guards.runningVcpu;
    if (spare <= 0 || counter >= COUNTERS) return this.put(at, found + value);
    this.plain[at] = found + value;
    this.trace.count(this.cpu, at, found, value, spare, counter);
  }

  /**
   * One step. Two of them commute: neither changes the bits, which are below `value`. With store
   * buffers it stays a loop: its load does not flush them.
   */
  override addIf(at: Ptr, bits: number, value: number): boolean {
    if (this.buffers) return super.addIf(at, bits, value);
    if (this.isAgain(Access.Add, at)) return this.again() === 1;
    const found = this.plain[at]!;
    const isSet = (found & bits) !== 0;
    if (isSet) this.#count(at, found, value, MOST_SPARE);
    else this.put(at, found);
    return this.changed(Access.Add, at, value, isSet ? 1 : 0) === 1;
  }

  /** Under control no CPU sleeps. */
  override notifyIfAsked(_at: Ptr, _asked: Ptr): void {}

  /** Without the load before `ask` and the one after the wait. */
  override waitForChange(
    at: Ptr,
    expected: number,
    ms: number,
    ask: () => void,
    gaveUp: () => void,
  ): void {
    ask();
    this.wait(at, expected, ms);
    gaveUp();
  }

  /** A step that reads the word, enabled once the word has changed. */
  override wait(at: Ptr, expected: number, _ms: number): void {
    const { task } = this;
    if (task.steps.isAgain) return void this.again();
    task.waitFor(at, expected >>> 0);
    this.#stepOnceFree([at]);
  }

  override waitUntil(until: Until): void {
    const { task } = this;
    if (task.steps.isAgain) return void this.again();
    task.controller.waitUntil(task, until);
    this.#stepOnceFree(until.words);
  }

  #stepOnceFree(words: readonly Ptr[]): void {
    const { task } = this;
    const [at] = words as [Ptr];
    this.state.askNext();
    task.controller.point(task, Access.Load, at, true);
    task.goOn();
    for (const word of words) this.trace.read(this.cpu, word);
    this.done(Access.Load, at, 0, this.plain[at]!);
  }

  override relax(): void {}

  override endColumn(vcpu: number, column: number, columns: number): boolean {
    this.state.noteEnd(vcpu, column, columns);
    return true;
  }

  override isAtEnd(vcpu: number): boolean {
    return this.state.isAtEnd(vcpu);
  }
}
