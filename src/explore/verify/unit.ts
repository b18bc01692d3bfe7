/**
 * A subtree of the search: the runs that begin with some steps. Any thread may run it, and it
 * returns what it has not explored.
 */

import type { Result } from '../result.ts';
import type { Subject } from '../subject.ts';
import type { Footprint } from './accesses.ts';
import { Bounded, type BoundedPart, Known, type Pending } from './bounded.ts';
import { Blocked, Exhaustive } from './exhaustive.ts';
import type { Node, Plan } from './node.ts';
import { keyOf, type Met, Outcomes } from './outcomes.ts';
import type { Accessed } from './shared-words.ts';

export interface UnitResult {
  readonly classes: number;
  readonly blocked: number;
  readonly steps: number;
  readonly seconds: number;
  readonly met: readonly Met[];
  /** Backtrack requests for nodes above the unit. */
  readonly plans: readonly Plan[];
  /** The accesses of the unit's own step. */
  readonly step: Footprint | undefined;
  /** The unexplored rest. */
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
  readonly steps: number;
  readonly seconds: number;
  /** Each with its behaviours, since other units may meet some of them, too. */
  readonly met: readonly (Met & { readonly traces: readonly string[] })[];
  /** See Bounded. */
  readonly seen: readonly string[];
  readonly waiting: readonly Pending[];
  readonly later: readonly Pending[];
  /** Beyond those of the part. */
  readonly accessed: Accessed;
}

/** So many runs at most of those with as many preemptions as the part says. */
export function runBounded(subject: Subject, part: BoundedPart, most: number): BoundedResult {
  const start = performance.now();
  const search = new Bounded(subject.board, part, subject.setting.betweenSteps ?? false);
  /** The outcome of each behaviour. */
  const traces = new Map<string, string>();
  const met = new Outcomes();
  let steps = 0;
  for (let runs = 0; runs < most && search.goOn(); runs++) {
    const result = runOnce(subject, search);
    if (result === undefined || traces.has(result.run.trace)) continue;
    traces.set(result.run.trace, keyOf(met.add(result, part.preemptions)));
    steps += result.run.steps;
  }
  const { seen, waiting, later, shared } = search;
  const by = Map.groupBy(traces.keys(), (trace) => traces.get(trace)!);
  return {
    steps,
    seconds: (performance.now() - start) / 1000,
    met: met.all.map((each) => ({ ...each, traces: by.get(keyOf(each))! })),
    seen: [...seen],
    waiting,
    later,
    accessed: shared.news,
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
