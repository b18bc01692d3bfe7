/** A worker of a study for a queue: one arm with one seed. */

import type { CostTable } from '../src/cost/model.ts';
import { STUDIES } from '../src/study/catalogue.ts';
import { unitOf } from '../src/study/ledger.ts';
import type { Measures } from '../src/study/study.ts';

export interface StudyTask {
  readonly study: string;
  readonly scale: number;
  readonly costs: CostTable;
  /** Of an arm and a seed, as ledgers name it. */
  readonly unit: string;
  readonly seed: number;
}

export async function run({ study, scale, costs, unit, seed }: StudyTask): Promise<Measures> {
  const arm = STUDIES[study]?.arms(scale).find((one) => unitOf(one, seed) === unit);
  if (arm === undefined) throw new Error(`the study ${study} has no ${unit} here`);
  return arm.run(seed, costs);
}
