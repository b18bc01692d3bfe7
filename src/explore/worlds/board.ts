/**
 * A world under control, run again and again under different schedules: the board (engine/board.ts)
 * of worlds, with the same strategies, fairness and digests. Threads are generators, which can stop
 * at each step, so nothing is replayed.
 */

import { assert, UserError } from '../../errors.ts';
import { type Ptr, toPtr } from '../../hardware/address.ts';
import { counted } from '../../numbers.ts';
import type { Access } from '../engine/access.ts';
import type { Decisions } from '../engine/controller.ts';
import { Fairness, fairnessWords } from '../engine/fairness.ts';
import type { Guard } from '../engine/guard.ts';
import { RecordingTrace } from '../engine/recording-trace.ts';
import { hexWord, Trace } from '../engine/trace.ts';
import { isRunnable, type Situation, type Strategy } from '../strategies/strategy.ts';
import { MOST_THREADS, MOST_WORDS, type Shared, ThreadState, type Word } from './shared.ts';
import type { Memory, Place, Step, Steps } from './step.ts';
import { made, type World } from './world.ts';

/** How a run of a world ends. */
export type WorldEnding = 'ok' | 'violation' | 'deadlock' | 'livelock';

export interface WorldResult {
  readonly ending: WorldEnding;
  /** The thrown error's message, or the waiting threads; '' if nothing is wrong. */
  readonly message: string;
  readonly steps: number;
  readonly decisions: Decisions;
  /** Of all steps, and of the order of those that conflict. */
  readonly digest: string;
  readonly trace: string;
}

/** A watcher: called before a step with its thread, and after it with the result. */
export interface WorldStep {
  readonly number: number;
  readonly thread: string;
  readonly text: string;
  readonly result: number;
}

/** The default limit of steps. */
export const MOST_STEPS = 10_000;

export interface WorldLimits {
  readonly mostSteps?: number | undefined;
  readonly showsWordsOnly?: boolean;
  readonly goesOn?: boolean;
}

interface ThreadInRun {
  readonly name: string;
  readonly state: Word | undefined;
  steps: Steps | undefined;
  /** Its next step; undefined before it has begun, and at its end. */
  pending: Step | undefined;
  /** How often that was taken. */
  taken: number;
  /** Steps that it has asked for, less those that it has yielded. */
  loose: number;
}

const WORDS = MOST_WORDS + 1;

export class WorldBoard implements Situation, Memory {
  readonly world: World;
  readonly trace: RecordingTrace;
  step = 0;
  current = 0;
  runnable = 0;
  relaxes = false;
  readonly events = 0;
  readonly begins = false;
  readonly operation = 0;
  watcher: ((step: WorldStep) => void) | undefined;
  /**
   * Strategies see accesses of words alone, not of mutexes or starts of threads: as in the tools
   * that the published figures are for.
   */
  readonly showsWordsOnly: boolean;
  /** Where one thread throws, the others go on: all that they do is part of the behaviour. */
  readonly #goesOn: boolean;
  readonly #mostSteps: number;
  readonly #now = new Int32Array(WORDS);
  readonly #fairness = new Fairness(new Uint32Array(fairnessWords(MOST_THREADS)));
  #threads: ThreadInRun[] = [];
  #shared: Shared | undefined;
  #switches: number[] = [];
  #atEnd: (() => void) | undefined;
  #anybodyRelaxed = false;
  /** As bits by thread: enabled threads, and those whose next step waits for words. */
  #able = 0;
  #guarded = 0;
  #hasWritten = false;
  #low = 0;
  #high = 0;

  constructor(
    world: World,
    { mostSteps = MOST_STEPS, showsWordsOnly = false, goesOn = false }: WorldLimits = {},
  ) {
    this.world = world;
    this.showsWordsOnly = showsWordsOnly;
    this.#goesOn = goesOn;
    this.#mostSteps = mostSteps;
    this.trace = new RecordingTrace(new Int32Array(Trace.memoryFor(WORDS)), new Uint32Array(WORDS));
  }

  get actors(): number {
    return this.#threads.length;
  }

  get cpus(): number {
    return this.#threads.length;
  }

  readonly guardOf = (thread: number): Guard | undefined => {
    const { pending, state } = this.#threads[thread]!;
    if (pending !== undefined) return pending.guard;
    return state === undefined ? undefined : { words: [state.place], holds: isStarted };
  };

  pendingKind(thread: number): Access | 0 {
    const pending = this.#threads[thread]!.pending;
    if (pending === undefined || (this.showsWordsOnly && pending.isSync)) return 0;
    return pending.kind;
  }

  pendingAt(thread: number): Ptr {
    return toPtr(this.#threads[thread]!.pending?.place ?? 0);
  }

  read(place: Place): number {
    this.trace.read(this.current, place);
    return this.#now[place]!;
  }

  write(place: Place, value: number): void {
    const before = this.#now[place]!;
    this.#hasWritten = true;
    this.#now[place] = value;
    this.trace.write(this.current, place, before, this.#now[place]!);
  }

  /** A word's value, without a step. */
  readonly valueOf = (place: Place): number => this.#now[place]!;

  run(strategy: Strategy, seed: number): WorldResult {
    this.#begin();
    strategy.begin(spread(seed), this.actors);
    const { ending, message } = this.#play(strategy);
    strategy.ended?.(this.step, this.trace.digest);
    return {
      ending,
      message,
      steps: this.step,
      decisions: { turns: this.#switches, drawn: [] },
      digest: hexWord(this.#high) + hexWord(this.#low),
      trace: this.trace.digest,
    };
  }

  #begin(): void {
    const { shared, atEnd } = made(this.world, this.valueOf);
    this.#now.fill(0, 0, shared.words.length + 1);
    for (const [i, value] of shared.initial.entries()) this.#now[i + 1] = value;
    this.#atEnd = atEnd;
    this.#shared = shared;
    this.#threads = shared.threads.map(({ name, code, state }) => ({
      name,
      state,
      steps: begun(name, code),
      pending: undefined,
      taken: 0,
      loose: 0,
    }));
    this.trace.begin();
    this.#fairness.reset();
    this.#anybodyRelaxed = false;
    this.#able = 0;
    this.#guarded = 0;
    this.#hasWritten = false;
    this.#switches = [];
    this.step = 0;
    this.current = 0;
    this.relaxes = false;
    this.#low = 0x9e37_79b9 | 0;
    this.#high = 0x85eb_ca6b | 0;
  }

  #play(strategy: Strategy): Pick<WorldResult, 'ending' | 'message'> {
    let thrown = this.#caught(() => this.#beginThreads());
    if (thrown !== undefined) return thrown;
    for (let i = 0; i < this.#threads.length; i++) this.#lookAt(i);
    let until = 0;
    while (this.#able !== 0) {
      const able = this.#able;
      if (this.step >= this.#mostSteps) {
        return { ending: 'livelock', message: `after ${this.step} steps` };
      }
      if (this.step >= until || !isRunnable(able, this.current)) {
        this.#ask(strategy, able);
        until = this.runnable === able ? (strategy.until ?? 0) : 0;
      }
      try {
        this.#take();
      } catch (error) {
        thrown ??= { ending: 'violation', message: messageOf(error) };
        if (!this.#goesOn) return thrown;
        stop(this.#threads[this.current]!);
      }
      this.#look();
      if (this.#able !== able || this.relaxes) until = 0;
    }
    if (thrown !== undefined) return thrown;
    const waiting = this.#threads.filter(({ steps, pending }) => steps && pending);
    if (waiting.length > 0) return { ending: 'deadlock', message: waiting.map(waits).join('; ') };
    return this.#caught(() => mustBeOver(this.#atEnd?.())) ?? { ending: 'ok', message: '' };
  }

  #beginThreads(): void {
    for (const thread of this.#threads) if (thread.state === undefined) this.#goOn(thread, 0);
  }

  /** Errors of user code outside of steps. */
  #caught(code: () => void): Pick<WorldResult, 'ending' | 'message'> | undefined {
    try {
      code();
      return undefined;
    } catch (error) {
      return { ending: 'violation', message: messageOf(error) };
    }
  }

  /** After a step of `current`: of the others, only waiting threads can have become enabled. */
  #look(): void {
    this.#lookAt(this.current);
    if (!this.#hasWritten) return;
    for (let mask = this.#guarded & ~(1 << this.current); mask !== 0; mask &= mask - 1) {
      this.#lookAt(31 - Math.clz32(mask & -mask));
    }
    this.#hasWritten = false;
  }

  #lookAt(thread: number): void {
    const bit = 1 << thread;
    const { steps } = this.#threads[thread]!;
    const guard = steps === undefined ? undefined : this.guardOf(thread);
    if (guard === undefined) this.#guarded &= ~bit;
    else this.#guarded |= bit;
    const isAble =
      guard === undefined ? steps !== undefined : guard.holds(guard.words.map(this.valueOf));
    if (isAble) this.#able |= bit;
    else this.#able &= ~bit;
  }

  #ask(strategy: Strategy, able: number): void {
    if (this.relaxes) this.#fairness.triedInVain(this.current, able);
    this.runnable = this.#anybodyRelaxed
      ? this.#fairness.mayGoOn(this.current, able, this.relaxes)
      : able;
    const next = strategy.next(this);
    assert(isRunnable(able, next), 'who is to go on can');
    this.relaxes = false;
    if (this.#anybodyRelaxed) this.#fairness.chosen(next);
    if (next === this.current) return;
    this.#switches.push(this.step, next);
    this.current = next;
  }

  /** The running task takes its next step; one that was just started begins. */
  #take(): void {
    const thread = this.#threads[this.current]!;
    const { pending } = thread;
    if (pending === undefined) {
      const state = thread.state!.place;
      this.#note(0, state, this.read(state));
      return this.#goOn(thread, 0);
    }
    const result = this.#perform(thread.name, pending);
    if (pending.isVain) {
      this.relaxes = true;
      this.#anybodyRelaxed = true;
    }
    if (++thread.taken < (pending.times ?? 1)) return;
    this.#goOn(thread, result);
  }

  /** A step that throws has been taken, too. */
  #perform(thread: string, pending: Step): number {
    let result = 0;
    try {
      result = pending.perform(this, this.current);
    } finally {
      this.#note(pending.kind, pending.place, result);
      const { text } = pending;
      this.watcher?.({ number: this.step - 1, thread, text, result });
    }
    return result;
  }

  /** Up to its next step. */
  #goOn(thread: ThreadInRun, result: number): void {
    thread.taken = 0;
    const shared = this.#shared!;
    const before = shared.made;
    const { value, done } = thread.steps!.next(result);
    thread.loose += shared.made - before;
    if (!done) {
      thread.loose--;
      thread.pending = stepOf(thread, value);
      return;
    }
    stop(thread);
    if (thread.loose > 0) {
      throw new UserError(
        `${thread.name}: found ${counted(thread.loose, 'step')} made and not yielded, expected a ` +
          'yield before each, as in yield word.load()',
      );
    }
    if (thread.state !== undefined) this.write(thread.state.place, ThreadState.Ended);
  }

  #note(kind: number, place: Place, result: number): void {
    this.step++;
    const [low, high] = [this.#low, this.#high];
    const access = low ^ (place + Math.imul((this.current << 8) | kind, 0x9e37_79b1));
    this.#low = Math.imul(access + (high >>> 7), 0xcc9e_2d51);
    this.#high = Math.imul((high ^ Math.imul(result, 0x85eb_ca77)) + (low >>> 11), 0x1b87_3593);
  }
}

/** It takes no more steps. */
function stop(thread: ThreadInRun): void {
  thread.steps = undefined;
  thread.pending = undefined;
}

/** Throws UserError for a promise: what it will say comes too late. */
function mustBeOver(said: unknown): void {
  if (!(said instanceof Promise)) return;
  said.catch(() => {});
  throw new UserError('atEnd: found a promise, expected a function that is not async');
}

/** A thread's code, called. Throws UserError for what is no generator. */
function begun(name: string, code: () => Steps): Steps {
  const steps: Partial<Generator> | undefined = typeof code === 'function' ? code() : undefined;
  if (typeof steps?.next === 'function' && Symbol.iterator in steps) return steps as Steps;
  throw new UserError(`thread ${name}: found no generator, expected one: function* () { … }`);
}

/** The step that a thread has yielded. Throws UserError for anything else. */
function stepOf({ name }: ThreadInRun, value: unknown): Step {
  if (typeof (value as Partial<Step> | undefined)?.perform === 'function') return value as Step;
  throw new UserError(
    `${name}: found ${String(value)} yielded, expected a step, as word.load() is; another ` +
      'function* is called by yield*',
  );
}

/** Mixes the seed: neighbouring seeds begin alike, and a world may be over after a few draws. */
function spread(seed: number): number {
  let x = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
  return x ^ (x >>> 16);
}

const isStarted = ([found]: readonly number[]): boolean => found === ThreadState.Runs;

const waits = ({ name, pending }: ThreadInRun): string => `${name} waits for ${pending!.text}`;

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
