/**
 * The controller of a run: one host CPU runs at a time, and before each access of shared memory
 * a strategy decides which. All decisions are recorded, and each step goes into a rolling
 * digest, so that a run can be replayed and checked to be the same.
 *
 * See docs/decisions/two-engines.md.
 */

import type { Host } from '../../../shared/host.ts';
import type { Until } from '../../../shared/words.ts';
import { assert, HostOops } from '../../errors.ts';
import { type Ptr, toPtr } from '../../hardware/address.ts';
import type { Situation, Strategy } from '../strategies/strategy.ts';
import { Access, isLocked, onlyReads } from './access.ts';
import { actorOf, bufferOf } from './actors.ts';
import { ALL_HAVE_ENDED, type ControlState } from './control-state.ts';
import type { Guard } from './guard.ts';
import { Hardware } from './hardware.ts';
import { Lockdep } from './lockdep.ts';
import { RecordingTrace } from './recording-trace.ts';
import type { End, Run } from './run.ts';
import type { MemoryModel, RunMode } from './run-mode.ts';
import { Snapshot } from './snapshot.ts';
import { LEAVE, type Task } from './task.ts';
import { PAGE_BITS } from './trace.ts';
import { Waiting } from './waiting.ts';

/** The run made too many steps: a livelock. */
export class TooManySteps extends Error {
  override readonly name = 'TooManySteps';
}

/** No CPU can go on. */
export class Deadlock extends Error {
  override readonly name = 'Deadlock';
}

/** What was decided: at which step control passed to which actor, and what was drawn. */
export interface Decisions {
  /** Switches, as pairs: step, actor (see actors.ts). The name is that of tokens and ledgers. */
  readonly turns: readonly number[];
  readonly drawn: readonly number[];
}

/** A step, for watchers. */
export interface Step {
  /** A host CPU, or hardware (see actors.ts). */
  readonly cpu: number;
  readonly kind: Access;
  readonly at: Ptr;
  readonly value: number;
  readonly result: number;
  /** The word and the one behind it, before and after. */
  readonly before: readonly [low: number, high: number];
  readonly after: readonly [low: number, high: number];
  /** Of all steps up to this one; 32 bits. */
  readonly digest: number;
}

export abstract class Controller implements Situation {
  readonly state: ControlState;
  readonly memory: MemoryModel;
  readonly abridged: boolean;
  readonly tasks: Task[] = [];
  /** Pages written since the beginning of the run, a byte each: see Beginning. */
  readonly touched: Uint8Array;
  /** The private state of host CPUs at the beginning of their pieces. */
  readonly snapshot: Snapshot;
  readonly lockdep: Lockdep;
  runnable = 0;
  relaxes = false;
  /** The first oops that ended a host CPU, in an abridged run. */
  oops: HostOops | undefined;
  readonly #plain: Uint32Array;
  readonly #hardware: Hardware;
  readonly #waiting: Waiting;
  readonly #waitsDrained: boolean;
  #strategy: Strategy | undefined;
  #mostSteps = 0;
  /** The task that asks for a decision, if it is at an access. */
  #asking: Task | undefined;
  /** Private state of the asking task was changed: its piece must be replayed. */
  #disturbed = false;
  /** The enabled actors at the last decision: `runnable`, and those that had to yield. */
  #able = 0;
  /** The strategy need not be asked before this step. */
  #until = 0;
  /** The strategy is asked at the beginning of each piece even so. */
  #eachPiece = false;
  #before: readonly [number, number] = [0, 0];
  /** Called with each step. */
  watcher: ((step: Step) => void) | undefined;

  /** `host`: a view by plain words. */
  constructor(
    state: ControlState,
    host: Host,
    { memory = 'sc', abridged = false }: RunMode,
    touched: Uint8Array,
  ) {
    this.state = state;
    this.memory = memory;
    this.abridged = abridged;
    this.#waitsDrained = abridged && memory === 'tso';
    this.touched = touched;
    this.snapshot = new Snapshot(host.words.memory);
    this.lockdep = new Lockdep(host);
    this.#hardware = new Hardware(host);
    this.#plain = host.words.plain;
    this.#waiting = new Waiting(this.tasks, memory === 'tso', this.#plain);
  }

  /**
   * Pass control from `task` to host CPU `next`. Either control comes back before this returns,
   * or it throws LEAVE, and the piece of `task` is replayed later.
   */
  protected abstract pass(task: Task, next: number): void;

  /** Called before a run, in each thread that takes part in it. */
  join(strategy: Strategy, seed: number, mostSteps: number): void {
    this.#strategy = strategy;
    this.#mostSteps = mostSteps;
    this.#asking = undefined;
    this.#disturbed = false;
    this.askNext();
    this.relaxes = false;
    this.oops = undefined;
    strategy.begin(seed, this.actors);
  }

  /** `task` has ended with an error; in an abridged run the others go on without it. */
  failed(task: Task, error: unknown): void {
    if (!this.abridged || !(error instanceof HostOops)) throw error;
    this.oops ??= error;
    task.finished = true;
  }

  protected get strategy(): Strategy {
    return this.#strategy!;
  }

  get step(): number {
    return this.state.step;
  }

  get current(): number {
    return this.state.current;
  }

  get cpus(): number {
    return this.tasks.length;
  }

  /** Every CPU has finished. */
  get isOver(): boolean {
    return this.tasks.every(({ finished, stores }) => finished && stores.length === 0);
  }

  get actors(): number {
    return this.memory === 'tso' ? 2 * this.cpus : this.cpus;
  }

  /** The condition that an actor's next step waits for, if any. */
  readonly guardOf = (actor: number): Guard | undefined => this.tasks[actor]?.guard;

  get events(): number {
    return this.#hardware.possible(this.#asking);
  }

  get begins(): boolean {
    return this.#asking?.hasBegun === false;
  }

  get operation(): number {
    return this.begins ? this.#hardware.operationOn(this.#asking!.index) : 0;
  }

  pendingKind(actor: number): Access | 0 {
    if (actor >= this.cpus) return Access.Drain;
    return this.tasks[actor]!.pendingKind as Access | 0;
  }

  pendingAt(actor: number): Ptr {
    return actor < this.cpus
      ? this.tasks[actor]!.pendingAt
      : this.tasks[actor - this.cpus]!.stores.at;
  }

  /** The run has ended like that: tells the strategy, and returns the run. */
  runOf(end: End): Run {
    const { digest, switches: turns, drawn } = this.state;
    const trace = this.state.trace.digest;
    this.strategy.ended?.(this.step, trace);
    return { ...end, steps: this.step, decisions: { turns, drawn }, digest, trace };
  }

  /**
   * The slow path before `task` accesses a shared word: ask the strategy if needed, drain buffers,
   * and check the limit of steps. May unwind the piece. In an abridged run an access that flushes
   * the store buffer, or needs it `drained`, waits until it is empty.
   */
  point(task: Task, kind: Access, at: Ptr, drained = false): void {
    const { step, memory } = this;
    if (!task.granted && (step >= this.#until || this.#able !== this.#waiting.able)) {
      task.pend(kind, at, this.#waitsDrained && (drained || this.#flushes(task, kind)));
      this.#ask(task);
    }
    task.granted = false;
    task.pend(0, toPtr(0), false);
    if (memory === 'tso' && isLocked(kind)) this.flush(task);
    if (memory === 'tso' && kind === Access.Write && task.stores.isFull) this.drain(task.index);
    if (this.step >= this.#mostSteps) throw new TooManySteps(`after ${this.step} steps`);
    if (this.watcher !== undefined) this.#before = this.#pair(at);
    else if (memory === 'sc') this.state.plainUntil = Math.min(this.#until, this.#mostSteps);
  }

  #flushes({ stores }: Task, kind: Access): boolean {
    return isLocked(kind) || (kind === Access.Write && stores.isFull);
  }

  /** A step was taken: `actor` is a host CPU, or hardware. */
  done(actor: number, kind: Access, at: Ptr, value: number, result: number): void {
    if (!onlyReads(kind)) this.touch(at);
    this.state.take((actor << 8) | kind, at, value, result);
    this.tell(actor, kind, at, value, result);
  }

  /** Tell the watcher of a step. */
  tell(cpu: number, kind: Access, at: Ptr, value: number, result: number): void {
    if (this.watcher === undefined) return;
    const [before, after] = [this.#before, this.#pair(at)];
    const digest = this.state.shortDigest;
    this.watcher({ cpu, kind, at, value, result, before, after, digest });
  }

  /** The running CPU has completed a piece. */
  pieceDone(): void {
    if (this.#eachPiece) this.askNext();
  }

  /** Ask the strategy at the next access. */
  protected askNext(): void {
    this.#until = 0;
    this.state.askNext();
  }

  /** So many words were written; two at most lie in one page. */
  touch(at: Ptr, words = 1): void {
    this.touched[at >>> PAGE_BITS] = 1;
    if (words > 2) this.#touchMore(at, words);
    if (this.#waiting.mayWake(at, words)) this.state.askNext();
  }

  #touchMore(at: Ptr, words: number): void {
    this.touched.fill(1, at >>> PAGE_BITS, ((at + words - 1) >>> PAGE_BITS) + 1);
  }

  /** `task` waits until the word at `at` differs from `value`. */
  wait(task: Task, at: Ptr, value: number): void {
    this.flush(task);
    task.waitFor(at, value);
    this.#ask(task);
  }

  /** In an abridged run, `task` waits until the condition holds. */
  waitUntil(task: Task, until: Until): void {
    const { trace } = this.state;
    assert(trace instanceof RecordingTrace && trace.areTied(until.words), 'its words are tied');
    task.until = until;
  }

  /** `task` has made an attempt in vain (cpu_relax). */
  relax(task: Task): void {
    if (!task.granted) {
      this.relaxes = true;
      const stays = this.#ask(task);
      if (stays) return;
    }
    task.granted = false;
  }

  /** Drain a CPU's store buffer. */
  flush(task: Task): void {
    while (task.stores.length > 0) this.drain(task.index);
  }

  /**
   * The same, where it is no step; not in an abridged run, where each drains in a step of its own.
   */
  flushAside(task: Task): boolean {
    if (this.abridged) return false;
    this.flush(task);
    return true;
  }

  /** Drain the oldest store of a CPU's buffer. */
  drain(cpu: number): void {
    const { stores } = this.tasks[cpu]!;
    const { at, value } = stores;
    this.#before = this.#pair(at);
    stores.shift();
    const actor = bufferOf(cpu, this.cpus);
    this.state.trace.write(actor, at, this.#plain[at]!, value);
    this.#plain[at] = value;
    this.done(actor, Access.Drain, at, value, value);
  }

  /** Decide which CPU goes on, at an access of `task`. False if another CPU ran in between. */
  #ask(task: Task): boolean {
    this.#asking = task;
    const next = this.decide();
    this.#asking = undefined;
    this.relaxes = false;
    const disturbed = this.#disturbed;
    this.#disturbed = false;
    if (next !== task.index) this.pass(task, next);
    if (disturbed) throw LEAVE;
    return next === task.index;
  }

  /**
   * Let the strategy choose the next actor. Hardware acts at once; a host CPU that is chosen makes
   * its next access without asking.
   */
  decide(): number {
    const { fairness } = this.state;
    for (let isFirst = true; ; isFirst = false) {
      const able = this.#waiting.able;
      if (able === 0 && this.isOver) return this.current;
      if (able === 0) throw this.#areDone ? ALL_HAVE_ENDED : new Deadlock('nobody can go on');
      if (this.state.isFull) throw new TooManySteps(`after ${this.step} steps`);
      this.#able = able;
      if (isFirst && this.relaxes) fairness.triedInVain(this.current, able);
      this.runnable = fairness.mayGoOn(this.current, able, this.relaxes);
      const next = this.strategy.next(this);
      if (next < this.actors) fairness.chosen(next);
      if (next < this.cpus) {
        if (next !== this.current) {
          this.state.noteSwitch(next);
          this.state.current = next;
        }
        const task = this.tasks[next]!;
        task.granted = true;
        task.goOn();
        // An actor that had to yield may be runnable again after one step.
        this.#until = this.runnable === able ? (this.strategy.until ?? 0) : 0;
        this.state.askNext();
        this.#eachPiece = this.strategy.eachPiece ?? false;
        return next;
      }
      this.state.noteSwitch(next);
      if (this.step >= this.#mostSteps) throw new TooManySteps(`after ${this.step} steps`);
      this.#act(next);
    }
  }

  #act(number: number): void {
    const actor = actorOf(number, this.cpus);
    if (actor.kind === 'drain') return this.drain(actor.cpu);
    if (actor.kind === 'move') {
      const { mailbox } = this.#hardware.cpu(actor.cpu);
      this.#before = this.#pair(mailbox);
      const before = this.#plain[mailbox]!;
      this.#hardware.move(actor.cpu, actor.to);
      this.state.trace.write(number, mailbox, before, this.#plain[mailbox]!);
      return this.done(number, Access.Move, mailbox, actor.to, 0);
    }
    const task = this.tasks[actor.cpu]!;
    const drawn = this.draw();
    task.rewind();
    const at = this.#hardware.entryToDrop(task, drawn);
    this.#before = this.#pair(at);
    this.#hardware.drop(at);
    this.state.trace.note(number, at, task.pieces);
    task.keepAll();
    this.#disturbed = true;
    this.done(number, Access.Evict, at, drawn, 0);
  }

  /** In an abridged run: all columns are at their end, and all CPUs idle. */
  get #areDone(): boolean {
    const isIdle = ({ finished, waitsFor, index }: Task): boolean =>
      finished || waitsFor === this.#hardware.cpu(index).mailbox;
    return this.state.haveEnded && this.tasks.every(isIdle);
  }

  draw(): number {
    const value = this.strategy.draw();
    this.state.noteDrawn(value);
    return value;
  }

  #pair(at: Ptr): readonly [number, number] {
    return [this.#plain[at]!, this.#plain[at + 1]!];
  }
}
