/** Figures of the benchmark as people read them, and a comparison as a table. */

import type { Comparison, LineComparison } from './benchmark-comparison.ts';
import { VERDICTS } from './benchmark-comparison.ts';
import { intervalText, rangeText } from './estimate-text.ts';
import { FEWEST } from './statistics.ts';
import { tableText } from './text-table.ts';

/** So many figures, or all before the point. */
export const few = (n: number, count = 3): string =>
  Math.abs(n) < 10 ** (count - 1) ? n.toPrecision(count) : n.toFixed(0);

const SCALES = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** 23.8 ns, 45.1 M operations/s; `like` is what decides the scale. */
export const withUnit = (n: number, unit: string, like = n): string => {
  const [size, prefix] = scaleOf(unit, like);
  return `${few(n / size)} ${prefix === '' ? '' : `${prefix} `}${unit}`;
};

/** A median, or a ratio. `samples`: those that it is made of, where it could be too few. */
interface Figure {
  readonly median?: number;
  readonly value?: number;
  readonly low: number;
  readonly high: number;
  readonly samples?: number;
}

/**
 * 23.8 [23.6, 24.3]; of samples that are too few for an interval all that they are: 23.8 (23.1 to
 * 24.9 in 4)
 */
export function withInterval({ low, high, samples, ...of }: Figure, unit = ''): string {
  const middle = of.median ?? of.value!;
  const [size] = scaleOf(unit, middle);
  const scaled = { value: middle / size, low: low / size, high: high / size };
  if (samples === undefined || samples >= FEWEST) return intervalText(scaled, few);
  return `${few(scaled.value)} (${rangeText(scaled, few)} in ${samples})`;
}

/** The unit with its prefix, for a figure like this. */
export const unitOf = (unit: string, like: number): string => {
  const [, prefix] = scaleOf(unit, like);
  return prefix === '' ? unit : `${prefix} ${unit}`;
};

/** Times have their scale in their unit. */
function scaleOf(unit: string, n: number): readonly [number, string] {
  if (!unit.endsWith('/s')) return [1, ''];
  return SCALES.find(([size]) => Math.abs(n) >= 100 * size) ?? ([1, ''] as const);
}

/** Lines that differ, that do not, and undecided ones; with --quiet only slower ones. */
export function formatComparison(
  comparison: Comparison,
  {
    columns,
    quiet = false,
  }: { readonly columns?: number; readonly quiet?: boolean | undefined } = {},
): string {
  const { only_before, only_after, warnings } = comparison;
  const lines = comparison.lines.filter(({ verdict }) => !quiet || verdict === 'slower');
  return [
    ...warnings.map((warning) => `Beware: ${warning}.\n`),
    ...(warnings.length > 0 ? ['\n'] : []),
    ...(lines.length > 0 ? [`${tableOf(lines, columns)}\n\n`] : []),
    ...onlyIn('before', only_before),
    ...onlyIn('after', only_after),
    summaryOf(comparison),
  ].join('');
}

function tableOf(lines: readonly LineComparison[], columns: number | undefined): string {
  const rows = lines.map(({ name, unit, by, before, after, times, verdict }) => [
    ...[name, withUnit(before, unit), withUnit(after, unit)],
    ...(times === undefined ? ['–', ''] : intervalText(times, decimals).split(/ (.*)/, 2)),
    ...[by, verdict],
  ]);
  const head = ['line', 'before', 'after', 'times as long', '', 'by', 'verdict'];
  const align = ['left', 'right', 'right', 'right', 'left', 'left', 'left'] as const;
  return tableText({ head, align, rows }, { columns });
}

const decimals = (n: number, count: number): string => n.toFixed(count);

const onlyIn = (when: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`Only ${when}: ${names.join('; ')}.\n`];

/** 2 slower, 1 faster, 30 no difference, 4 too noisy to say (of 37 lines) */
export function summaryOf({ lines, threshold }: Comparison): string {
  const counts = VERDICTS.map(
    (verdict) => `${lines.filter((line) => line.verdict === verdict).length} ${verdict}`,
  );
  return (
    `${counts.join(', ')}\n` +
    `A difference is more than ${+(threshold * 100).toFixed(2)} %, with an interval (95 %, in ` +
    'brackets) that excludes no difference.\n'
  );
}
