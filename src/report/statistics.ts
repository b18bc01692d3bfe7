/**
 * What can be said of measurements without knowing how they are distributed: medians and
 * how sure they are, which samples lie far out, how two runs differ, how a cost grows.
 */

import { mean, median as medianOf, quantile, sum } from 'd3-array';

export interface Summary {
  readonly median: number;
  /** The median of all that could have been measured lies here with `confidence`. */
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
  readonly samples: number;
}

/** A figure, and where it lies with 95 %. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The median of `samples` samples, and where it lies with 95 %; without `low` and `high` where they
 * are fewer than FEWEST. `low` is `high` only where all samples are the same.
 */
export interface Estimate {
  readonly value: number;
  readonly samples: number;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

const WANTED_CONFIDENCE = 0.95;

/** The fewest samples whose whole range holds the median with 95 %: one in 2^5 lies on one side. */
export const FEWEST = 6;

/** In the middle; between two samples half way. Of none it is NaN. */
export const median = (values: readonly number[]): number => medianOf(values) ?? Number.NaN;

export function estimate(values: readonly number[]): Estimate {
  const { median: value, low, high, samples } = summarise(values);
  return samples < FEWEST ? { value, samples } : { value, samples, low, high };
}

/**
 * Median with the narrowest interval of two order statistics, as far from either end,
 * that holds with 95 % and has a width, unless all samples are the same: whatever the
 * distribution, the true median lies outside only if fewer than k of n samples fall on one
 * side of it, a binomial with p = 1/2. With fewer than FEWEST samples it is the whole range,
 * and `confidence` says how little that is worth.
 */
export function summarise(values: readonly number[]): Summary {
  const n = values.length;
  const sorted = values.toSorted((a, b) => a - b);
  // Probability that exactly i of n fall below the median, in logarithms: 2^-n underflows.
  let logTerm = -n * Math.LN2;
  let below = Math.exp(logTerm);
  let k = 0;
  for (let i = 1; i < n / 2; i++) {
    logTerm += Math.log((n - i + 1) / i);
    const next = below + Math.exp(logTerm);
    if (1 - 2 * next < WANTED_CONFIDENCE || sorted[i] === sorted[n - 1 - i]) break;
    below = next;
    k = i;
  }
  return {
    median: median(values),
    low: sorted[k]!,
    high: sorted[n - 1 - k]!,
    confidence: Math.max(0, 1 - 2 * below),
    samples: n,
  };
}

/**
 * The same for samples in groups, each taken in an isolate of its own. Samples of one isolate are
 * correlated: they share compiled code and memory layout. So the interval also contains the median
 * of each group.
 */
export function summariseGroups(groups: readonly (readonly number[])[]): Summary {
  const summary = summarise(groups.flat());
  const medians = groups.map(median);
  return {
    ...summary,
    low: Math.min(summary.low, ...medians),
    high: Math.max(summary.high, ...medians),
  };
}

export interface Outlier {
  readonly index: number;
  /** Of the median. */
  readonly times: number;
}

/** Quartile ranges beyond the quartiles: what Tukey called far out. */
const FAR_OUT = 3;

/** Samples that lie far out. They stay in the medians, which do not mind them. */
export function outliers(values: readonly number[]): Outlier[] {
  const [lower = 0, upper = 0] = [quantile(values, 0.25), quantile(values, 0.75)];
  const far = FAR_OUT * (upper - lower);
  const middle = median(values);
  return values.flatMap((value, index) =>
    value < lower - far || value > upper + far ? [{ index, times: value / middle }] : [],
  );
}

/**
 * How many times as much `after` is as `before`; each of their figures is from a repetition
 * of its own. The interval is Welch's: of the difference of the means of the logarithms,
 * which needs no equal variances, and is as wide as few repetitions deserve. Undefined where
 * they say nothing of how they vary: one side has a single figure, or few that are all the same.
 */
export function ratioOf(after: readonly number[], before: readonly number[]): Interval | undefined {
  if (after.length < 2 || before.length < 2) return undefined;
  const [a, b] = [after, before].map((values) => spread(values.map(Math.log)));
  const difference = a!.mean - b!.mean;
  const variance = a!.ofMean + b!.ofMean;
  if (variance === 0 && Math.min(after.length, before.length) < FEWEST) return undefined;
  const freedom =
    variance === 0
      ? after.length + before.length - 2
      : variance ** 2 /
        (a!.ofMean ** 2 / (after.length - 1) + b!.ofMean ** 2 / (before.length - 1));
  return around(difference, tQuantile(freedom) * Math.sqrt(variance), Math.exp);
}

/** Mean of ratios in logarithms, each from a repetition of its own; undefined as in ratioOf. */
export function meanRatio(ratios: readonly number[]): Interval | undefined {
  if (ratios.length < 2) return undefined;
  const { mean, ofMean } = spread(ratios.map(Math.log));
  if (ofMean === 0 && ratios.length < FEWEST) return undefined;
  return around(mean, tQuantile(ratios.length - 1) * Math.sqrt(ofMean), Math.exp);
}

/** Mean, and how much the mean varies. */
function spread(values: readonly number[]): { mean: number; ofMean: number } {
  const middle = mean(values) ?? 0;
  const squares = sum(values, (value) => (value - middle) ** 2);
  return { mean: middle, ofMean: squares / (values.length - 1) / values.length };
}

/**
 * The exponent k of cost = c × size^k: the slope of the line of least squares through the
 * logarithms. Takes three points at least.
 */
export function exponentOf(sizes: readonly number[], costs: readonly number[]): Interval {
  const [x, y] = [sizes.map(Math.log), costs.map(Math.log)];
  const n = x.length;
  const [meanX = 0, meanY = 0] = [mean(x), mean(y)];
  const squares = sum(x, (value) => (value - meanX) ** 2);
  const slope = sum(x, (value, i) => (value - meanX) * (y[i]! - meanY)) / squares;
  const rest = sum(x, (value, i) => (y[i]! - meanY - slope * (value - meanX)) ** 2);
  const error = Math.sqrt(rest / (n - 2) / squares);
  return around(slope, tQuantile(n - 2) * error);
}

const around = (middle: number, width: number, scale = (n: number): number => n): Interval => ({
  value: scale(middle),
  low: scale(middle - width),
  high: scale(middle + width),
});

/** Where Student's t lies below with 97.5 %, by degrees of freedom from 1 on. */
const T_QUANTILES = [12.706, 4.303, 3.182, 2.776] as const;
const NORMAL = 1.959964;

/** The same for more of them, by the expansion of Cornish and Fisher; broken ones are cut off. */
function tQuantile(freedom: number): number {
  const v = Math.max(1, Math.floor(freedom));
  const known = T_QUANTILES[v - 1];
  if (known !== undefined) return known;
  const z = NORMAL;
  return (
    z +
    (z ** 3 + z) / (4 * v) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * v ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * v ** 3)
  );
}
