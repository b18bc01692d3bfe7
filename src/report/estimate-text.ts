/** Figures as people read them, with where they lie. */

import type { Estimate, Interval } from './statistics.ts';

/** Digits that count, unless it takes more to tell the ends of an interval apart. */
const DIGITS = 3;

const MOST_DIGITS = 12;

/** Ends that are nearer than this, for one of the figure, are the same but for rounding. */
const SAME = 1e-9;

const isSame = ({ value, low, high }: Interval): boolean => high - low <= SAME * Math.abs(value);

/**
 * `2.31 [2.10, 2.54]`; `9,017 (the same for all 6 seeds)`, which is what samples are `called`;
 * without either where they are too few to say; `–` where there is no figure: a share of nothing.
 */
export function estimateText({ value, samples, low, high }: Estimate, called = 'seeds'): string {
  if (!Number.isFinite(value)) return '–';
  if (low === undefined || high === undefined) return digitsOf(value, DIGITS);
  if (isSame({ value, low, high })) {
    return `${digitsOf(value, DIGITS)} (the same for all ${samples} ${called})`;
  }
  return intervalText({ value, low, high }, digitsOf);
}

/** Writes so many digits that count. */
type Digits = (n: number, count: number) => string;

/** `2.31 [2.10, 2.54]`; `2.31 exactly` where that has no width. */
export function intervalText(interval: Interval, digits: Digits): string {
  const { value, low, high } = interval;
  if (isSame(interval)) return `${digits(value, DIGITS)} exactly`;
  const count = countApart(low, high, digits);
  return `${digits(value, count)} [${digits(low, count)}, ${digits(high, count)}]`;
}

/** `2.10 to 2.54` */
export function rangeText({ low, high }: Pick<Interval, 'low' | 'high'>, digits: Digits): string {
  const count = low === high ? DIGITS : countApart(low, high, digits);
  return `${digits(low, count)} to ${digits(high, count)}`;
}

/** How many digits tell the two apart. */
function countApart(low: number, high: number, digits: Digits): number {
  let count = DIGITS;
  while (count < MOST_DIGITS && digits(low, count) === digits(high, count)) count++;
  return count;
}

/** Whole numbers whole, with their thousands apart. */
const digitsOf = (n: number, count: number): string =>
  n.toLocaleString('en-US', {
    ...(Math.abs(n) >= 10 ** count
      ? { maximumFractionDigits: 0 }
      : { maximumSignificantDigits: count }),
  });
