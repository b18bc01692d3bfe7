/** `umbra litmus`: what litmus tests come to, counted over many schedules. */

import { Command } from 'commander';
import { findLitmusFiles } from '../explore/litmus/find-files.ts';
import { type Litmus, readLitmus } from '../explore/litmus/litmus.ts';
import { STRATEGIES } from '../explore/strategies/catalogue.ts';
import { type Result, type Setting, Subject, settingsOf } from '../explore/subject.ts';
import { tableText } from '../report/plain-table.ts';
import { count, type Table, text } from '../report/table.ts';
import { ExitCode } from './exit-code.ts';
import {
  type SettingOptions,
  seedOption,
  strategiesOption,
  withSettings,
} from './explore-options.ts';
import { heedingInterrupt } from './interrupt.ts';
import { JSON_OPTION, printer, QUIET_OPTION } from './json-output.ts';
import { keepLast } from './kept-schedules.ts';
import { integer } from './options.ts';
import { Progress } from './progress.ts';
import { OUT_OPTION, type ResultOptions, resultsOf } from './run-folder.ts';
import { clearLine, showProgress, tableColumns } from './terminal.ts';

interface Options extends SettingOptions, ResultOptions {
  readonly strategy: readonly string[];
  readonly runs: number;
  readonly seed: number;
}

/** What the schedules of one test came to. */
interface Tally {
  readonly path: string;
  readonly litmus: Litmus;
  readonly schedules: number;
  /** Of each declared outcome, in the order of the file. */
  readonly outcomes: readonly number[];
  /** Those that went wrong, whatever their outcome. */
  readonly wrong: readonly { readonly message: string; readonly token: string }[];
}

export function litmusCommand(): Command {
  const command = new Command('litmus')
    .summary('Count the outcomes of litmus tests over many schedules')
    .description(
      'Run litmus tests by many schedules each, in every setting that they are for, and count ' +
        'their outcomes.',
    )
    .argument('<path...>', 'litmus tests, or folders of them');
  return withSettings(command)
    .optionsGroup('Schedules:')
    .addOption(strategiesOption())
    .option('--runs <n>', 'schedules of each strategy in each setting', integer(1), 100)
    .addOption(seedOption())
    .optionsGroup('Output:')
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION)
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} all as it may be, ${ExitCode.Failed} an outcome that is ` +
        `forbidden or not declared, a broken invariant or a bad end, ${ExitCode.UserMistake} a ` +
        `mistake in what was given, ${ExitCode.Interrupted} interrupted by Ctrl-C (what there is so ` +
        'far is shown).\n\nExamples:\n' +
        '  umbra litmus litmus\n' +
        '  umbra litmus litmus/6-switcher --defects R9 --runs 1000',
    )
    .action(litmus);
}

async function litmus(paths: readonly string[], options: Options, command: Command): Promise<void> {
  const writeResult = resultsOf(options, command);
  const print = printer(options);
  const tests = findLitmusFiles(paths).map((path) => ({ path, litmus: readLitmus(path) }));
  const tallies: Tally[] = [];
  const settings = tests.flatMap(({ litmus: test }) => settingsOf(test, options));
  const progress = new Progress(
    'schedules',
    settings.length * options.strategy.length * options.runs,
  );
  const stopProgress = showProgress(() => `${progress}, ${tests[tallies.length]?.path}`);
  const interrupted = await heedingInterrupt(async (isInterrupted) => {
    for (const { path, litmus: test } of tests) {
      if (isInterrupted()) break;
      const tally = await tallyOf(path, test, options, { progress, isInterrupted });
      tallies.push(tally);
      clearLine();
      print(describe(tally), tally.wrong.length > 0);
    }
    return isInterrupted();
  });
  stopProgress();
  const result = {
    ...{ schema_version: 1, interrupted },
    tests: tallies.map(({ path, litmus: test, schedules, outcomes, wrong }) => ({
      ...{ path, name: test.name, schedules, wrong },
      outcomes: test.outcomes.map(({ text, is }, i) => ({ when: text, is, count: outcomes[i] })),
    })),
  };
  writeResult(result, [outcomesTable(tallies)]);
  if (interrupted) {
    process.stderr.write(`umbra: interrupted; ${progress.done} schedules are done\n`);
  }
  const failed = tallies.some(({ wrong }) => wrong.length > 0);
  if (failed) process.exitCode = ExitCode.Failed;
  else process.exitCode = interrupted ? ExitCode.Interrupted : ExitCode.Ok;
}

/** Schedules between two looks at what else there is to do. */
const BATCH = 20;

/** Wrong schedules of a test that are kept to be told. */
const MOST_WRONG = 3;

interface Watched {
  readonly progress: Progress;
  readonly isInterrupted: () => boolean;
}

/** All schedules of a test; after Ctrl-C those that were run until then. */
async function tallyOf(
  path: string,
  test: Litmus,
  options: Options,
  { progress, isInterrupted }: Watched,
): Promise<Tally> {
  const outcomes = test.outcomes.map(() => 0);
  const wrong: { message: string; token: string }[] = [];
  let schedules = 0;
  for (const setting of settingsOf(test, options)) {
    const subject = new Subject(path, test, setting);
    for (const name of options.strategy) {
      const strategy = STRATEGIES[name]!();
      for (let i = 0; i < options.runs && !isInterrupted(); i++) {
        const result = subject.run(strategy, options.seed + i);
        if (strategy.exhausted) {
          progress.drop(options.runs - i);
          break;
        }
        schedules++;
        progress.add();
        // So that Ctrl-C is heard, and progress told.
        if (i % BATCH === 0) await new Promise(setImmediate);
        if (result.outcome !== undefined) outcomes[result.outcome]!++;
        if (result.ending === 'ok') continue;
        progress.fail();
        if (wrong.length === MOST_WRONG) continue;
        wrong.push({ message: messageOf(setting, result), token: subject.tokenOf(result) });
      }
    }
  }
  return { path, litmus: test, schedules, outcomes, wrong };
}

const outcomesTable = (tallies: readonly Tally[]): Table => ({
  name: 'outcomes',
  description: 'How often each declared outcome of each test came, over all its settings.',
  columns: {
    path: text('of the test'),
    test: text('its name'),
    outcome: text('when it is this outcome'),
    is: text('allowed, required, forbidden, …'),
    count: count('schedules'),
    schedules: count('of the test in all'),
  },
  rows: tallies.flatMap(({ path, litmus: test, schedules, outcomes }) =>
    test.outcomes.map(({ text: outcome, is }, i) => ({
      ...{ path, test: test.name, outcome, is, count: outcomes[i]!, schedules },
    })),
  ),
});

const messageOf = ({ discipline, paging }: Setting, { ending, message }: Result): string =>
  `${discipline}, ${paging}: ${ending}: ${message}`;

function describe({ path, litmus: test, schedules, outcomes, wrong }: Tally): string {
  const table = tableText(
    ['', 'count', 'when'],
    ['left', 'right', 'left'],
    test.outcomes.map(({ is, text }, i) => [is, outcomes[i]!.toLocaleString('en-US'), text]),
    tableColumns(),
  );
  const bad = wrong.map(({ message, token }) => {
    return `${message}\n${keepLast({ token, says: message })}\n`;
  });
  const heading = `${path}: ${test.name} (${schedules.toLocaleString('en-US')} schedules)`;
  return `${heading}\n${table}\n${bad.join('')}\n`;
}
