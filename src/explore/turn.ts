/**
 * The turn: one host CPU at a time goes on, and at each access of shared memory a strategy
 * says who does that. Everything that was decided is written down, and each step goes into
 * a rolling digest, so that a run can be done again and seen to be the same.
 */

import type { Ptr } from '../../shared/address.ts';
import { type Access, onlyReads } from './access.ts';
import type { Situation, Strategy } from './strategy.ts';
import { LEAVE, type Task } from './task.ts';

/** A run of so many steps does not get on. */
export class TooManySteps extends Error {
  override readonly name = 'TooManySteps';
}

/** Nobody can go on. */
export class Deadlock extends Error {
  override readonly name = 'Deadlock';
}

/** What was decided: at which step the turn went to which CPU, and what was drawn. */
export interface Decisions {
  /** Pairs: step, CPU. */
  readonly turns: readonly number[];
  readonly drawn: readonly number[];
}

/** A step, for those who want to see. */
export interface Step {
  readonly cpu: number;
  readonly kind: Access;
  readonly at: Ptr;
  readonly value: number;
  readonly result: number;
  /** What was in the word and in the one behind it, and what is now. */
  readonly before: readonly [low: number, high: number];
  readonly after: readonly [low: number, high: number];
  /** Of all steps up to this one; 32 bits. */
  readonly digest: number;
}

/** Words of host memory in a page of the record of what was written. */
const PAGE_BITS = 10;

export class Turn implements Situation {
  readonly tasks: Task[] = [];
  /** Pages of memory that were written since the beginning of the run. */
  readonly touched: Uint8Array;
  step = 0;
  current = 0;
  relaxes = false;
  readonly #turns: number[] = [];
  readonly #drawn: number[] = [];
  readonly #read: (at: Ptr) => number;
  #strategy: Strategy | undefined;
  #mostSteps = 0;
  #low = 0;
  #high = 0;
  #before: readonly [number, number] = [0, 0];
  /** Told of each step, if somebody is. */
  watcher: ((step: Step) => void) | undefined;

  /** `plain`: all of host memory. */
  constructor(plain: Uint32Array) {
    this.touched = new Uint8Array((plain.length >>> PAGE_BITS) + 1);
    this.#read = (at) => plain[at]!;
  }

  begin(strategy: Strategy, seed: number, mostSteps: number): void {
    this.#strategy = strategy;
    this.#mostSteps = mostSteps;
    this.step = 0;
    this.current = 0;
    this.#turns.length = 0;
    this.#drawn.length = 0;
    this.#low = 0x9e37_79b9 | 0;
    this.#high = 0x85eb_ca6b | 0;
    for (const task of this.tasks) task.reset();
    strategy.begin(seed, this.tasks.length);
  }

  get cpus(): number {
    return this.tasks.length;
  }

  get runnable(): number {
    let mask = 0;
    for (const task of this.tasks) {
      if (task.finished) continue;
      if (task.waitsFor !== 0 && this.#read(task.waitsFor) === task.waitsFrom) continue;
      mask |= 1 << task.index;
    }
    return mask;
  }

  pendingKind(cpu: number): Access | 0 {
    return this.tasks[cpu]!.pendingKind as Access | 0;
  }

  pendingAt(cpu: number): Ptr {
    return this.tasks[cpu]!.pendingAt;
  }

  get decisions(): Decisions {
    return { turns: [...this.#turns], drawn: [...this.#drawn] };
  }

  /** Of all steps so far: who, what, where, and what came of it. */
  get digest(): string {
    const hex = (n: number): string => (n >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }

  /** `task` is about to access a shared word. May leave its piece of work. */
  point(task: Task, kind: Access, at: Ptr): void {
    if (task.granted) {
      task.granted = false;
    } else {
      task.pendingKind = kind;
      task.pendingAt = at;
      if (this.decide() !== task.index) throw LEAVE;
      task.granted = false;
    }
    task.pendingKind = 0;
    if (this.watcher !== undefined) this.#before = this.#pair(at);
    if (this.step >= this.#mostSteps) throw new TooManySteps(`after ${this.step} steps`);
  }

  /** It was done. */
  done(task: Task, kind: Access, at: Ptr, value: number, result: number): void {
    if (!onlyReads(kind)) this.touch(at);
    this.step++;
    this.#mix((task.index << 8) | kind, at);
    this.#mix(value, result);
    if (this.watcher === undefined) return;
    const [before, after] = [this.#before, this.#pair(at)];
    const digest = this.#low ^ this.#high;
    this.watcher({ cpu: task.index, kind, at, value, result, before, after, digest });
  }

  touch(at: Ptr): void {
    this.touched[at >>> PAGE_BITS] = 1;
  }

  /** `task` cannot go on before the word at `at` is another. */
  wait(task: Task, at: Ptr, value: number): void {
    task.waitsFor = at;
    task.waitsFrom = value;
    if (this.decide() !== task.index) throw LEAVE;
  }

  /** `task` has tried something in vain. */
  relax(task: Task): void {
    if (task.granted) {
      task.granted = false;
      return;
    }
    this.relaxes = true;
    const next = this.decide();
    this.relaxes = false;
    if (next !== task.index) throw LEAVE;
  }

  /** Let the strategy say who goes on; whoever it is need not ask again at its next access. */
  decide(): number {
    const { runnable } = this;
    if (runnable === 0) throw new Deadlock('nobody can go on');
    const next = this.#strategy!.next(this);
    if (next !== this.current) {
      this.#turns.push(this.step, next);
      this.current = next;
    }
    const task = this.tasks[next]!;
    task.granted = true;
    task.waitsFor = 0 as Ptr;
    return next;
  }

  draw(): number {
    const value = this.#strategy!.draw();
    this.#drawn.push(value);
    return value;
  }

  #pair(at: Ptr): readonly [number, number] {
    return [this.#read(at), this.#read((at + 1) as Ptr)];
  }

  #mix(a: number, b: number): void {
    this.#low = Math.imul((this.#low ^ a) + (this.#high >>> 7), 0xcc9e_2d51);
    this.#high = Math.imul((this.#high ^ b) + (this.#low >>> 11), 0x1b87_3593);
  }
}
