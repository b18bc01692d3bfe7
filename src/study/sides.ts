/** Two points of a study beside one another: how many times the cycles, and what hangs on it. */

import { type CounterName, infoOf } from '../../shared/counters.ts';
import { EVENT_IDS, type EventId } from '../cost/table.ts';
import { FIGURES, partOf } from '../report/figures.ts';
import type { Estimate } from '../report/statistics.ts';
import type { Finding, Measure, Point } from '../report/study-result.ts';
import { ratioOfPoints, verdictOf } from './findings.ts';

/** The parts of the cycles that events have: what hangs on a cost is found out by them. */
export const PARTS: Readonly<Record<string, Measure>> = Object.fromEntries(
  EVENT_IDS.map((id) => [partOf(id), FIGURES[partOf(id)]!]),
);

export interface Sides {
  /** Cycles of the one for each of the other, seed by seed. */
  readonly ratio: Estimate;
  /** Whether the one has more than `bound` times the cycles. */
  readonly verdict: Finding['verdict'];
  /** A sentence: which single costs turn that, if twice or half as high; '' if it is not clear. */
  readonly sensitivity: string;
}

export function beside(of: Point, to: Point, bound = 1): Sides {
  const ratio = ratioOfPoints(of, to, 'cycles');
  const verdict = verdictOf(ratio, { above: bound });
  return { ratio, verdict, sensitivity: verdict === 'not clear' ? '' : turns(of, to, bound) };
}

/** By how much a single cost may be off. */
const FACTORS = [
  { factor: 2, words: 'twice' },
  { factor: 1 / 2, words: 'half' },
] as const;

function turns(of: Point, to: Point, bound: number): string {
  const isMore = ratioWith(of, to) > bound;
  const turning = FACTORS.flatMap(({ factor, words }) =>
    EVENT_IDS.filter((id) => ratioWith(of, to, id, factor) > bound !== isMore).map(
      (id) => `${id} costs ${words} as much`,
    ),
  );
  if (turning.length === 0) return ' No single cost that is off by two turns that.';
  return ` That turns if ${turning.join(', or ')}.`;
}

/** Of all seeds together, one cost multiplied. */
function ratioWith(of: Point, to: Point, id?: EventId, factor = 1): number {
  const [above, below] = [of, to].map((point) => {
    const part = id === undefined ? 0 : mean(point, partOf(id));
    return mean(point, 'cycles') + (factor - 1) * part;
  });
  return above! / below!;
}

function mean({ measures }: Point, name: string): number {
  const { samples } = measures[name]!;
  return samples.reduce((a, b) => a + b, 0) / samples.length;
}

/** A counter as a measure of a study. */
export function measureOf(name: CounterName): Measure {
  const { title, unit, is } = infoOf(name);
  return { title, unit, description: is };
}
