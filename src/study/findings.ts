/** From points to what follows of them: ratios seed by seed, and verdicts that mind their intervals. */

import { type Estimate, summarise } from '../report/statistics.ts';
import type { Finding, Point } from '../report/study-result.ts';
import type { Levels } from './study.ts';

/** The points of an experiment at these levels, whatever the others are. */
export const pointsAt = (
  points: readonly Point[],
  experiment: string,
  levels: Levels = {},
): readonly Point[] =>
  points.filter(
    (point) =>
      point.experiment === experiment &&
      Object.entries(levels).every(([name, level]) => point.levels[name] === level),
  );

/** The one point there; undefined where it was not run. */
export const pointAt = (
  points: readonly Point[],
  experiment: string,
  levels: Levels,
): Point | undefined => pointsAt(points, experiment, levels)[0];

/**
 * How many times as much of a measure one point has as another, seed by seed: both had the same
 * programs. The median over the seeds, and where it lies with 95 %.
 */
export function ratioOfPoints(of: Point, to: Point, measure: string): Estimate {
  const [above, below] = [of, to].map((point) => point.measures[measure]!.samples);
  const ratios = above!.slice(0, below!.length).map((value, i) => value / below![i]!);
  const { median, low, high } = summarise(ratios);
  return { value: median, low, high };
}

/** Whether a figure lies above a bound (or below, or within two), all of its interval. */
export function verdictOf(
  { low, high }: Estimate,
  { above = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY }: Bounds,
): Finding['verdict'] {
  if (low > above && high < below) return 'holds';
  return high <= above || low >= below ? 'does not hold' : 'not clear';
}

export interface Bounds {
  readonly above?: number;
  readonly below?: number;
}

/** 2.31 [2.10, 2.54] */
export const inWords = ({ value, low, high }: Estimate): string =>
  `${digits(value)} [${digits(low)}, ${digits(high)}]`;

/** Three digits that count. */
const digits = (n: number): string =>
  Math.abs(n) >= 100 ? Math.round(n).toLocaleString('en-US') : String(Number(n.toPrecision(3)));
