/**
 * From points to what follows of them: ratios seed by seed, and verdicts that mind their intervals.
 */

import { type Estimate, estimate } from '../report/statistics.ts';
import type { Finding, Point } from '../report/study-result.ts';
import type { Levels } from './study.ts';

/**
 * The point of an experiment at these levels, whatever the others are; undefined where it was not
 * run.
 */
export const pointAt = (
  points: readonly Point[],
  experiment: string,
  levels: Levels,
): Point | undefined =>
  points.find(
    (point) =>
      point.experiment === experiment &&
      Object.entries(levels).every(([name, level]) => point.levels[name] === level),
  );

/**
 * A figure computed seed by seed from the measures at these points, for the seeds that all of them
 * have: the effect of a seed cancels out. Seeds without a value, such as a share of nothing, do not
 * count.
 */
export function perSeed(
  points: readonly Point[],
  figure: (...measured: readonly Readonly<Record<string, number>>[]) => number,
): Estimate {
  const samples = points.flatMap(({ measures }) => Object.values(measures));
  const seeds = Math.min(...samples.map((one) => one.samples.length));
  const figures = Array.from({ length: seeds }, (_, i) =>
    figure(
      ...points.map(({ measures }) =>
        Object.fromEntries(Object.entries(measures).map(([name, one]) => [name, one.samples[i]!])),
      ),
    ),
  );
  return estimate(figures.filter(Number.isFinite));
}

/** How many times as much of a measure one point has as another. */
export const ratioOfPoints = (of: Point, to: Point, measure: string): Estimate =>
  perSeed([of, to], (a, b) => a[measure]! / b[measure]!);

/** The same in another unit; `change` grows with its argument. */
export const changed = (
  { value, samples, low, high }: Estimate,
  change: (n: number) => number,
): Estimate => ({
  value: change(value),
  samples,
  ...(low !== undefined && { low: change(low) }),
  ...(high !== undefined && { high: change(high) }),
});

/**
 * Whether a figure lies above a bound (or below, or within two), all of its interval. Fewer seeds
 * than it takes for one make nothing clear.
 */
export function verdictOf(
  { low, high }: Estimate,
  { above = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY }: Bounds,
): Finding['verdict'] {
  if (low === undefined || high === undefined) return 'not clear';
  if (low > above && high < below) return 'holds';
  return high <= above || low >= below ? 'does not hold' : 'not clear';
}

export interface Bounds {
  readonly above?: number;
  readonly below?: number;
}
