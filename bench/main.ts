/** The benchmark suite: `npm run bench`; `npm run bench -- --help` says the rest. */

import { Command, CommanderError, Option } from '@commander-js/extra-typings';
import '../src/compile-cache.ts';
import { thresholdOption } from '../src/commands/compare.ts';
import { ExitCode } from '../src/commands/exit-code.ts';
import { heedInterrupt } from '../src/commands/interrupt.ts';
import { JSON_OPTION, jsonOutput, mustShareStdout } from '../src/commands/json-output.ts';
import { integer } from '../src/commands/options.ts';
import { UserError } from '../src/errors.ts';
import { type Benchmark, readBenchmark } from '../src/report/benchmark.ts';
import {
  type Comparison,
  compare,
  compareCheckouts,
  compareInTurns,
  compareLine,
} from '../src/report/benchmark-comparison.ts';
import { formatComparison, summaryOf } from '../src/report/benchmark-text.ts';
import { checkout } from './checkout.ts';
import { markdownInto } from './markdown.ts';
import { measureSuite } from './measure-suite.ts';
import { closing, LEGEND } from './report.ts';
import { type Compared, Screen } from './screen.ts';
import { matches, namesOf, type Selection, selected } from './selection.ts';

const program = new Command('bench')
  .description(
    'Measure umbra. Every line has a baseline that is measured in the same run, in turns, and ' +
      'where there is a C compiler many have the same work in C, so that ratios hold on a ' +
      'machine that others use too. Then: how costs grow with the size of the machine, and ' +
      'what of it takes how much memory.',
  )
  .option('--filter <text>', 'only what has this in its name, or in that of its part', '')
  .option('--list', 'the names, and nothing is measured')
  .option('--isolates <n>', 'in how many isolates each line is measured', integer(2), 3)
  .option('--baseline <file>', 'an earlier --json: what has changed since then')
  .addOption(
    new Option(
      '--against <dir>',
      'hold each line against the same of another checkout, batches in turns',
    ).conflicts(['from', 'baseline', 'markdown']),
  )
  .addOption(thresholdOption())
  .option(...JSON_OPTION)
  .option(
    '--markdown <file>',
    'write the tables as Markdown too, into a page that has a place for them',
  )
  .option('--from <file>', 'show an earlier --json, and measure nothing')
  .addHelpText(
    'after',
    `\nExit code: ${ExitCode.Ok} measured, and nothing is slower than --baseline or --against, ` +
      `${ExitCode.Failed} something is, or could\nnot be measured (the rest is), ` +
      `${ExitCode.UserMistake} a mistake in what was given, ` +
      `${ExitCode.Interrupted} interrupted by Ctrl-C\n(what was measured so far is shown and ` +
      'written).\n\nExamples:\n' +
      '  npm run bench -- --json before.json\n' +
      '  npm run bench -- --filter fault --baseline before.json\n' +
      '  npm run bench -- --filter fault --against ../before\n' +
      '  npm run bench -- --filter growth\n' +
      '  npm run bench -- --from before.json --markdown docs/benchmarks.md',
  )
  .exitOverride();

type Options = ReturnType<typeof program.opts>;

async function bench(options: Options): Promise<void> {
  const { filter, from, json, markdown } = options;
  const selection = selected(filter);
  if (options.list) {
    process.stdout.write(namesOf(selection));
    return;
  }
  mustShareStdout({ json, markdown });
  const writeJson = jsonOutput(json);
  const writeMarkdown = markdownInto(markdown);
  const earlier = from === undefined ? undefined : readBenchmark(from);
  const against =
    options.against === undefined ? undefined : await checkout(options.against, selection);
  const held = heldAgainst(options, against?.result ?? earlier?.against);
  // Where something else goes to stdout, the tables do not.
  const stream = json === '-' || markdown === '-' ? process.stderr : process.stdout;
  const screen = new Screen(stream, held?.line);
  const result =
    earlier === undefined
      ? await measureNow(against?.selection ?? selection, {
          isolates: options.isolates,
          against,
          listener: screen,
        })
      : showAgain(earlier, filter, screen);
  screen.print(`\n${LEGEND}${closing(result)}`);
  writeJson(result);
  writeMarkdown(result);
  if (from === undefined) process.exitCode = exitCodeOf(result);
  if (held === undefined) return;
  const comparison = held.run(result);
  screen.print(held.text(comparison));
  if (comparison.regressions > 0) process.exitCode = ExitCode.Failed;
}

function exitCodeOf({ interrupted, failed }: Benchmark): ExitCode {
  if (interrupted) return ExitCode.Interrupted;
  return failed.length > 0 ? ExitCode.Failed : ExitCode.Ok;
}

/** How what was measured compares, line by line and as a whole. */
interface Held {
  readonly line: Compared;
  run(result: Benchmark): Comparison;
  text(comparison: Comparison): string;
}

/** With another checkout, with an earlier run, or with nothing. */
function heldAgainst(options: Options, against: Benchmark['against']): Held | undefined {
  const threshold = options.threshold / 100;
  if (against !== undefined) {
    return {
      line: (line) => compareInTurns(line, threshold),
      run: (result) => compareCheckouts(result, threshold),
      text: (comparison) => formatComparison(comparison, { quiet: true }),
    };
  }
  if (options.baseline === undefined) return undefined;
  const before = readBenchmark(options.baseline);
  return {
    line: (line) => {
      const same = before.lines.find(({ name }) => name === line.name);
      return same && compareLine(same, line, { threshold });
    },
    run: (result) => compare(before, result, { threshold }),
    text: summaryOf,
  };
}

async function measureNow(
  selection: Selection,
  how: Omit<Parameters<typeof measureSuite>[1], 'signal'>,
): Promise<Benchmark> {
  using interrupted = heedInterrupt();
  return await measureSuite(selection, { ...how, signal: interrupted.signal });
}

/** What an earlier run has measured, as if it were now. */
function showAgain(run: Benchmark, filter: string, screen: Screen): Benchmark {
  const { lines, growth, memory, ...rest } = run;
  const shown = {
    ...rest,
    lines: lines.filter(({ part, name }) => matches(filter, part, name)),
    growth: growth.filter(({ name }) => matches(filter, 'growth', name)),
    ...(memory && matches(filter, 'memory', '') && { memory }),
  };
  screen.begin(shown);
  for (const line of shown.lines) screen.line(line);
  for (const sweep of shown.growth) screen.sweep(sweep);
  if (shown.memory) screen.memory(shown.memory);
  for (const failure of shown.failed) screen.failed(failure);
  return shown;
}

try {
  await program.action(bench).parseAsync();
} catch (error) {
  // Commander has said already what is wrong, or what was asked for.
  const said = error instanceof CommanderError;
  if (!said && !(error instanceof UserError)) throw error;
  if (!said) console.error(`bench: ${error.message}`);
  process.exitCode = said && error.exitCode === 0 ? ExitCode.Ok : ExitCode.UserMistake;
}
