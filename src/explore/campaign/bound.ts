/**
 * The bound of PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010): a bug of
 * depth d among n threads and k steps is met by a schedule with a chance of at least
 * 1 / (n · k^(d−1)); so r schedules miss it with one of at most (1 − 1 / (n · k^(d−1)))^r.
 *
 * It holds for schedules by priorities alone. Schedules with acts of hardware may find such bugs
 * too, and others, but with no known chance.
 *
 * LIMIT: k is the longest schedule seen. A strategy draws its changes from the length that it knew
 * when the schedule began, which may be a little less.
 */

/** The d of a strategy of that name; undefined for strategies without a bound. */
export function depthOf(strategy: string): number | undefined {
  const digits = /^pct-(\d+)$/.exec(strategy)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export interface Bound {
  /** The chance that all schedules miss such a bug: at most this. */
  readonly missed: number;
  /** The chance that one finds it: at least this. Near `missed` = 1 only this one is exact. */
  readonly met: number;
}

/** `depth`, `n` and `k` from 1, `r` from 0. */
export function pctBound(depth: number, n: number, k: number, r: number): Bound {
  if (r === 0) return { missed: 1, met: 0 };
  const log = r * Math.log1p(-1 / (n * k ** (depth - 1)));
  return { missed: Math.exp(log), met: -Math.expm1(log) };
}

/** Never rounded to certainty: 0.987, 2.1e-9, or 1 − 3.4e-7. */
export function formatMissed({ missed, met }: Bound): string {
  if (met === 0 || missed === 0) return String(missed);
  if (met < 0.0005) return `1 − ${met.toExponential(1)}`;
  return missed < 0.0005 ? missed.toExponential(1) : missed.toFixed(3);
}
