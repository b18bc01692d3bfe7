/** A worker of umbra sweep: one setting with one seed, its host CPUs round robin. */

import type { CostTable } from '../src/cost/model.ts';
import { checkScenario } from '../src/scenario/parse.ts';
import { type SweepRun, turned } from '../src/sweep/runs.ts';
import { specWith } from '../src/sweep/sweep.ts';

export interface SweepTask {
  /** As a value, and where paths in it count from. */
  readonly scenario: unknown;
  readonly folder: string;
  readonly costs: CostTable;
  readonly seed: number;
}

export const run = ({ scenario, folder, costs, seed }: SweepTask): SweepRun =>
  turned(specWith(checkScenario(scenario, folder), seed), costs);
