/** `umbra study`: experiments that answer a question, repeated over seeds. */

import { dirname, join, matchesGlob } from 'node:path';
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import type { StudyTask } from '../../workers/study-task.ts';
import { costTable } from '../cost/model.ts';
import { UserError } from '../errors.ts';
import { chartFile } from '../report/chart.ts';
import { FEWEST } from '../report/statistics.ts';
import { studyMarkdown } from '../report/study-markdown.ts';
import type { ChartSpec, StudyResult } from '../report/study-result.ts';
import { studyTables } from '../report/study-tables.ts';
import { studyText } from '../report/study-text.ts';
import { STUDIES } from '../study/catalogue.ts';
import { type StudyLedger, unitOf } from '../study/ledger.ts';
import { resultOf, type StudyPlan, unitsOf } from '../study/result.ts';
import type { Measures } from '../study/study.ts';
import { didYouMean } from '../yaml/closest.ts';
import { ExitCode } from './exit-code.ts';
import { heedInterrupt } from './interrupt.ts';
import {
  JSON_OPTION,
  jsonOutput,
  mustShareStdout,
  output,
  printer,
  QUIET_OPTION,
} from './json-output.ts';
import { partOfPage } from './marked-page.ts';
import {
  costsOption,
  integer,
  mustBeBare,
  type OptionsOf,
  positive,
  seedsFrom,
} from './options.ts';
import { Progress } from './progress.ts';
import { OUT_OPTION, resultsOf } from './run-folder.ts';
import { interruptedText, ledgerOf } from './study-ledger.ts';
import { columnsOf, listing, wrap } from './terminal.ts';
import { checkQueueOptions, doUnits, type UnitsJob, withQueue } from './units.ts';

/** A thousand takes hours. */
const MOST_SCALE = 1000;

function declare() {
  const command = new Command('study')
    .summary('Answer a question by an experiment')
    .description(
      'Run the experiments of a study, each setting once per seed, and say what follows from the ' +
        'figures, and how certain that is. Without a name, list the studies.',
    )
    .argument('[name]', `${Object.keys(STUDIES).join(', ')}`)
    .optionsGroup('What is run:')
    .option('--seeds <n>', 'runs of each setting, one per seed', integer(1), FEWEST)
    .option('--seed <n>', 'the first seed', integer(0), 1)
    .option('--scale <x>', 'size of each run: 2 takes twice as long', positive(MOST_SCALE), 1)
    .option('--experiment <glob>', 'only experiments whose names match', '*')
    .addOption(costsOption());
  return withQueue(command)
    .optionsGroup('Output:')
    .option(...JSON_OPTION)
    .option(
      '--markdown <file>',
      'write the result into this page as Markdown, and pictures beside it; - for stdout, and ' +
        'nothing else',
    )
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION)
    .addHelpText(
      'after',
      `\nFewer than ${FEWEST} seeds give medians only, no intervals or verdicts.\n\n` +
        'With --out each run is saved in FOLDER.part: after Ctrl-C the same command ' +
        'resumes.\n\n' +
        `Exit code: ${ExitCode.Ok} all was run, whatever the answers, ${ExitCode.UserMistake} a ` +
        `mistake in the input, ${ExitCode.Interrupted} interrupted by Ctrl-C (the results ` +
        'so far are shown).\n\nExamples:\n' +
        '  umbra study migration\n' +
        "  umbra study migration --experiment 'int*' --seeds 12 --out runs/migration",
    );
}

type Options = OptionsOf<typeof declare>;

export const studyCommand = (): CommandUnknownOpts => declare().action(study);

async function study(
  name: string | undefined,
  options: Options,
  command: CommandUnknownOpts,
): Promise<void> {
  const { json, markdown } = options;
  mustShareStdout({ json, markdown });
  const print = markdown === '-' ? () => {} : printer(options);
  if (name === undefined) {
    mustBeBare(command, 'a study');
    return print(listing(Object.values(STUDIES).map(({ name, question }) => [name, question])));
  }
  checkQueueOptions(options, command);
  const plan = planOf(name, options);
  const writePage = pageOf(options);
  const { out } = options;
  const writeJson = jsonOutput(json);
  const writeFolder = resultsOf({ ...(out !== undefined && { out }) }, command);
  using ledger = ledgerOf(out, command, {
    study: plan.study.name,
    scale: plan.scale ?? 1,
    costs: JSON.stringify(plan.costs.cycles),
  });
  using interrupted = heedInterrupt();
  if ((await runAll(plan, ledger, interrupted.signal, options)) > 0) return;
  const result = resultOf(plan, ledger);
  const columns = columnsOf(process.stdout);
  print(
    result.points.length === 0
      ? `${result.title}: no run was completed.\n`
      : studyText(result, { columns, wrap: (text, most) => wrap(text, most, 0) }),
  );
  writeJson(result);
  if (result.interrupted) {
    process.stderr.write(interruptedText(out));
    process.exitCode = ExitCode.Interrupted;
    return;
  }
  writeFolder(result, studyTables(result));
  writePage(result);
  ledger.remove();
  process.exitCode = ExitCode.Ok;
}

const MARKS = {
  begin: '<!-- study: what is below is written by umbra study --markdown -->',
  end: '<!-- end of the study -->',
} as const;

/** How to write a study's part of its page, and its pictures beside that. */
function pageOf(options: Options): (result: StudyResult) => void {
  const { markdown } = options;
  const writePart = partOfPage(markdown, { ...MARKS, what: 'study' });
  return (result) => {
    const pictureOf = ({ id }: ChartSpec): string => `${result.study}-${id}.svg`;
    writePart(studyMarkdown(result, againOf(result, options), pictureOf));
    if (markdown === undefined || markdown === '-') return;
    for (const chart of result.charts) {
      const path = join(dirname(markdown), pictureOf(chart));
      output(path, { option: '--markdown', what: 'picture' })(chartFile(chart, result));
    }
  };
}

/** The command that makes it again. */
function againOf(
  { study }: StudyResult,
  { seeds, seed, scale, experiment, costs }: Options,
): string {
  const given = {
    ...(seeds !== FEWEST && { seeds }),
    ...(seed !== 1 && { seed }),
    ...(scale !== 1 && { scale }),
    ...(experiment !== '*' && { experiment: `'${experiment}'` }),
    ...(costs !== undefined && { costs }),
  };
  const words = Object.entries(given).map(([name, value]) => ` --${name} ${value}`);
  return `npm run umbra -- study ${study}${words.join('')}`;
}

/**
 * Run the units that the ledger lacks, one after the other, or have workers of a queue do it. A run
 * keeps its thread from beginning to end, and so has one of its own: Ctrl-C ends it at once.
 * Returns how many are still missing, where it is done elsewhere.
 */
async function runAll(
  plan: StudyPlan,
  ledger: StudyLedger,
  signal: AbortSignal,
  options: Options,
): Promise<number> {
  const { study, scale = 1, costs } = plan;
  const units = new Map(unitsOf(plan).map(([arm, seed]) => [unitOf(arm, seed), { arm, seed }]));
  const left = [...units].filter(([, { arm, seed }]) => ledger.get(arm, seed) === undefined);
  const places = new Map([...units.keys()].map((unit, i) => [unit, i]));
  const progress = new Progress('runs', units.size, units.size - left.length);
  const job: UnitsJob<StudyTask, Measures> = {
    worker: 'study-task',
    name: 'run',
    kind: 'study',
    threads: 1,
    tasks: left.map(([unit, { seed }]) => ({ study: study.name, scale, costs, unit, seed })),
    plan: { study: study.name, scale, costs, units: [...units.keys()] },
    place: ({ unit }) => places.get(unit)!,
    title: `umbra study ${study.name} --seeds ${plan.seeds.length} --scale ${scale}`,
    signal,
    done: (measures, { unit }) => {
      const { arm, seed } = units.get(unit)!;
      ledger.record(arm, seed, measures);
      progress.add();
    },
    progress: () => `${progress}`,
  };
  return doUnits(job, options);
}

function planOf(name: string, { seeds, seed, scale, experiment, costs }: Options): StudyPlan {
  const wanted = STUDIES[name];
  if (wanted === undefined) {
    const names = Object.keys(STUDIES);
    throw new UserError(
      `there is no study '${name}'${didYouMean(name, names) || ';'} there are ${names.join(', ')}`,
    );
  }
  const plan = {
    study: wanted,
    scale,
    costs: costTable(costs),
    seeds: seedsFrom(seed, seeds),
    wants: (one: string) => matchesGlob(one, experiment),
  };
  if (unitsOf(plan).length > 0) return plan;
  const experiments = new Set(wanted.arms(scale).map((arm) => arm.experiment));
  throw new UserError(
    `'${experiment}' matches no experiment of ${name}; there are ${[...experiments].join(', ')}`,
  );
}
