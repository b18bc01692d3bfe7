/**
 * A part of all behaviours: the runs that begin with some steps. It is done on whatever thread, and
 * what is not done of it comes back.
 */

import { assert } from '../../errors.ts';
import type { Decisions } from '../engine/turn.ts';
import type { Ending, Result, Subject } from '../subject.ts';
import type { Footprint } from './accesses.ts';
import { Bounded, type Bounds, Known } from './bounded.ts';
import { Blocked, Exhaustive } from './exhaustive.ts';
import type { Node, Plan } from './node.ts';

/** What behaviours have come to, and by which run. */
export interface Met {
  readonly ending: Ending;
  /** The declared outcome, by its number in the file; null when none holds, or it was cut short. */
  readonly outcome: number | null;
  readonly message: string;
  readonly classes: number;
  /** Of those that come to it, one with few switches. */
  readonly decisions: Decisions;
  /** The fewest that it takes, if they were counted. */
  readonly preemptions?: number | undefined;
}

export interface UnitResult {
  readonly classes: number;
  readonly blocked: number;
  readonly steps: number;
  readonly seconds: number;
  readonly met: readonly Met[];
  /** Who is to go on at places before those of the unit. */
  readonly plans: readonly Plan[];
  /** What the unit's own step has accessed. */
  readonly step: Footprint | undefined;
  /** What was not done. */
  readonly rest: readonly Node[];
}

/** So many runs at most. `nodes`: the steps to begin with; none for all behaviours. */
export function runUnit(subject: Subject, nodes: readonly Node[], most: number): UnitResult {
  const start = performance.now();
  const search = new Exhaustive(subject.board, nodes);
  const { dpor } = search;
  const met = new Outcomes();
  let steps = 0;
  for (let runs = 0; runs < most && search.goOn(); runs++) {
    const result = runOnce(subject, search);
    if (result === undefined) continue;
    met.add(result);
    steps += result.run.steps;
  }
  return {
    classes: dpor.classes,
    blocked: dpor.blocked,
    steps,
    seconds: (performance.now() - start) / 1000,
    met: met.all,
    plans: dpor.plans,
    step: nodes.length === 0 ? undefined : dpor.stepOf(nodes.length - 1),
    rest: dpor.rest(),
  };
}

export interface BoundedResult {
  /** Different from one another. */
  readonly classes: number;
  readonly steps: number;
  readonly seconds: number;
  readonly met: readonly Met[];
  /** All with so many preemptions are done; −1 if not even those with none are. */
  readonly preemptions: number;
}

/** All behaviours within bounds, for so many seconds at most. */
export function runBounded(subject: Subject, bounds: Bounds, most: number): BoundedResult {
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  const search = new Bounded(subject.board, bounds, subject.setting.betweenSteps);
  const traces = new Set<string>();
  let met = new Outcomes();
  let steps = 0;
  let isDone = false;
  let { round } = search;
  while (elapsed() < most) {
    isDone = !search.goOn();
    if (isDone) break;
    if (round !== search.round) {
      ({ round } = search);
      traces.clear();
      met = new Outcomes();
      steps = 0;
    }
    const result = runOnce(subject, search);
    if (result === undefined || traces.has(result.run.trace)) continue;
    traces.add(result.run.trace);
    met.add(result, search.preemptions);
    steps += result.run.steps;
  }
  assert(!isDone || traces.size > 0, 'something is met');
  return {
    classes: traces.size,
    steps,
    seconds: elapsed(),
    met: met.all,
    preemptions: isDone ? bounds.preemptions : search.preemptions - 1,
  };
}

export const runOnce = (subject: Subject, search: Exhaustive | Bounded): Result | undefined =>
  unlessLeft(() => subject.run(search, 0));

/** Undefined for a run that was left in the middle. */
export function unlessLeft(run: () => Result): Result | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof Blocked || error instanceof Known) return undefined;
    throw error;
  }
}

/** What behaviours came to, each outcome once. */
export class Outcomes {
  readonly #met = new Map<string, Met>();

  add({ ending, outcome, message, run }: Result, preemptions?: number): void {
    const what = { ending, outcome: outcome ?? null, message, preemptions };
    this.#merge({ ...what, classes: 1, decisions: run.decisions });
  }

  addAll(others: readonly Met[]): void {
    for (const met of others) this.#merge(met);
  }

  /** In the order of the file, what is wrong behind it. */
  get all(): readonly Met[] {
    return [...this.#met.values()].toSorted(
      (a, b) => rank(a) - rank(b) || byText(keyOf(a), keyOf(b)),
    );
  }

  #merge(met: Met): void {
    const key = keyOf(met);
    const before = this.#met.get(key);
    if (before === undefined) return void this.#met.set(key, met);
    const classes = before.classes + met.classes;
    this.#met.set(key, { ...(isSimpler(met, before) ? met : before), classes });
  }
}

/** Messages that differ in numbers alone are of one kind. */
const keyOf = ({ ending, outcome, message }: Met): string =>
  `${ending} ${outcome} ${message.replace(/0x[0-9a-f]+|\d+/gi, 'N')}`;

const rank = ({ ending, outcome }: Met): number => (ending === 'ok' ? (outcome ?? 0) : 1000);

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** So that it does not matter who comes first. */
function isSimpler(a: Met, b: Met): boolean {
  if (a.preemptions !== b.preemptions) return a.preemptions! < b.preemptions!;
  const [left, right] = [a.decisions.turns, b.decisions.turns];
  if (left.length !== right.length) return left.length < right.length;
  const i = left.findIndex((value, at) => value !== right[at]);
  return i >= 0 && left[i]! < right[i]!;
}
