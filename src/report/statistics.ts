/** Medians, and how sure they are. */

export interface Summary {
  readonly median: number;
  /** The median of all that could have been measured lies here with `confidence`. */
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
  readonly samples: number;
}

const WANTED_CONFIDENCE = 0.95;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Median with the narrowest interval of two order statistics, as far from either end,
 * that holds with 95 %: whatever the distribution, the true median lies outside only if
 * fewer than k of n samples fall on one side of it, a binomial with p = 1/2. With fewer
 * than 6 samples it is the whole range, and `confidence` says how little that is worth.
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
    if (1 - 2 * next < WANTED_CONFIDENCE) break;
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
