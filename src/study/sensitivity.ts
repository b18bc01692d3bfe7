/** Sensitivity to single costs: whether they decide the comparison of two points of a study. */

import { mean as meanOf } from 'd3-array';
import { EVENT_IDS, type EventId } from '../cost/table.ts';
import { partOf } from '../report/figures.ts';
import type { Point } from '../report/study-result.ts';

/** By how much a single cost may be off. */
const FACTORS = [
  { factor: 2, words: 'twice' },
  { factor: 1 / 2, words: 'half' },
] as const;

/**
 * A sentence: which single costs, if twice or half as high, turn whether the one point has more
 * than `bound` times the cycles of the other.
 */
export function turns(of: Point, to: Point, bound: number): string {
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

const mean = ({ measures }: Point, name: string): number => meanOf(measures[name]!.samples)!;
