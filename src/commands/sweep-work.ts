/**
 * Common parts of `umbra sweep` and `umbra ab`: options, runs in a random order, and results.
 */

import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type CommandUnknownOpts, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { shuffler } from 'd3-array';
import type { SweepTask } from '../../workers/sweep-task.ts';
import { costTable } from '../cost/model.ts';
import { UserError } from '../errors.ts';
import { Dice } from '../explore/strategies/dice.ts';
import { FIGURES, figureNamed } from '../report/figures.ts';
import { reportHtml } from '../report/page/report.ts';
import { FEWEST, median } from '../report/statistics.ts';
import { short } from '../report/study-cells.ts';
import type { StudyResult, Swept } from '../report/study-result.ts';
import { studyTables } from '../report/study-tables.ts';
import { csvOf } from '../report/table.ts';
import { parseVaried } from '../scenario/vary.ts';
import type { StudyLedger } from '../study/ledger.ts';
import { resultOf, type StudyPlan } from '../study/result.ts';
import { type SweepRun, timed } from '../sweep/runs.ts';
import {
  levelsText,
  type Setting,
  type SweepPlan,
  settingsOf,
  specWith,
  studyOf,
  USUAL_MEASURES,
  WAYS,
} from '../sweep/sweep.ts';
import { sweepTable } from '../sweep/tables.ts';
import { heedInterrupt } from './interrupt.ts';
import {
  JSON_OPTION,
  jsonOutput,
  mustShareStdout,
  output,
  printer,
  QUIET_OPTION,
} from './json-output.ts';
import {
  atATime,
  costsOption,
  group,
  integer,
  type None,
  type OptionsOf,
  several,
} from './options.ts';
import { onPool } from './pool.ts';
import { Progress } from './progress.ts';
import { OUT_OPTION, resultsOf } from './run-folder.ts';
import { ledgerOf } from './study-ledger.ts';
import { showProgress } from './terminal.ts';
import { type LiveState, WATCH_OPTION, Watch } from './watch.ts';

export const withSweepOptions = group((command) =>
  command
    .optionsGroup('What is run:')
    .addOption(
      new Option(
        '--vary <field=values>',
        'a field of the scenario and its values: policy=pinned,random, cpus=1..8, ' +
          'guests[0].vcpus=1,2; may be repeated',
      ).argParser(several(parseVaried)),
    )
    .option('--repeat <n>', 'runs of each setting, one per seed', integer(1, 10_000), FEWEST)
    .option('--seed <n>', 'the first seed', integer(0), 1)
    .option('--order-seed <n>', 'seed of the order of the runs', integer(0), 1)
    .addOption(
      new Option(
        '--on <way>',
        'host CPUs take turns in one thread, or are threads, which are timed and run alone; by ' +
          'default turns, unless a time is measured',
      ).choices(WAYS),
    )
    .option('--jobs <n>', 'runs at a time, on turns; by default one per core', atATime)
    .optionsGroup('What is measured:')
    .addOption(
      new Option(
        '--measure <figures>',
        'what is shown, the most important first: cycles, migrations, faults_per_s, … ' +
          '(docs/sweeps.md)',
      ).argParser(parseMeasures),
    )
    .addOption(costsOption()),
);

export const withSweepOutput = group((command) =>
  command
    .optionsGroup('Output:')
    .option(...WATCH_OPTION)
    .option(...JSON_OPTION)
    .option('--csv <file>', 'write a line for each run, with all that was measured; - for stdout')
    .option('--html <file>', 'write the report as a page; - for stdout')
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION),
);

export type SweepOptions = OptionsOf<typeof withSweepOptions<[], None, None>> &
  OptionsOf<typeof withSweepOutput<[], None, None>>;

function parseMeasures(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    try {
      figureNamed(name);
    } catch (error) {
      if (error instanceof UserError) throw new InvalidArgumentError(`${error.message}.`);
      throw error;
    }
  }
  return names;
}

/**
 * The defaults of how it is run and shown; `held`: what thresholds apply to.
 */
export function wayOf(
  { on, measure, jobs }: SweepOptions,
  held: readonly string[] = [],
): Pick<SweepPlan, 'way' | 'measures'> {
  const asked = [...(measure ?? []), ...held];
  const time = asked.find((name) => FIGURES[name]!.isTime);
  const way = on ?? (time === undefined ? 'turns' : 'threads');
  if (way === 'turns' && time !== undefined) {
    throw new UserError(
      `${time} is a time, and host CPUs that take turns have none: give --on threads, or leave ` +
        `it out`,
    );
  }
  if (way === 'threads' && jobs !== undefined && jobs > 1) {
    throw new UserError('what is timed runs alone on the machine: leave --jobs out');
  }
  const shown = measure ?? USUAL_MEASURES[way];
  return { way, measures: [...new Set([...shown, ...held])] };
}

/** How to print text for people: not if other output goes to stdout. */
export function printerOf({ json, csv, html, quiet }: SweepOptions) {
  const given = mustShareStdout({ json, csv, html });
  return printer({ ...(quiet && { quiet }), ...(given !== undefined && { json: '-' }) });
}

/** The result, and what to do after it is printed. */
export interface Done {
  readonly result: StudyResult & { readonly sweep: Swept };
  readonly interrupted: boolean;
  /** Writes the requested files; not --out while runs are missing. */
  write(): void;
}

/**
 * Run the part of a plan that the ledger of --out lacks. `judge` says which thresholds are met.
 * What cannot
 * be written is a UserError before anything is run.
 */
export async function sweep(
  plan: SweepPlan,
  options: SweepOptions,
  command: CommandUnknownOpts,
  judge: (result: StudyResult) => Swept['thresholds'] = () => [],
): Promise<Done> {
  const { csv, html, json, out, orderSeed } = options;
  const writeCsv = output(csv, { option: '--csv', what: 'table' });
  const writeHtml = output(html, { option: '--html', what: 'page' });
  const writeJson = jsonOutput(json);
  const writeFolder = resultsOf({ ...(out !== undefined && { out }) }, command);
  const settings = settingsOf(plan);
  const { name, way, costs, base: scenario } = plan;
  using ledger = ledgerOf(out, command, {
    study: name,
    way,
    costs: costs === undefined ? 'of the scenario' : JSON.stringify(costTable(costs).cycles),
    scenario: createHash('sha256').update(JSON.stringify(scenario)).digest('hex').slice(0, 16),
  });
  using interrupted = heedInterrupt();
  await using watch = await Watch.begin(`umbra ${command.name()}: ${plan.title}`, options);
  await runAll({ plan, settings, ledger, watch, signal: interrupted.signal }, options);
  const studied: StudyPlan = {
    study: studyOf(plan),
    seeds: plan.seeds,
    costs: settings[0]!.costs,
    wants: () => true,
  };
  const base = resultOf(studied, ledger);
  const failed = settings.flatMap(({ arm }) =>
    plan.seeds.flatMap((seed) => {
      const what = ledger.wrong(arm, seed);
      return what === undefined ? [] : [{ levels: { ...arm.levels }, seed, what }];
    }),
  );
  const result = {
    ...base,
    sweep: { order_seed: orderSeed, failed, thresholds: judge(base) },
  };
  const saved = { name: plan.name, kind: 'study', study: result } as const;
  await watch.end([saved], interrupted.isInterrupted());
  return {
    result,
    interrupted: interrupted.isInterrupted(),
    write: () => {
      const table = sweepTable(result);
      writeJson(result);
      writeCsv(csvOf(table));
      if (html !== undefined) writeHtml(reportHtml([saved]));
      if (result.interrupted) return;
      writeFolder(result, [table, ...studyTables(result)]);
      ledger.remove();
    },
  };
}

/** All settings for each seed, so that an interrupted run has some of every setting. */
function inDrawnOrder(
  settings: readonly Setting[],
  seeds: readonly number[],
  orderSeed: number,
): (readonly [Setting, number])[] {
  const dice = new Dice();
  dice.seed(orderSeed);
  const shuffle = shuffler(() => dice.word() / 2 ** 32);
  return seeds.flatMap((seed) => shuffle([...settings]).map((setting) => [setting, seed] as const));
}

interface Work {
  readonly plan: SweepPlan;
  readonly settings: readonly Setting[];
  readonly ledger: StudyLedger;
  readonly watch: Watch;
  readonly signal: AbortSignal;
}

async function runAll(work: Work, options: SweepOptions): Promise<void> {
  const { plan, settings, ledger, watch, signal } = work;
  const { orderSeed, jobs = availableParallelism() } = options;
  const all = inDrawnOrder(settings, plan.seeds, orderSeed);
  const left = all.filter(([{ arm }, seed]) => ledger.get(arm, seed) === undefined);
  const isTimed = plan.way === 'threads';
  const warmUp = isTimed && left.length > 0 ? settings.length : 0;
  const progress = new Progress('runs', all.length + warmUp, all.length - left.length);
  const stopProgress = showProgress(() => `${progress}`);
  watch.shows(() => ({ advance: progress.advance, ...soFar(work, orderSeed) }));
  const took = ({ arm }: Setting, seed: number, { measures, wrong }: SweepRun): void => {
    const levels = levelsText(arm.levels);
    ledger.record(arm, seed, measures ?? {}, wrong && `${levels}: ${wrong}`);
    progress.add();
    if (wrong === undefined) return;
    progress.fail();
    watch.failed({ of: `${levels}, seed ${seed}`, says: wrong, again: '' });
  };
  try {
    if (!isTimed) return await onTurns(left, jobs, signal, took);
    const [first] = plan.seeds;
    for (const { file, costs } of warmUp > 0 ? settings : []) {
      if (signal.aborted) return;
      await timed(specWith(file, first!), costs, signal);
      progress.add();
    }
    for (const [setting, seed] of left) {
      if (signal.aborted) return;
      const { file, costs } = setting;
      const run = await timed(specWith(file, seed), costs, signal);
      if (run !== undefined) took(setting, seed, run);
    }
  } finally {
    stopProgress();
  }
}

/** Each setting, with its results so far. */
function soFar({ plan, settings, ledger }: Work, orderSeed: number): Omit<LiveState, 'advance'> {
  const { seeds, measures } = plan;
  const [first] = measures as [string];
  const rows = settings.map(({ arm }) => {
    const done = seeds.flatMap((seed) => ledger.get(arm, seed)?.[first] ?? []);
    const found = done.length === 0 ? '–' : short(median(done));
    return [levelsText(arm.levels), `${done.length} of ${seeds.length}`, found];
  });
  const { title } = FIGURES[first]!;
  return {
    facts: [
      ['Seeds', `${seeds[0]} to ${seeds.at(-1)}`],
      ['Order', `drawn from seed ${orderSeed}`],
    ],
    tables: [{ caption: 'So far', head: ['Setting', 'Runs', `${title}, median`], rows }],
  };
}

interface Task extends SweepTask {
  readonly of: number;
}

async function onTurns(
  left: readonly (readonly [Setting, number])[],
  threads: number,
  signal: AbortSignal,
  took: (setting: Setting, seed: number, run: SweepRun) => void,
): Promise<void> {
  await onPool<Task, SweepRun>({
    worker: 'sweep-task',
    name: 'run',
    threads,
    signal,
    tasks: left.map(([{ file, costs }, seed], of) => {
      const { scenario, folder } = file;
      return { scenario, folder, costs, seed, of };
    }),
    done: (run, { of, seed }) => took(left[of]![0], seed, run),
  });
}
