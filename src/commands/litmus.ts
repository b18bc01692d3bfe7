/** `umbra litmus`: outcomes of litmus tests, counted over many schedules. */

import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { shippedTests } from '../explore/litmus/find-files.ts';
import type { Litmus } from '../explore/litmus/litmus.ts';
import { readLitmus } from '../explore/litmus/read.ts';
import { litmusJsonSchema } from '../explore/litmus/schema.ts';
import { Tally } from '../explore/litmus/tally.ts';
import { tokenOf } from '../explore/replay.ts';
import type { Result } from '../explore/result.ts';
import { type Setting, settingsOf } from '../explore/setting.ts';
import { STRATEGIES } from '../explore/strategies/catalogue.ts';
import { Subject } from '../explore/subject.ts';
import { Turns } from '../explore/turns.ts';
import { settingText } from '../report/litmus-setting.ts';
import { ExitCode } from './exit-code.ts';
import { seedOption, strategiesOption, TESTS, testsFor, withSettings } from './explore-options.ts';
import { heedInterrupt } from './interrupt.ts';
import { JSON_OPTION, printer, QUIET_OPTION } from './json-output.ts';
import { type Counted, describe, outcomesTable, reportOf } from './litmus-report.ts';
import { integer, mustBeBare, type OptionsOf } from './options.ts';
import { Progress } from './progress.ts';
import { OUT_OPTION, resultsOf } from './run-folder.ts';
import { clearLine, listing, showProgress } from './terminal.ts';

function declare() {
  const command = new Command('litmus')
    .summary('Count the outcomes of litmus tests over many schedules')
    .description(
      'Run each litmus test by many schedules, in all of its settings, and count the outcomes. ' +
        'Without a test, list those that come with umbra.',
    )
    .argument('[test...]', TESTS);
  return withSettings(command)
    .optionsGroup('Schedules:')
    .addOption(strategiesOption())
    .option('--runs <n>', 'schedules of each strategy in each setting', integer(1), 100)
    .addOption(seedOption())
    .optionsGroup('Output:')
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION)
    .option('--schema', 'print the JSON Schema of litmus tests, for editors, and run nothing')
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} nothing wrong, ${ExitCode.Failed} a forbidden or ` +
        `undeclared outcome, a broken invariant or a bad end, ${ExitCode.UserMistake} a ` +
        `mistake in the input, ${ExitCode.Interrupted} interrupted by Ctrl-C (the results so ` +
        'far are shown).\n\nExamples:\n' +
        '  umbra litmus R6-no-shootdown\n' +
        '  umbra litmus 6-switcher --defects R9 --runs 1000',
    );
}

type Options = OptionsOf<typeof declare>;

export const litmusCommand = (): CommandUnknownOpts => declare().action(litmus);

async function litmus(
  paths: readonly string[],
  options: Options,
  command: CommandUnknownOpts,
): Promise<void> {
  if (options.schema) {
    process.stdout.write(`${JSON.stringify(litmusJsonSchema(), null, 2)}\n`);
    return;
  }
  if (paths.length === 0) {
    mustBeBare(command, 'a test');
    process.stdout.write(list());
    return;
  }
  const writeResult = resultsOf(options, command);
  const print = printer(options);
  const tests = testsFor(paths, options).map((path) => ({ path, litmus: readLitmus(path) }));
  const all: Counted[] = [];
  const settings = tests.flatMap(({ litmus: test }) => settingsOf(test, options));
  const progress = new Progress(
    'schedules',
    settings.length * options.strategy.length * options.runs,
  );
  const stopProgress = showProgress(() => `${progress}, ${tests[all.length]?.path}`);
  using interruption = heedInterrupt();
  const { isInterrupted } = interruption;
  for (const { path, litmus: test } of tests) {
    if (isInterrupted()) break;
    const counted = await countOf(path, test, options, { progress, isInterrupted });
    all.push(counted);
    clearLine();
    print(describe(counted), counted.wrong.length > 0);
  }
  const interrupted = isInterrupted();
  stopProgress();
  writeResult({ schema_version: 1, interrupted, tests: all.map(reportOf) }, [outcomesTable(all)]);
  if (interrupted) {
    process.stderr.write(`umbra: interrupted; schedules done: ${progress.done}\n`);
  }
  const failed = all.some(({ wrong }) => wrong.length > 0);
  if (failed) process.exitCode = ExitCode.Failed;
  else process.exitCode = interrupted ? ExitCode.Interrupted : ExitCode.Ok;
}

/** Those that come with umbra, by the part of the paging code that they are about. */
function list(): string {
  const parts = Map.groupBy(shippedTests(), ({ part }) => part);
  return [...parts]
    .map(([part, tests]) => {
      const entries = tests.map(({ name, path }) => [name, readLitmus(path).name] as const);
      return `${part}\n${listing(entries, 2)}`;
    })
    .join('');
}

/** Wrong schedules of a test that are kept to be told. */
const MOST_WRONG = 3;

interface Watched {
  readonly progress: Progress;
  readonly isInterrupted: () => boolean;
}

/** All schedules of a test; after Ctrl-C those that were run until then. */
async function countOf(
  path: string,
  test: Litmus,
  options: Options,
  { progress, isInterrupted }: Watched,
): Promise<Counted> {
  const tally = new Tally(test);
  const wrong: { message: string; token: string }[] = [];
  const turns = new Turns();
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
        tally.add(subject, result, !strategy.isListed);
        progress.add();
        await turns.take();
        if (result.ending === 'ok') continue;
        progress.fail();
        if (wrong.length === MOST_WRONG) continue;
        wrong.push({ message: messageOf(setting, result), token: tokenOf(subject, result) });
      }
    }
  }
  return { path, tally, wrong };
}

const messageOf = (setting: Setting, { ending, message }: Result): string =>
  `${settingText(setting)}: ${ending}: ${message}`;
