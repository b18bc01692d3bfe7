/**
 * A scenario, or two, in many settings, as a study: what is varied, what is measured, and how it
 * is shown.
 */

import type { CostTable } from '../cost/model.ts';
import type { PresetName } from '../cost/presets.ts';
import type { MachineSpec } from '../machine.ts';
import { FIGURES } from '../report/figures.ts';
import type { ChartSpec, Finding, Point } from '../report/study-result.ts';
import type { ScenarioFile } from '../scenario/parse.ts';
import { costsOf, specOf } from '../scenario/spec.ts';
import type { Variation } from '../scenario/vary.ts';
import type { Arm, Levels, Study } from '../study/study.ts';

/** How machines are run: one after the other where they are timed. */
export const WAYS = ['turns', 'threads'] as const;

export type Way = (typeof WAYS)[number];

export interface SweepPlan {
  readonly name: string;
  readonly title: string;
  readonly question: string;
  /** The input before variation: resuming with another one is refused. */
  readonly base: unknown;
  readonly settings: readonly Variation[];
  /** Figures that are shown, the most important first. */
  readonly measures: readonly string[];
  readonly way: Way;
  /** Instead of those of the scenario. */
  readonly costs: PresetName | undefined;
  readonly seeds: readonly number[];
  /** What follows from its points. */
  readonly conclude: (points: readonly Point[]) => readonly Finding[];
}

/** What is run of a setting, by its seed. */
export interface Setting {
  readonly arm: Arm;
  readonly file: ScenarioFile;
  readonly costs: CostTable;
}

export const specWith = (file: ScenarioFile, seed: number): MachineSpec => specOf(file, { seed });

/** All of it but for running, which is not done one after the other. */
export function settingsOf({ settings, costs }: SweepPlan): Setting[] {
  const { experimentOf } = axesOf(settings);
  return settings.map(({ levels, file }) => ({
    arm: {
      experiment: experimentOf(levels),
      levels,
      run: () => Promise.reject(new Error('a sweep runs its settings itself')),
    },
    file,
    costs: costsOf(file, costs),
  }));
}

/** By default: what is told of a setting. */
export const USUAL_MEASURES: Readonly<Record<Way, readonly string[]>> = {
  turns: ['cycles', 'cycles_lost', 'cycles_per_slice', 'faults', 'migrations', 'walks'],
  threads: ['cycles_lost', 'faults_per_s', 'migrations', 'shootdowns', 'lock_waits'],
};

export function studyOf(plan: SweepPlan): Study {
  const { name, title, question, settings, measures, way } = plan;
  const shown = [...measures, ...Object.keys(FIGURES).filter((id) => !measures.includes(id))];
  const arms = settingsOf(plan).map(({ arm }) => arm);
  const fields = Object.keys(settings[0]!.levels);
  return {
    name,
    title,
    question,
    method: methodOf(plan),
    factors: Object.fromEntries(fields.map((field) => [field, { title: field, unit: '' }])),
    measures: Object.fromEntries(
      shown
        .filter((id) => way === 'threads' || !FIGURES[id]!.isTime)
        .map((id) => {
          const { title, unit, description } = FIGURES[id]!;
          return [id, { title, unit, description, detail: !measures.includes(id) }];
        }),
    ),
    arms: () => arms,
    charts: chartsOf(plan, arms),
    conclude: plan.conclude,
  };
}

/** Above all of them in one column, or in the order of two of them. */
function methodOf({ settings, way, seeds }: SweepPlan): string {
  const how =
    way === 'turns'
      ? 'Host CPUs take turns in one thread, a time slice each, so that a run is a function of ' +
        'its ' +
        'seed, whatever else runs at the time, and no CPU ever waits for another. Cycles are ' +
        'simulated.'
      : 'Each host CPU is a thread, one run at a time, and times are real ones of this machine; ' +
        'a round over ' +
        'all settings to warm up is not counted. Cycles are simulated, from what was counted.';
  return (
    `${settings.length} settings, each run with the same ${seeds.length} seeds, in an order ` +
    `that is drawn ` +
    `anew for each seed. ${how}`
  );
}

/**
 * Which field is along the axis, which by colour; those that are left have a chart for each value.
 */
function axesOf(settings: readonly Variation[]) {
  const fields = Object.keys(settings[0]!.levels);
  const levelsOf = (field: string) => [...new Set(settings.map(({ levels }) => levels[field]!))];
  const isNumeric = (field: string): boolean =>
    levelsOf(field).length > 1 && levelsOf(field).every((level) => typeof level === 'number');
  const along = fields
    .filter(isNumeric)
    .toSorted((a, b) => levelsOf(b).length - levelsOf(a).length)[0];
  const x = along ?? fields[0]!;
  const series = fields.find((field) => field !== x);
  const rest = fields.filter((field) => field !== x && field !== series);
  const experimentOf = (levels: Levels): string =>
    rest.length === 0
      ? 'all settings'
      : rest.map((field) => `${field}=${levels[field]}`).join(', ');
  const numbers = levelsOf(x).filter((level) => typeof level === 'number');
  return { x, series, isNumeric: along !== undefined, numbers, experimentOf };
}

/** More would not be read. */
const MOST_CHARTS = 12;
/** Of the greatest to the least: there is a decade to see. */
const LOG_RANGE = 10;

function chartsOf({ settings, measures }: SweepPlan, arms: readonly Arm[]): ChartSpec[] {
  const { x, series, isNumeric, numbers } = axesOf(settings);
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const experiments = [...new Set(arms.map(({ experiment }) => experiment))];
  const charts = measures.flatMap((y) =>
    experiments.map((experiment, i): ChartSpec => {
      const where = experiments.length === 1 ? '' : `, ${experiment}`;
      const title = `${FIGURES[y]!.title} by ${x}${where}`;
      const of = { id: `${y}-${i}`, title, experiment, x, y, ...(series && { series }) };
      if (!isNumeric) return { ...of, kind: 'bar', x_scale: 'band' };
      const isWide = least > 0 && most / least >= LOG_RANGE;
      return { ...of, kind: 'line', x_scale: isWide ? 'log' : 'linear' };
    }),
  );
  return charts.slice(0, MOST_CHARTS);
}

/** `policy=pinned, slice=500` */
export const levelsText = (levels: Levels): string =>
  Object.entries(levels)
    .map(([field, level]) => `${field}=${level}`)
    .join(', ');
