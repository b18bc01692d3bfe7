/** `umbra mutants`: is each defect caught, by which strategy, how soon and how often? */

import { availableParallelism } from 'node:os';
import {
  Command,
  type CommandUnknownOpts,
  InvalidArgumentError,
  Option,
} from '@commander-js/extra-typings';
import type { StoryTask } from '../../workers/mutant-task.ts';
import { type DefectId, SCHEDULE_DEFECTS } from '../defects.ts';
import { findLitmusFiles } from '../explore/litmus/find-files.ts';
import { textsOfTests } from '../explore/litmus/texts.ts';
import {
  type MutantRuns,
  type MutantsReport,
  type MutantTask,
  mutantsReport,
  mutantTasks,
  type ShrunkStory,
  smallestOf,
  tokensToShrink,
} from '../explore/mutants/mutants.ts';
import { formatMutants, MISSED, mutantsMarkdown, mutantsTable } from '../explore/mutants/table.ts';
import { PORTFOLIO } from '../explore/strategies/catalogue.ts';
import type { PlanFile } from '../queue/plan.ts';
import { parseDefects } from './defects.ts';
import { ExitCode } from './exit-code.ts';
import { seedOption, strategiesOption } from './explore-options.ts';
import { heedInterrupt } from './interrupt.ts';
import { JSON_OPTION, mustShareStdout, output, printer, QUIET_OPTION } from './json-output.ts';
import { keep } from './kept-schedules.ts';
import { atATime, integer, type OptionsOf } from './options.ts';
import { Progress } from './progress.ts';
import { OUT_OPTION, resultsOf } from './run-folder.ts';
import { tableColumns } from './terminal.ts';
import {
  checkQueueOptions,
  doUnits,
  type QueueOptions,
  type UnitsJob,
  withQueue,
} from './units.ts';

/** The others need no schedule. */
const MUTANTS = SCHEDULE_DEFECTS;

const DEFAULT_STRATEGIES: readonly string[] = ['portfolio', ...PORTFOLIO];

function declare() {
  const command = new Command('mutants')
    .summary('Measure how soon each strategy catches each defect')
    .description(
      'Turn on each defect that needs several vCPUs alone. For each strategy, count after ' +
        'how many ' +
        'schedules it is caught, and in how many of all, and shrink the failure. With tests ' +
        'given: ' +
        'show which of the defects they catch.',
    )
    .argument(
      '[test...]',
      'litmus tests, or folders of them, to try each defect on; by default those that aim at it',
    )
    .optionsGroup('What is run:')
    .option(
      '--runs <n>',
      'schedules of each strategy on each test in each setting',
      integer(1),
      100,
    )
    .addOption(strategiesOption().default(DEFAULT_STRATEGIES, 'portfolio and its members'))
    .addOption(seedOption())
    .addOption(
      new Option('--only <ids>', 'defects, separated by commas: R2,R9')
        .argParser(parseMutants)
        .default(MUTANTS, 'each'),
    )
    .option('--threads <n>', 'threads to use', atATime, availableParallelism());
  return withQueue(command)
    .optionsGroup('Output:')
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION)
    .option('--markdown <file>', 'also write the table as Markdown; - for stdout, and nothing else')
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} each was caught by one of the strategies (with tests given: ` +
        `any was), ${ExitCode.Failed} one was not (its line says ${MISSED}; with tests ` +
        'given: none ' +
        `was), ${ExitCode.UserMistake} a mistake in the input, ` +
        `${ExitCode.Interrupted} interrupted by Ctrl-C (the results so far are ` +
        'shown).\n\nExamples:\n' +
        '  umbra mutants --markdown mutants.md\n' +
        '  umbra mutants --only R2,R9 --strategy pct-3,surw\n' +
        '  umbra mutants message-passing --strategy pct-3,sweep',
    );
}

type Options = OptionsOf<typeof declare>;

export const mutantsCommand = (): CommandUnknownOpts => declare().action(mutants);

async function mutants(
  paths: readonly string[],
  options: Options,
  command: CommandUnknownOpts,
): Promise<void> {
  const { runs, strategy: strategies, seed, only, json, markdown } = options;
  mustShareStdout({ json, markdown });
  checkQueueOptions(options, command);
  const writeResult = resultsOf(options, command);
  const writeMarkdown = output(markdown, { option: '--markdown', what: 'table' });
  using interrupted = heedInterrupt();
  const { signal } = interrupted;
  const title = commandOf(paths, options);
  const job = { threads: options.threads, signal, title };
  const given = paths.length === 0 ? null : findLitmusFiles(paths);
  const asked = { strategies, seed, runs, given };
  const tasks = mutantTasks(only, asked);
  const files = options.queue === undefined ? [] : textsOfTests(tasks.map(({ path }) => path));
  const results = await runAll(tasks, { ...job, files }, options);
  // Of a queue that has not done them all yet.
  if (results.size < tasks.length && !signal.aborted) return;
  const tokens = signal.aborted ? [] : [...new Set(tokensToShrink(results))];
  const shrunk = await shrinkAll(tokens, { ...job, files }, options);
  if (shrunk.size < tokens.length && !signal.aborted) return;
  const report = mutantsReport(asked, tasks, results, shrunk);
  writeMarkdown(mutantsMarkdown(report, title));
  writeResult(report, [mutantsTable(report)]);
  const missed = isTooFew(report);
  const isWhole = !interrupted.signal.aborted;
  if (markdown !== '-') {
    const print = printer(options);
    if (options.quiet) {
      for (const one of missed ? missedOf(report) : []) print(`${one}: ${MISSED}\n`, true);
    } else print(`${formatMutants(report, tableColumns())}${linesOf(report)}`);
  }
  if (!isWhole) {
    process.stderr.write(
      'umbra: interrupted, and the matrix is not whole; --only makes it smaller\n',
    );
    process.exitCode = ExitCode.Interrupted;
  } else {
    process.exitCode = missed ? ExitCode.Failed : ExitCode.Ok;
  }
}

/** Tests that are given need not be about every defect. */
const isTooFew = (report: MutantsReport): boolean => {
  const missed = missedOf(report).length;
  return report.given === null ? missed > 0 : missed === report.mutants.length;
};

const missedOf = ({ mutants }: MutantsReport): DefectId[] =>
  mutants.filter((mutant) => mutant.missed).map(({ defect }) => defect);

/** A line for each defect, which does the smallest of its failures again. */
function linesOf({ mutants }: MutantsReport): string {
  const lines = mutants.flatMap((mutant) => {
    const smallest = smallestOf(mutant);
    if (smallest === undefined) return [];
    return `${mutant.defect.padEnd(4)} ${keep({ token: smallest.token, says: mutant.title })}\n`;
  });
  return lines.length === 0 ? '' : `\n${lines.join('')}`;
}

/** The one that makes the same table. */
function commandOf(paths: readonly string[], { runs, seed, strategy, only }: Options): string {
  return [
    ['umbra mutants', ...paths, `--runs ${runs}`].join(' '),
    ...(seed === 1 ? [] : [`--seed ${seed}`]),
    ...(strategy === DEFAULT_STRATEGIES ? [] : [`--strategy ${strategy}`]),
    ...(only === MUTANTS ? [] : [`--only ${only}`]),
  ].join(' ');
}

type Job = Pick<UnitsJob<unknown, unknown>, 'threads' | 'signal' | 'title'> & {
  readonly files: readonly PlanFile[];
};

/** In the order of the tasks, in whatever order they finish. */
async function runAll(
  tasks: readonly MutantTask[],
  job: Job,
  options: QueueOptions,
): Promise<Map<MutantTask, MutantRuns>> {
  const results = new Map<MutantTask, MutantRuns>();
  const all = tasks.reduce((n, { runs }) => n + runs, 0);
  const progress = new Progress('schedules', all);
  const units: UnitsJob<MutantTask, MutantRuns> = {
    worker: 'mutant-task',
    name: 'mutant',
    kind: 'mutants',
    tasks,
    ...job,
    done: (result, task) => {
      results.set(task, result);
      progress.add(result.runs);
      progress.drop(task.runs - result.runs);
    },
    progress: () => `${progress}`,
  };
  await doUnits(units, options);
  return new Map(tasks.flatMap((task) => (results.has(task) ? [[task, results.get(task)!]] : [])));
}

async function shrinkAll(
  tokens: readonly string[],
  job: Job,
  options: QueueOptions,
): Promise<Map<string, ShrunkStory>> {
  const shrunk = new Map<string, ShrunkStory>();
  if (tokens.length === 0) return shrunk;
  const progress = new Progress('failures shrunk', tokens.length);
  const units: UnitsJob<StoryTask, ShrunkStory> = {
    worker: 'mutant-task',
    name: 'story',
    kind: 'mutants shrunk',
    ...job,
    tasks: tokens.map((token) => ({ token })),
    done: (story, { token }) => {
      shrunk.set(token, story);
      progress.add();
    },
    progress: () => `${progress}`,
  };
  await doUnits(units, options);
  return shrunk;
}

function parseMutants(text: string): readonly DefectId[] {
  const ids = new Set(parseDefects(text));
  const [other] = [...ids].filter((id) => !MUTANTS.includes(id));
  if (ids.size > 0 && other === undefined) return MUTANTS.filter((id) => ids.has(id));
  throw new InvalidArgumentError(
    `${other ?? text} is none of ${MUTANTS.join(', ')}, which several vCPUs meet.`,
  );
}
