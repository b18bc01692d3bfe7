/** The plan of a study, its units, and its result. */

import type { CostTable } from '../cost/model.ts';
import { estimate, FEWEST } from '../report/statistics.ts';
import {
  type Finding,
  type Point,
  type Samples,
  STUDY_SCHEMA_VERSION,
  type StudyResult,
} from '../report/study-result.ts';
import type { StudyLedger } from './ledger.ts';
import type { Arm, Measures, Study } from './study.ts';

export interface StudyPlan {
  readonly study: Study;
  /** None of a sweep. */
  readonly scale?: number;
  readonly seeds: readonly number[];
  readonly costs: CostTable;
  /** Only experiments of which this holds. */
  readonly wants: (experiment: string) => boolean;
}

/** The units of a plan, seed by seed, so that an interrupted run has some of every arm. */
export const unitsOf = ({
  study,
  scale,
  seeds,
  wants,
}: StudyPlan): readonly (readonly [Arm, number])[] => {
  const arms = study.arms(scale ?? 1).filter(({ experiment }) => wants(experiment));
  return seeds.flatMap((seed) => arms.map((arm) => [arm, seed] as const));
};

/** The result so far, complete or not. */
export function resultOf(plan: StudyPlan, ledger: StudyLedger): StudyResult {
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
    study: name,
    title,
    question,
    method,
    ...(scale !== undefined && { scale }),
    seeds: [...seeds],
    costs: { preset, overridden: [...overridden], cycles: { ...cycles } },
    factors,
    measures,
    points,
    findings: study.conclude(points).map(withReach),
    charts: charts.filter(({ experiment }) => points.some((one) => one.experiment === experiment)),
    interrupted: units.some(([arm, seed]) => ledger.get(arm, seed) === undefined),
  };
}

/**
 * An arm with the results of its first seeds up to the first missing one, so that samples of all
 * arms are of the same seeds; nothing if not even the first was run.
 */
function pointOf(arm: Arm, { study, seeds }: StudyPlan, ledger: StudyLedger): Point[] {
  const found = seeds.map((seed) => ledger.get(arm, seed));
  const missing = found.indexOf(undefined);
  const runs = found.slice(0, missing < 0 ? found.length : missing) as Measures[];
  if (runs.length === 0) return [];
  const samplesOf = (name: string): Samples => {
    const samples = runs.map((run) => run[name]!);
    const { value: median, low, high } = estimate(samples);
    return { median, ...(low !== undefined && { low, high }), samples };
  };
  // A run that went wrong measured nothing, and so there is nothing of its arm.
  const measured = Object.keys(study.measures).filter((name) =>
    runs.every((run) => run[name] !== undefined),
  );
  if (measured.length === 0) return [];
  return [
    {
      experiment: arm.experiment,
      levels: { ...arm.levels },
      measures: Object.fromEntries(measured.map((name) => [name, samplesOf(name)])),
    },
  ];
}

/** What seeds are too few for is said where it would be. */
function withReach(finding: Finding): Finding {
  const { samples } = finding.figure;
  if (samples >= FEWEST) return finding;
  const few = samples === 1 ? 'One seed is' : `${samples || 'No'} seeds are`;
  return {
    ...finding,
    answer: `${finding.answer} ${few} too few for a verdict, which takes ${FEWEST}.`,
  };
}
