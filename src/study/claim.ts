/**
 * A claim of a study as data: the arms that it compares, the figure that decides it, its bound, and
 * the sentence.
 */

import { estimateText } from '../report/estimate-text.ts';
import type { Estimate } from '../report/statistics.ts';
import type { Finding, Point } from '../report/study-result.ts';
import { type Bounds, changed, perSeed, pointAt, ratioOfPoints, verdictOf } from './findings.ts';
import { turns } from './sensitivity.ts';
import type { Levels, Measures } from './study.ts';

/**
 * A figure of the arms, made seed by seed: the name of a measure is how many times as much of it
 * the first has as the second.
 */
export type Figure = string | ((...arms: readonly Measures[]) => number);

/** The compared arms. */
export interface Comparison {
  readonly experiment: string;
  /** The levels of each arm. Nothing is said where one of them was not run. */
  readonly arms: readonly Levels[];
  readonly figure: Figure;
  /** Where all of the figure's interval lies if the claim holds. */
  readonly bounds: Bounds;
}

export interface Claim extends Comparison {
  /** A sentence that is true or not. */
  readonly claim: string;
  /** The figure's name and unit; `shown`: how it is reported, if not as it is compared. */
  readonly name: string;
  readonly unit?: string;
  readonly shown?: (n: number) => number;
  /**
   * The sentence with the figure in words. Which single costs turn the verdict is added where it
   * hangs on a ratio of cycles.
   */
  readonly answer: (figure: string, told: Told) => string;
  readonly published?: Published | ((told: Told) => Published);
}

type Published = NonNullable<Finding['published']>;

/** Parts of sentences. */
export interface Told {
  readonly arms: readonly Point[];
  /** All points of the study. */
  readonly points: readonly Point[];
  readonly estimate: (figure: Figure) => Estimate;
  /** Another figure of the same arms, and in hundredths. */
  readonly words: (figure: Figure) => string;
  readonly percent: (figure: Figure) => string;
}

/** Claims that depend on what was run. */
type Drawn = (points: readonly Point[]) => readonly Claim[];

/** All that can be said of the experiments that were run. */
export const concluding =
  (claims: readonly (Claim | Drawn)[]) =>
  (points: readonly Point[]): Finding[] =>
    claims
      .flatMap((claim) => (typeof claim === 'function' ? claim(points) : claim))
      .flatMap((claim) => findingOf(claim, points) ?? []);

/** Undefined where it was not run. */
export function compared({ experiment, arms, figure, bounds }: Comparison, all: readonly Point[]) {
  const points = arms.map((levels) => pointAt(all, experiment, levels));
  if (!points.every((point) => point !== undefined)) return undefined;
  const estimate = (of: Figure): Estimate =>
    typeof of === 'string' ? ratioOfPoints(points[0]!, points[1]!, of) : perSeed(points, of);
  const value = estimate(figure);
  return { points, estimate, value, verdict: verdictOf(value, bounds) };
}

function findingOf(claim: Claim, all: readonly Point[]): Finding | undefined {
  const found = compared(claim, all);
  if (found === undefined) return undefined;
  const { points, estimate, value, verdict } = found;
  const { figure, bounds, shown, published } = claim;
  const told: Told = {
    arms: points,
    points: all,
    estimate,
    words: (of) => estimateText(estimate(of)),
    percent: (of) => estimateText(changed(estimate(of), inPercent)),
  };
  const asShown = shown === undefined ? value : changed(value, shown);
  const hangsOnCosts = figure === 'cycles' && bounds.below === undefined && verdict !== 'not clear';
  const sensitivity = hangsOnCosts ? turns(points[0]!, points[1]!, bounds.above!) : '';
  return {
    claim: claim.claim,
    verdict,
    answer: claim.answer(estimateText(asShown), told) + sensitivity,
    figure: { name: claim.name, unit: claim.unit ?? '1', ...asShown },
    ...(published && {
      published: typeof published === 'function' ? published(told) : published,
    }),
  };
}

export const inPercent = (share: number): number => 100 * share;

/** 1.25 times the cycles without are 20 % saved. */
export const percentSaved = (ratio: number): number => (1 - 1 / ratio) * 100;
export const percentMore = (ratio: number): number => (ratio - 1) * 100;
