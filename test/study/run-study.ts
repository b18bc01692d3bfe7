/** Runs the units of a study that are not done yet, in their order, in this thread. */

import type { StudyResult } from '../../src/report/study-result.ts';
import type { StudyLedger } from '../../src/study/ledger.ts';
import { resultOf, type StudyPlan, unitsOf } from '../../src/study/result.ts';

/** `most`: units to run; the rest is left, as by Ctrl-C. */
export async function runStudy(
  plan: StudyPlan,
  ledger: StudyLedger,
  most = Number.POSITIVE_INFINITY,
): Promise<StudyResult> {
  const left = unitsOf(plan).filter(([arm, seed]) => ledger.get(arm, seed) === undefined);
  for (const [arm, seed] of left.slice(0, most)) {
    ledger.record(arm, seed, await arm.run(seed, plan.costs));
  }
  return resultOf(plan, ledger);
}
