/** Runs the units of a study that are not done yet, in their order, and makes its result. */

import { setImmediate as nextTurnOfTheLoop } from 'node:timers/promises';
import type { CostTable } from '../cost/model.ts';
import { summarise } from '../report/statistics.ts';
import {
  type Point,
  type Samples,
  STUDY_SCHEMA_VERSION,
  type StudyResult,
} from '../report/study-result.ts';
import type { StudyLedger } from './ledger.ts';
import type { Arm, Study } from './study.ts';

export interface StudyPlan {
  readonly study: Study;
  readonly scale: number;
  readonly seeds: readonly number[];
  readonly costs: CostTable;
  /** Only experiments of which this holds. */
  readonly wants: (experiment: string) => boolean;
}

/** What a plan consists of; seed by seed, so that what is broken off has something of every arm. */
export const unitsOf = ({
  study,
  scale,
  seeds,
  wants,
}: StudyPlan): readonly (readonly [Arm, number])[] => {
  const arms = study.arms(scale).filter(({ experiment }) => wants(experiment));
  return seeds.flatMap((seed) => arms.map((arm) => [arm, seed] as const));
};

export interface StudyWatch {
  readonly isInterrupted: () => boolean;
  readonly done: () => void;
}

export async function runStudy(
  plan: StudyPlan,
  ledger: StudyLedger,
  { isInterrupted, done }: StudyWatch,
): Promise<StudyResult> {
  const units = unitsOf(plan);
  for (const [arm, seed] of units) {
    if (ledger.get(arm, seed) !== undefined) continue;
    // A run may keep the thread from beginning to end: Ctrl-C and progress get in between.
    await nextTurnOfTheLoop();
    if (isInterrupted()) break;
    ledger.record(arm, seed, await arm.run(seed, plan.costs));
    done();
  }
  return resultOf(plan, ledger);
}

function resultOf(plan: StudyPlan, ledger: StudyLedger): StudyResult {
  const { study, scale, seeds, costs } = plan;
  const units = unitsOf(plan);
  const points = [...new Set(units.map(([arm]) => arm))].flatMap((arm) =>
    pointOf(arm, plan, ledger),
  );
  const { name, title, question, method, factors, measures, charts } = study;
  const { preset, overridden, cycles } = costs;
  return {
    schema_version: STUDY_SCHEMA_VERSION,
    kind: 'study',
    ...{ study: name, title, question, method, scale, seeds: [...seeds] },
    costs: { preset, overridden: [...overridden], cycles: { ...cycles } },
    ...{ factors, measures, points },
    findings: [...study.conclude(points)],
    charts: charts.filter(({ experiment }) => points.some((one) => one.experiment === experiment)),
    interrupted: units.some(([arm, seed]) => ledger.get(arm, seed) === undefined),
  };
}

/** An arm with what its seeds came to; nothing if none was run. */
function pointOf(arm: Arm, { study, seeds }: StudyPlan, ledger: StudyLedger): Point[] {
  const runs = seeds.map((seed) => ledger.get(arm, seed)).filter((run) => run !== undefined);
  if (runs.length === 0) return [];
  const samplesOf = (name: string): Samples => {
    const samples = runs.flatMap((run) => run[name] ?? []);
    const { median, low, high } = summarise(samples);
    return { median, low, high, samples };
  };
  const measured = Object.keys(study.measures).filter((name) => runs[0]![name] !== undefined);
  return [
    {
      ...{ experiment: arm.experiment, levels: { ...arm.levels } },
      measures: Object.fromEntries(measured.map((name) => [name, samplesOf(name)])),
    },
  ];
}
