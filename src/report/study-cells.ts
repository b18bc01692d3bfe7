/** The points of one experiment as rows of short texts, for a terminal and for a page. */

import { significant } from '../numbers.ts';
import type { Point, Samples, StudyResult } from './study-result.ts';
import type { TextTable } from './text-table.ts';

/** A column for each factor, and each measure but for details, that some point has. */
export function pointsTable(
  { factors, measures }: Pick<StudyResult, 'factors' | 'measures'>,
  points: readonly Point[],
): TextTable & { readonly factors: number } {
  const varied = Object.entries(factors).map(([name, { title }]) => ({
    title,
    align: 'left' as const,
    cells: points.map(({ levels }) => String(levels[name] ?? '')),
  }));
  const measured = Object.entries(measures)
    .filter(([, { detail = false }]) => !detail)
    .map(([name, { title }]) => ({
      title,
      align: 'right' as const,
      cells: points.map(({ measures: found }) => (found[name] ? withSpread(found[name]) : '')),
    }));
  const columns = [...varied, ...measured].filter(({ cells }) => cells.some((cell) => cell !== ''));
  return {
    factors: columns.filter(({ align }) => align === 'left').length,
    head: columns.map(({ title }) => title),
    align: columns.map(({ align }) => align),
    rows: points.map((_, i) => columns.map(({ cells }) => cells[i]!)),
  };
}

/**
 * 28.5k ±0.2 %: the distance from the median to the farther end of the interval. The median alone
 * if all seeds have the same value, or are too few for an interval.
 */
export function withSpread({ median, low, high }: Samples): string {
  if (low === undefined || high === undefined || low === high) return short(median);
  // Of next to nothing a share says nothing.
  if (low <= 0 && high >= 0) return `${short(low)} to ${short(high)}`;
  const spread = Math.max(high - median, median - low) / Math.abs(median);
  return `${short(median)} ±${significant(100 * spread, spread < 0.1 ? 1 : 2)} %`;
}

const SCALES = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e4, 'k'],
] as const;

/** Three digits that count: 28.5k, 9.47M, 537, 0.0123; whole numbers whole up to 9999. */
export function short(n: number): string {
  const [from, letter] = SCALES.find(([size]) => Math.abs(n) >= size) ?? [1, ''];
  const scaled = n / (letter === 'k' ? 1e3 : from);
  if (letter === '' && Number.isInteger(n)) return String(n);
  return `${Math.abs(scaled) >= 100 ? Math.round(scaled) : significant(scaled)}${letter}`;
}
