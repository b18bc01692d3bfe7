/** The benchmark suite: `npm run bench`; `npm run bench -- --help` says the rest. */

import { Command, CommanderError } from '@commander-js/extra-typings';
import '../src/compile-cache.ts';
import { thresholdOption } from '../src/commands/compare.ts';
import { ExitCode } from '../src/commands/exit-code.ts';
import { heedInterrupt } from '../src/commands/interrupt.ts';
import { JSON_OPTION, jsonOutput } from '../src/commands/json-output.ts';
import { integer } from '../src/commands/options.ts';
import { UserError } from '../src/errors.ts';
import { type Benchmark, readBenchmark } from '../src/report/benchmark.ts';
import { compare } from '../src/report/benchmark-comparison.ts';
import { summaryOf } from '../src/report/benchmark-text.ts';
import { markdownInto } from './markdown.ts';
import { measureSuite } from './measure-suite.ts';
import { closing, LEGEND } from './report.ts';
import { Screen, type Since } from './screen.ts';
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
  .addOption(thresholdOption())
  .option(...JSON_OPTION)
  .option(
    '--markdown <file>',
    'write the tables as Markdown too, into a page that has a place for them',
  )
  .option('--from <file>', 'show an earlier --json, and measure nothing')
  .addHelpText(
    'after',
    `\nExit code: ${ExitCode.Ok} measured, and nothing became slower since --baseline, ` +
      `${ExitCode.Failed} something did, ${ExitCode.UserMistake} a mistake in what was given, ` +
      `${ExitCode.Interrupted} interrupted by Ctrl-C\n(what was measured so far is shown and ` +
      'written).\n\nExamples:\n' +
      '  npm run bench -- --json before.json\n' +
      '  npm run bench -- --filter fault --baseline before.json\n' +
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
  if (json === '-' && markdown === '-') {
    throw new UserError('--json - and --markdown - both ask for stdout: give one of them a file');
  }
  const writeJson = jsonOutput(json);
  const writeMarkdown = markdownInto(markdown);
  const since = sinceOf(options);
  // Where something else goes to stdout, the tables do not.
  const stream = json === '-' || markdown === '-' ? process.stderr : process.stdout;
  const screen = new Screen(stream, since);
  const result =
    from === undefined
      ? await measureNow(selection, options.isolates, screen)
      : showAgain(readBenchmark(from), filter, screen);
  screen.print(`\n${LEGEND}${closing(result)}`);
  writeJson(result);
  writeMarkdown(result);
  if (result.interrupted && from === undefined) process.exitCode = ExitCode.Interrupted;
  if (since === undefined) return;
  const comparison = compare(since.baseline, result, since);
  screen.print(summaryOf(comparison));
  if (comparison.regressions > 0) process.exitCode = ExitCode.Failed;
}

function sinceOf({ baseline: path, threshold }: Options): Since | undefined {
  if (path === undefined) return undefined;
  return { baseline: readBenchmark(path), by: undefined, threshold: threshold / 100 };
}

async function measureNow(
  selection: Selection,
  isolates: number,
  screen: Screen,
): Promise<Benchmark> {
  using interrupted = heedInterrupt();
  const { signal } = interrupted;
  return await measureSuite(selection, { isolates, signal, listener: screen });
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
