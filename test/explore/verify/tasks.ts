/**
 * Programs of a few tasks on shared words, to test the search through all behaviours without a
 * machine: every order by brute force, or each behaviour once.
 */

import { DRAINED, type Guard, guardOn } from '../../../src/explore/engine/guard.ts';
import { RecordingTrace } from '../../../src/explore/engine/recording-trace.ts';
import { COUNTERS, MOST_SPARE, Trace } from '../../../src/explore/engine/trace.ts';
import { ALL_SLEEP, Dpor } from '../../../src/explore/verify/dpor.ts';

/** A step: an access, and another one that is no step by itself but belongs to it. */
export type Access = Single & { readonly also?: Access };

/** One access of a word, or a wait until it equals, or differs from, a value. */
type Single =
  | { readonly kind: 'load'; readonly at: number }
  | { readonly kind: 'store'; readonly at: number; readonly value: number }
  | { readonly kind: 'exchange'; readonly at: number; readonly value: number }
  | { readonly kind: 'cas'; readonly at: number; readonly expected: number; readonly value: number }
  | { readonly kind: 'add'; readonly at: number; readonly value: number }
  /** Its result is not used: two of them commute. */
  | { readonly kind: 'count'; readonly at: number; readonly value: number }
  /** As Words.countUp and, the result not used unless it is at most `ONE`, countDown by `ONE`. */
  | { readonly kind: 'up' | 'down'; readonly at: number }
  | { readonly kind: 'lock'; readonly at: number; readonly value: number }
  | {
      readonly kind: 'any';
      readonly at: number;
      readonly other: number;
      readonly value: number;
    }
  | { readonly kind: 'wait'; readonly at: number; readonly value: number; readonly until: boolean }
  | { readonly kind: 'fence'; readonly at: number };

/** Receives the result of an access: of a load the word, of others the word before. */
export type Task = () => Generator<Access, void, number>;

export const load = (at: number): Access => ({ kind: 'load', at });
export const store = (at: number, value: number): Access => ({ kind: 'store', at, value });
export const exchange = (at: number, value: number): Access => ({ kind: 'exchange', at, value });
export const add = (at: number, value = 1): Access => ({ kind: 'add', at, value });
export const count = (at: number, value = 1): Access => ({ kind: 'count', at, value });
export const up = (at: number): Access => ({ kind: 'up', at });
export const down = (at: number): Access => ({ kind: 'down', at });
/** From 0 to another number, once it is 0. */
export const lock = (at: number, value = 1): Access => ({ kind: 'lock', at, value });
export const unlock = (at: number): Access => ({ kind: 'store', at, value: 0 });
export const cas = (at: number, expected: number, value: number): Access => ({
  kind: 'cas',
  at,
  expected,
  value,
});
export const waitUntil = (at: number, value: number): Access => ({
  kind: 'wait',
  at,
  value,
  until: true,
});
export const waitWhile = (at: number, value: number): Access => ({
  kind: 'wait',
  at,
  value,
  until: false,
});

/** Until one of two words is `value`; both are read. */
export const waitUntilAny = (at: number, other: number, value: number): Access => ({
  kind: 'any',
  at,
  other,
  value,
});

/** When its buffer is empty, the task reads a word that never changes. */
export const fence = (): Access => ({ kind: 'fence', at: WORDS - 1 });

const WORDS = 1024;

export const MUTEX = 10;

const ONE = 2;

export type Memory = 'sc' | 'tso';

/** One run in progress. The store buffers are actors, numbered after the tasks. */
class Run {
  readonly memory = new Int32Array(WORDS);
  readonly #trace: RecordingTrace;
  readonly #isTso: boolean;
  readonly #tasks: readonly Generator<Access, void, number>[];
  readonly #pending: (Access | undefined)[];
  readonly #buffers: (readonly [at: number, value: number])[][];
  /** The loaded values of each task. */
  readonly #found: number[][];

  constructor(program: readonly Task[], trace: RecordingTrace, memory: Memory) {
    this.#trace = trace;
    this.#isTso = memory === 'tso';
    this.#tasks = program.map((task) => task());
    this.#pending = this.#tasks.map((task) => task.next().value ?? undefined);
    this.#buffers = program.map(() => []);
    this.#found = program.map(() => []);
    trace.begin();
  }

  get able(): number {
    let mask = 0;
    for (const [i, access] of this.#pending.entries()) {
      const isDrained = this.#buffers[i]!.length === 0;
      if (!isDrained) mask |= 1 << (this.#tasks.length + i);
      const guard = this.guardOf(i);
      if (access === undefined || (guard?.drained && !isDrained)) continue;
      const found = (guard?.words ?? []).map((word) => this.memory[word]!);
      if (guard?.holds(found) ?? true) mask |= 1 << i;
    }
    return mask;
  }

  readonly guardOf = (actor: number): Guard | undefined => {
    const access = this.#pending[actor];
    const guard = guardOf(access);
    if (!this.#isTso || access === undefined) return guard;
    if (access.kind === 'load' || access.kind === 'store') return undefined;
    return { ...(guard ?? DRAINED), drained: true };
  };

  /** Some task waits forever. */
  get isStuck(): boolean {
    return this.able === 0 && this.#pending.some((access) => access !== undefined);
  }

  step(actor: number): void {
    const tasks = this.#tasks.length;
    if (actor >= tasks) return this.#drain(actor);
    const access = this.#pending[actor]!;
    const found = this.#isTso ? this.#inBuffer(actor, access) : undefined;
    const result = found ?? this.#access(actor, access);
    if (access.kind === 'load' || access.kind === 'down') this.#found[actor]!.push(result);
    if (access.also !== undefined) this.#found[actor]!.push(this.#access(actor, access.also));
    this.#pending[actor] = this.#tasks[actor]!.next(result).value ?? undefined;
  }

  /** The memory, and the loaded values. */
  get end(): string {
    return [this.memory.subarray(0, 16), ...this.#found].map(String).join('; ');
  }

  #access(task: number, access: Access): number {
    const before = this.memory[access.at]!;
    const after = resultOf(access, before);
    this.memory[access.at] = after;
    if (access.kind === 'count') {
      this.#trace.add(task, access.at, before, after);
      return 0;
    }
    const spare = access.kind === 'up' ? MOST_SPARE : this.#spareOf(task, access, before);
    const counter = this.#counterOf(task);
    if (spare > 0 && counter < COUNTERS) {
      this.#trace.count(task, access.at, before, after - before, spare, counter);
      return ONE + 1;
    }
    this.#trace.write(task, access.at, before, after);
    if (access.kind === 'any' && access.other !== access.at) this.#trace.read(task, access.other);
    return before;
  }

  /** Whether a countDown commutes, and by how much: above 0. */
  #spareOf(task: number, { kind, at }: Access, before: number): number {
    if (kind !== 'down') return 0;
    return this.#trace.lowest(this.#counterOf(task), at, before) - ONE;
  }

  /** Under the mutex tasks count for one that is handed on with it. */
  #counterOf(task: number): number {
    return this.memory[MUTEX] === task + 1 ? this.#tasks.length : task;
  }

  /** The result of an access that the task's buffer takes or holds; undefined for others. */
  #inBuffer(task: number, access: Access): number | undefined {
    const buffer = this.#buffers[task]!;
    if (access.kind === 'store') {
      buffer.push([access.at, access.value]);
      this.#trace.buffer();
      return 0;
    }
    const own = buffer.filter(([at]) => at === access.at).map(([, value]) => value);
    if (access.kind !== 'load' || own.length === 0) return undefined;
    const values = [this.memory[access.at]!, ...own];
    const changes = own.filter((value, i) => value !== values[i]).length;
    this.#trace.readAhead(task, this.#tasks.length + task, access.at, changes);
    return own.at(-1);
  }

  #drain(actor: number): void {
    const [at, value] = this.#buffers[actor - this.#tasks.length]!.shift()!;
    this.#trace.write(actor, at, this.memory[at]!, value);
    this.memory[at] = value;
  }
}

function guardOf(access: Access | undefined): Guard | undefined {
  if (access?.kind === 'lock') return guardOn(access.at, 0, true);
  if (access?.kind === 'any') {
    const words = [...new Set([access.at, access.other])];
    return { words, holds: (found) => found.includes(access.value) };
  }
  if (access?.kind !== 'wait') return undefined;
  return guardOn(access.at, access.value, access.until);
}

function resultOf(access: Access, before: number): number {
  switch (access.kind) {
    case 'load':
    case 'wait':
    case 'any':
    case 'fence':
      return before;
    case 'store':
    case 'exchange':
    case 'lock':
      return access.value;
    case 'cas':
      return before === access.expected ? access.value : before;
    case 'up':
      return before + ONE;
    case 'down':
      return before - ONE;
    case 'add':
    case 'count':
      return before + access.value;
  }
}

/** With these words tied. */
function newTrace(tied: readonly number[]): RecordingTrace {
  const trace = new RecordingTrace(new Int32Array(Trace.memoryFor(WORDS)), new Uint32Array(WORDS));
  trace.tie(tied);
  return trace;
}

export interface Verified {
  /** Digests of the traces of all complete runs. */
  readonly traces: readonly string[];
  readonly blocked: number;
  /** The final memories and loaded values, as texts. */
  readonly ends: ReadonlySet<string>;
  /** Some run ended with a waiting task. */
  readonly isStuck: boolean;
}

/** The search's knowledge of waiting tasks; it is correct only with all of it. */
interface Told {
  readonly ever?: boolean;
  readonly atEnd?: boolean;
  /** Words that one wait may watch together. */
  readonly tied?: readonly number[];
  readonly memory?: Memory;
}

const nobody = (): undefined => undefined;

/** Each behaviour of a program once. */
export function verify(
  program: readonly Task[],
  { ever = true, atEnd = true, tied = [], memory = 'sc' }: Told = {},
): Verified {
  let now = new Int32Array(WORDS);
  const actors = program.length * (memory === 'tso' ? 2 : 1);
  const dpor = new Dpor(actors, WORDS, (word) => now[word]!, program.length);
  const trace = newTrace(tied);
  const traces: string[] = [];
  const ends = new Set<string>();
  let isStuck = false;
  for (let known = dpor.begin(); known !== undefined; known = dpor.begin()) {
    trace.recorder = undefined;
    const run = new Run(program, trace, memory);
    now = run.memory;
    for (let step = 0; step < known; step++) run.step(dpor.actorOf(step));
    trace.recorder = dpor;
    let task = 0;
    while (run.able !== 0) {
      task = dpor.next(run.able, ever ? run.guardOf : nobody);
      if (task === ALL_SLEEP) break;
      run.step(task);
    }
    if (task === ALL_SLEEP) continue;
    dpor.end(atEnd ? run.guardOf : nobody);
    traces.push(trace.digest);
    ends.add(run.end);
    isStuck ||= run.isStuck;
  }
  return { traces, blocked: dpor.blocked, ends, isStuck };
}

/**
 * Digests of the traces of all interleavings of a program, and the number of interleavings. Throws
 * if two of one trace have different ends.
 */
export function bruteForce(
  program: readonly Task[],
  tied: readonly number[] = [],
  memory: Memory = 'sc',
): { traces: Set<string>; ends: Set<string>; orders: number } {
  const endOf = new Map<string, string>();
  const trace = newTrace(tied);
  let orders = 0;
  /** The actor of each step of the current interleaving, and the other enabled ones. */
  const order: number[] = [];
  const others: number[] = [];
  for (;;) {
    const run = new Run(program, trace, memory);
    for (let step = 0; run.able !== 0; step++) {
      if (step === order.length) {
        order.push(lowest(run.able));
        others.push(run.able & (run.able - 1));
      }
      run.step(order[step]!);
    }
    const { digest } = trace;
    if ((endOf.get(digest) ?? run.end) !== run.end) {
      throw new Error(`one trace has two ends: ${endOf.get(digest)} and ${run.end}`);
    }
    endOf.set(digest, run.end);
    orders++;
    while (others.at(-1) === 0) {
      others.pop();
      order.pop();
    }
    if (others.length === 0) {
      return { traces: new Set(endOf.keys()), ends: new Set(endOf.values()), orders };
    }
    const rest = others.at(-1)!;
    order[order.length - 1] = lowest(rest);
    others[others.length - 1] = rest & (rest - 1);
  }
}

const lowest = (mask: number): number => 31 - Math.clz32(mask & -mask);
