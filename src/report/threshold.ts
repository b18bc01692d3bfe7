/** Thresholds as load-testing tools have them: `faults_per_s > 1e5`. */

import { UserError } from '../errors.ts';
import { estimateText } from './estimate-text.ts';
import { figureNamed } from './figures.ts';
import type { Estimate } from './statistics.ts';

const HOLDS = {
  '<': (value: number, bound: number) => value < bound,
  '<=': (value: number, bound: number) => value <= bound,
  '>': (value: number, bound: number) => value > bound,
  '>=': (value: number, bound: number) => value >= bound,
  '==': (value: number, bound: number) => value === bound,
  '!=': (value: number, bound: number) => value !== bound,
} as const;

export interface Threshold {
  /** As it was given. */
  readonly text: string;
  readonly figure: string;
  readonly holds: (value: number) => boolean;
}

const FORM = /^\s*([\w.]+)\s*(<=|>=|==|!=|<|>)\s*(\S+)\s*$/;

/** Throws UserError for an invalid threshold, and for an unknown figure. */
export function parseThreshold(text: string): Threshold {
  const [, figure, operator, bound] = FORM.exec(text) ?? [];
  const limit = bound === undefined ? Number.NaN : Number(bound.replaceAll('_', ''));
  if (figure === undefined || Number.isNaN(limit)) {
    throw new UserError(
      `found the threshold '${text}', expected a figure, one of ${Object.keys(HOLDS).join(' ')} ` +
        `and a ` +
        "number, as in 'faults_per_s > 1e5'",
    );
  }
  figureNamed(figure);
  const holds = HOLDS[operator as keyof typeof HOLDS];
  return { text: text.trim(), figure, holds: (value) => holds(value, limit) };
}

export type Met = 'met' | 'not met' | 'not clear';

/** A threshold, and its result. */
export interface Judged {
  readonly threshold: string;
  readonly verdict: Met;
  /** The figure, and of several runs where it lies. */
  readonly found: string;
}

/** By one run. */
export function judgeRun(
  { text, figure, holds }: Threshold,
  figures: Readonly<Record<string, number>>,
): Judged {
  const value = figures[figure]!;
  return {
    threshold: text,
    verdict: holds(value) ? 'met' : 'not met',
    found: estimateText({ value, samples: 1 }),
  };
}

/**
 * By several: met where the whole interval is on the right side. Fewer than it takes make nothing
 * clear.
 */
export function judgeEstimate({ text, holds }: Threshold, estimate: Estimate): Judged {
  const { low, high } = estimate;
  const ends = low === undefined || high === undefined ? [] : [holds(low), holds(high)];
  const [first] = ends;
  const agree = first !== undefined && ends.every((end) => end === first);
  return {
    threshold: text,
    verdict: !agree ? 'not clear' : first ? 'met' : 'not met',
    found: estimateText(estimate),
  };
}

/** One line for a person. */
export const judgedText = ({ threshold, verdict, found }: Judged): string =>
  `${verdict === 'met' ? 'Met' : verdict === 'not met' ? 'NOT MET' : 'Not clear'}: ${threshold} ` +
  `(${found})`;
