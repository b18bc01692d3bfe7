/**
 * Programs of a few tasks on shared words, for the search through all behaviours to be tried
 * without a machine: every order by brute force, or each behaviour once.
 */

import { type Guard, guardOn } from '../../../src/explore/engine/guard.ts';
import { RecordingTrace } from '../../../src/explore/engine/recording-trace.ts';
import { Trace } from '../../../src/explore/engine/trace.ts';
import { ALL_SLEEP, Dpor } from '../../../src/explore/verify/dpor.ts';

/** One access of a word, or a wait until it is, or is not, what is given. */
export type Access =
  | { readonly kind: 'load'; readonly at: number }
  | { readonly kind: 'store'; readonly at: number; readonly value: number }
  | { readonly kind: 'exchange'; readonly at: number; readonly value: number }
  | { readonly kind: 'cas'; readonly at: number; readonly expected: number; readonly value: number }
  | { readonly kind: 'add'; readonly at: number; readonly value: number }
  | { readonly kind: 'lock'; readonly at: number; readonly value: number }
  | {
      readonly kind: 'any';
      readonly at: number;
      readonly other: number;
      readonly value: number;
    }
  | { readonly kind: 'wait'; readonly at: number; readonly value: number; readonly until: boolean };

/** What an access comes to is given back: of a load the word, of others what was there before. */
export type Task = () => Generator<Access, void, number>;

export const load = (at: number): Access => ({ kind: 'load', at });
export const store = (at: number, value: number): Access => ({ kind: 'store', at, value });
export const exchange = (at: number, value: number): Access => ({ kind: 'exchange', at, value });
export const add = (at: number, value = 1): Access => ({ kind: 'add', at, value });
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

const WORDS = 1024;

/** One run, as far as it has come. */
class Run {
  readonly memory = new Int32Array(WORDS);
  readonly #tasks: readonly Generator<Access, void, number>[];
  readonly #pending: (Access | undefined)[];

  constructor(program: readonly Task[]) {
    this.#tasks = program.map((task) => task());
    this.#pending = this.#tasks.map((task) => task.next().value ?? undefined);
  }

  get able(): number {
    let mask = 0;
    for (const [i, access] of this.#pending.entries()) {
      const guard = guardOf(access);
      if (access === undefined) continue;
      const found = (guard?.words ?? []).map((word) => this.memory[word]!);
      if (guard?.holds(found) ?? true) mask |= 1 << i;
    }
    return mask;
  }

  readonly guardOf = (task: number): Guard | undefined => guardOf(this.#pending[task]);

  /** Somebody waits for ever. */
  get isStuck(): boolean {
    return this.able === 0 && this.#pending.some((access) => access !== undefined);
  }

  step(task: number, told: (at: number, before: number, after: number) => void): void {
    const access = this.#pending[task]!;
    const before = this.memory[access.at]!;
    const after = resultOf(access, before);
    this.memory[access.at] = after;
    told(access.at, before, after);
    if (access.kind === 'any' && access.other !== access.at) {
      const other = this.memory[access.other]!;
      told(access.other, other, other);
    }
    this.#pending[task] = this.#tasks[task]!.next(before).value ?? undefined;
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
      return before;
    case 'store':
    case 'exchange':
    case 'lock':
      return access.value;
    case 'cas':
      return before === access.expected ? access.value : before;
    case 'add':
      return before + access.value;
  }
}

/** In which these words are tied. */
function newTrace(tied: readonly number[]): RecordingTrace {
  const trace = new RecordingTrace(new Int32Array(Trace.memoryFor(WORDS)), new Uint32Array(WORDS));
  trace.tie(tied);
  return trace;
}

export interface Verified {
  /** Digests of the traces of all runs to the end. */
  readonly traces: readonly string[];
  readonly blocked: number;
  /** What memory was at the end, as texts; and whether a run ended in which somebody still waits. */
  readonly ends: ReadonlySet<string>;
  readonly isStuck: boolean;
}

/** What the search is told of those who wait: all, to be right. */
interface Told {
  readonly ever?: boolean;
  readonly atEnd?: boolean;
  /** Words that may be waited for together. */
  readonly tied?: readonly number[];
}

const nobody = (): undefined => undefined;

/** Each behaviour of a program once. */
export function verify(
  program: readonly Task[],
  { ever = true, atEnd = true, tied = [] }: Told = {},
): Verified {
  let memory = new Int32Array(WORDS);
  const dpor = new Dpor(program.length, WORDS, (word) => memory[word]!);
  const trace = newTrace(tied);
  const traces: string[] = [];
  const ends = new Set<string>();
  let isStuck = false;
  for (let known = dpor.begin(); known !== undefined; known = dpor.begin()) {
    const run = new Run(program);
    memory = run.memory;
    trace.begin();
    trace.recorder = undefined;
    let step = 0;
    for (; step < known; step++) {
      const task = dpor.actorOf(step);
      run.step(task, (at, before, after) => trace.write(task, at, before, after));
    }
    trace.recorder = dpor;
    let task = 0;
    while (run.able !== 0) {
      task = dpor.next(run.able, ever ? run.guardOf : nobody);
      if (task === ALL_SLEEP) break;
      run.step(task, (at, before, after) => trace.write(task, at, before, after));
    }
    if (task === ALL_SLEEP) continue;
    dpor.end(atEnd ? run.guardOf : nobody);
    traces.push(trace.digest);
    ends.add(run.memory.subarray(0, 16).join());
    isStuck ||= run.isStuck;
  }
  return { traces, blocked: dpor.blocked, ends, isStuck };
}

/** Digests of the traces of all orders of a program's steps, and how many orders there are. */
export function bruteForce(
  program: readonly Task[],
  tied: readonly number[] = [],
): { traces: Set<string>; orders: number } {
  const traces = new Set<string>();
  const trace = newTrace(tied);
  let orders = 0;
  /** Of the current order who took each step, and who else could have. */
  const order: number[] = [];
  const others: number[] = [];
  for (;;) {
    const run = new Run(program);
    trace.begin();
    for (let step = 0; run.able !== 0; step++) {
      if (step === order.length) {
        order.push(lowest(run.able));
        others.push(run.able & (run.able - 1));
      }
      const task = order[step]!;
      run.step(task, (at, before, after) => trace.write(task, at, before, after));
    }
    traces.add(trace.digest);
    orders++;
    while (others.at(-1) === 0) {
      others.pop();
      order.pop();
    }
    if (others.length === 0) return { traces, orders };
    const rest = others.at(-1)!;
    order[order.length - 1] = lowest(rest);
    others[others.length - 1] = rest & (rest - 1);
  }
}

const lowest = (mask: number): number => 31 - Math.clz32(mask & -mask);
