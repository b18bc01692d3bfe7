/**
 * What follows from a sweep: which setting is the best; and from two settings: which has more,
 * seed by seed.
 */

import { estimateText } from '../report/estimate-text.ts';
import { FIGURES } from '../report/figures.ts';
import type { Estimate } from '../report/statistics.ts';
import type { Finding, Point } from '../report/study-result.ts';
import { type Bounds, perSeed, ratioOfPoints, verdictOf } from '../study/findings.ts';
import { turns } from '../study/sensitivity.ts';
import type { Levels } from '../study/study.ts';
import { levelsText } from './sweep.ts';

/**
 * Which has the least (or the most, where more is better) of a figure, against each of the others.
 */
export function bestOf(points: readonly Point[], figure: string): Finding[] {
  const { title, moreIsBetter = false } = FIGURES[figure]!;
  const sorted = points
    .filter(({ measures }) => measures[figure] !== undefined)
    .toSorted((a, b) => a.measures[figure]!.median - b.measures[figure]!.median);
  if (moreIsBetter) sorted.reverse();
  const [best, ...others] = sorted;
  const [next] = others;
  if (best === undefined || next === undefined) return [];
  const ratios = others.map((other) => ratioOfPoints(other, best, figure));
  const verdicts = ratios.map((ratio) => verdictOf(ratio, moreIsBetter ? BELOW : ABOVE));
  const all = verdicts.every((verdict) => verdict === 'holds');
  const unclear = verdicts.filter((verdict) => verdict !== 'holds').length;
  const least = moreIsBetter ? 'most' : 'least';
  return [
    {
      claim: `${levelsText(best.levels)} has the ${least} ${lower(title)}.`,
      verdict: all ? 'holds' : 'not clear',
      answer:
        `The next, ${levelsText(next.levels)}, has ${estimateText(ratios[0]!)} times as many` +
        `${all ? '' : `; ${unclearText(unclear, others.length)}`}.`,
      figure: { name: `${lower(title)}, next to ${least}`, unit: '1', ...ratios[0]! },
    },
  ];
}

const unclearText = (unclear: number, of: number): string =>
  of === 1
    ? 'the two cannot be told apart'
    : `it cannot be told apart from ${unclear} of the ${of} others`;

const ABOVE = { above: 1 } as const;
const BELOW = { below: 1 } as const;

/** How the second of two settings is beside the first. */
export type Side = 'more' | 'fewer' | 'the same' | 'not clear';

export interface Compared {
  readonly figure: string;
  /** Of the second for each of the first, seed by seed; the difference where the first has none. */
  readonly estimate: Estimate;
  readonly isDifference: boolean;
  readonly side: Side;
}

/** `threshold`: a difference by less than this share does not matter. */
export function comparedBy(
  figure: string,
  [first, second]: readonly [Point, Point],
  threshold: number,
): Compared {
  const ratio = ratioOfPoints(second, first, figure);
  const seeds = Math.min(
    ...[first, second].map(({ measures }) => measures[figure]!.samples.length),
  );
  if (ratio.samples === seeds) {
    const side = sideOf(ratio, { above: 1 + threshold, below: 1 / (1 + threshold) });
    return { figure, estimate: ratio, isDifference: false, side };
  }
  const estimate = perSeed([second, first], (b, a) => b[figure]! - a[figure]!);
  return { figure, estimate, isDifference: true, side: sideOf(estimate, { above: 0, below: 0 }) };
}

function sideOf(estimate: Estimate, { above, below }: Required<Bounds>): Side {
  if (verdictOf(estimate, { above }) === 'holds') return 'more';
  if (verdictOf(estimate, { below }) === 'holds') return 'fewer';
  const { low, high } = estimate;
  if (low === undefined || high === undefined) return 'not clear';
  return low >= below && high <= above ? 'the same' : 'not clear';
}

/** As a finding of a study: what the second has, or where that is not clear, that it has more. */
export function comparedFinding(
  { figure, estimate, isDifference, side }: Compared,
  [first, second]: readonly [Point, Point],
): Finding {
  const { unit, title: named } = FIGURES[figure]!;
  const title = lower(named);
  const [a, b] = namesApart([first.levels, second.levels]);
  const hangsOnCosts = figure === 'cycles' && verdictOf(estimate, ABOVE) !== 'not clear';
  const sensitivity = hangsOnCosts ? turns(second, first, 1) : '';
  return {
    claim: `${b} has ${COMPARATIVES[side](title)} ${a}.`,
    verdict: side === 'not clear' ? 'not clear' : 'holds',
    answer:
      `${estimateText(estimate)}${isDifference ? ', where the other has none' : ' times as many'}.` +
      sensitivity,
    figure: {
      name: `${title}, ${b} ${isDifference ? 'less' : 'to'} ${a}`,
      unit: isDifference ? unit : '1',
      ...estimate,
    },
  };
}

const COMPARATIVES: Readonly<Record<Side, (title: string) => string>> = {
  more: (title) => `more ${title} than`,
  fewer: (title) => `fewer ${title} than`,
  'the same': (title) => `as many ${title} as`,
  'not clear': (title) => `more ${title} than`,
};

/** The difference between two settings: `pinned` and `random`, `slice=500` and `slice=2000`. */
export function namesApart([a, b]: readonly [Levels, Levels]): readonly [string, string] {
  const fields = Object.keys(a).filter((field) => a[field] !== b[field]);
  const nameOf = (levels: Levels): string =>
    fields
      .map((field) => (isName(levels[field]!) ? levels[field] : `${field}=${levels[field]}`))
      .join(', ');
  return [nameOf(a), nameOf(b)];
}

/** Not a number, a map or a truth value, which say nothing without their field. */
const isName = (level: string | number): boolean =>
  typeof level === 'string' && !/^(true|false|[[{].*)$/s.test(level);

/** Whether the second is the worse one. */
export const isWorse = ({ figure, side }: Compared): boolean =>
  side === (FIGURES[figure]!.moreIsBetter ? 'fewer' : 'more');

const lower = (title: string): string => title[0]!.toLowerCase() + title.slice(1);
