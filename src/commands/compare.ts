/** `umbra compare BEFORE AFTER`: has anything become slower? */

import {
  Command,
  type CommandUnknownOpts,
  InvalidArgumentError,
  Option,
} from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import { readBenchmark } from '../report/benchmark.ts';
import {
  type CompareOptions,
  type Comparison,
  compare,
  compareCheckouts,
  QUANTITIES,
} from '../report/benchmark-comparison.ts';
import { formatComparison } from '../report/benchmark-text.ts';
import { ExitCode } from './exit-code.ts';
import { JSON_OPTION, jsonOutput, printer, QUIET_OPTION } from './json-output.ts';
import type { OptionsOf } from './options.ts';
import { tableColumns } from './terminal.ts';

const DEFAULT_THRESHOLD = 5;

function declare() {
  return new Command('compare')
    .summary('Compare two runs of the benchmark')
    .description(
      'Compare two runs of the benchmark (npm run bench -- --json FILE), line by line: how many ' +
        'times as long the second takes, a 95 % interval, and whether it is slower or faster. A ' +
        'run that was measured --against another checkout contains both.',
    )
    .argument('<before>', 'the earlier run, or one with --against')
    .argument('[after]', 'the later run')
    .addOption(quantityOption())
    .addOption(thresholdOption())
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .addHelpText(
      'after',
      '\nTimes of two runs also differ by the load of the machine. So each time is divided by ' +
        'another one,\nmeasured in the same rounds:\n' +
        '  native    the same work in C, where both runs have it (the default)\n' +
        '  pace      a fixed loop that shows the speed of the core (the default for other ' +
        'lines)\n' +
        '  baseline  the baseline of the line, which is mostly code of umbra, too\n' +
        '  value     nothing: plain times, for an otherwise idle machine\n' +
        '\nEach line is measured in several isolates, and the interval shows how much ' +
        'isolates of the same\ncode differ. Growth and memory are not compared.\n' +
        `\nExit code: ${ExitCode.Ok} nothing is slower, ${ExitCode.Failed} something is, ` +
        `${ExitCode.UserMistake} a mistake in the input.\n\nExamples:\n` +
        '  npm run bench -- --json before.json\n' +
        '  npm run bench -- --json after.json\n' +
        '  umbra compare before.json after.json\n' +
        '  umbra compare before.json after.json --by value --threshold 10 --json comparison.json',
    );
}

type Options = OptionsOf<typeof declare>;

export const compareCommand = (): CommandUnknownOpts => declare().action(run);

const quantityOption = () =>
  new Option(
    '--by <quantity>',
    'what times are divided by (by default native where both have it, else pace)',
  ).choices(QUANTITIES);

/** In percent. */
export const thresholdOption = () =>
  new Option('--threshold <percent>', 'ignore a change of less than this')
    .default(DEFAULT_THRESHOLD)
    .argParser(percent);

export function percent(text: string): number {
  const n = Number(text);
  if (text.trim() === '' || !Number.isFinite(n) || n < 0) {
    throw new InvalidArgumentError('A number of at least 0 is expected.');
  }
  return n;
}

function run(before: string, after: string | undefined, options: Options): void {
  const { by, threshold, json } = options;
  const write = jsonOutput(json);
  const how: CompareOptions = { by, threshold: threshold / 100 };
  const comparison = after === undefined ? ofOne(before, how) : ofTwo(before, after, how);
  printer(options)(
    formatComparison(comparison, { columns: tableColumns(), quiet: options.quiet }),
    comparison.regressions > 0,
  );
  write(comparison);
  process.exitCode = comparison.regressions > 0 ? ExitCode.Failed : ExitCode.Ok;
}

function ofOne(path: string, { by, threshold }: CompareOptions): Comparison {
  const both = readBenchmark(path);
  if (both.against === undefined) {
    throw new UserError(`${path} is one run alone, not measured --against another: give two`);
  }
  if (by !== undefined)
    throw new UserError('--by is of two runs; these two were measured in turns');
  return compareCheckouts(both, threshold);
}

function ofTwo(before: string, after: string, how: CompareOptions): Comparison {
  const comparison = compare(readBenchmark(before), readBenchmark(after), how);
  if (comparison.lines.length > 0) return comparison;
  const wanted = how.by === 'native' ? ' measured in C' : '';
  throw new UserError(`${before} and ${after} have no line${wanted} in common`);
}
