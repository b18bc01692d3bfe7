/** Numbers as people read them. */

/** 1,234,567 */
export const grouped = (n: number): string => n.toLocaleString('en-US');

/** 1 run, 1,234 runs, 2 switches */
export const counted = (n: number, what: string): string =>
  `${grouped(n)} ${what}${n === 1 ? '' : what.endsWith('ch') ? 'es' : 's'}`;

/** 0.0123, 1.23, 123: so many digits that count, and no zeros behind them. */
export const significant = (n: number, digits = 3): number => Number(n.toPrecision(digits));

/** 12.5 %; a dash for a share of nothing. */
export const percent = (share: number, digits = 1): string =>
  Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : '–';

/** How many in a second: 2.5, or 1,234, since whole numbers would say little of a few. */
export const perSecond = (rate: number): string =>
  rate < 10 ? rate.toFixed(1) : grouped(Math.round(rate));

/** 0x0804a010 */
export const hex = (n: number, digits = 8): string =>
  `0x${(n >>> 0).toString(16).padStart(digits, '0')}`;

/** 1:02:03, or 2:03 */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A chance, and the interval that it is in, in 95 cases of 100. */
export interface Chance {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** As in "18 % (16–21)". */
export function formatChance({ estimate, low, high }: Chance): string {
  const digits = [0.01, 0.1].filter((limit) => high < limit).length;
  const [from, to] = [low, high].map((chance) => (100 * chance).toFixed(digits));
  return `${percent(estimate, digits)} (${from}–${to})`;
}
