/**
 * A study: a question, machines that differ in one factor, their measures, and conclusions from the
 * figures.
 */

import type { CostTable } from '../cost/model.ts';
import type { ChartSpec, Factor, Finding, Measure, Point } from '../report/study-result.ts';

/** By the names that a study gives its measures. */
export type Measures = Readonly<Record<string, number>>;

/** By the names that a study gives its factors. */
export type Levels = Readonly<Record<string, string | number>>;

/** One setting of the varied factors. It is run once for each seed. */
export interface Arm {
  /** Arms of one experiment are compared with one another. */
  readonly experiment: string;
  readonly levels: Levels;
  /**
   * One run. Where it is under control it is a function of the seed alone; where it is measured
   * on threads it says so in the study's method. `costs`: what cycles are counted with.
   */
  run(seed: number, costs: CostTable): Promise<Measures>;
}

export interface Study {
  readonly name: string;
  readonly title: string;
  readonly question: string;
  /** The method: what is run, how often, and what is held equal. */
  readonly method: string;
  readonly factors: Readonly<Record<string, Factor>>;
  readonly measures: Readonly<Record<string, Measure>>;
  /**
   * `scale`: 1 is small enough for two cores, some half a minute; more takes as many times longer.
   */
  arms(scale: number): readonly Arm[];
  readonly charts: readonly ChartSpec[];
  /** What follows; of experiments that were not run there is nothing to say. */
  conclude(points: readonly Point[]): readonly Finding[];
}
