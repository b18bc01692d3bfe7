/** `umbra ab`: two scenarios, or two settings of one, beside one another, seed by seed. */

import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import { FEWEST } from '../report/statistics.ts';
import type { Point } from '../report/study-result.ts';
import { studyText } from '../report/study-text.ts';
import { findScenario } from '../scenario/find.ts';
import { readScenario } from '../scenario/parse.ts';
import { type Variation, variationsOf } from '../scenario/vary.ts';
import {
  type Compared,
  comparedBy,
  comparedFinding,
  isWorse,
  namesApart,
} from '../sweep/findings.ts';
import type { SweepPlan } from '../sweep/sweep.ts';
import { percent } from './compare.ts';
import { ExitCode } from './exit-code.ts';
import { type OptionsOf, seedsFrom } from './options.ts';
import { interruptedText } from './study-ledger.ts';
import { failedLines } from './sweep.ts';
import { printerOf, sweep, wayOf, withSweepOptions, withSweepOutput } from './sweep-work.ts';
import { columnsOf, wrap } from './terminal.ts';

function declare() {
  const command = new Command('ab')
    .summary('Compare two scenarios or settings, with confidence intervals')
    .description(
      'Run two scenarios, or one in two settings, with the same seeds. For each figure, show how ' +
        'many times as much the second has, a 95 % interval, and whether it is more.',
    )
    .argument(
      '<a>',
      'a scenario: a file that ends in .yaml, or the name of one that comes with umbra',
    )
    .argument('[b]', 'another one; omit it with --vary, which makes two settings of the first');
  const varied = withSweepOptions(command).addOption(
    new Option('--threshold <percent>', 'ignore a difference of less than this')
      .default(0)
      .argParser(percent),
  );
  return withSweepOutput(varied).addHelpText(
    'after',
    `\nBoth are run with the same seeds, and compared seed by seed. With fewer than ${FEWEST} ` +
      'seeds the result is never clear. The first figure decides.\n\n' +
      `Exit code: ${ExitCode.Ok} the second is no worse, ${ExitCode.Failed} it is worse, or a ` +
      `run went ` +
      `wrong, ${ExitCode.NotClear} not clear, ${ExitCode.UserMistake} a mistake in ` +
      `the input, ${ExitCode.Interrupted} interrupted by Ctrl-C (the results so far ` +
      `are shown).\n\n` +
      'Examples:\n' +
      '  umbra ab cow-storm --vary policy=random,pinned\n' +
      '  umbra ab false-sharing --vary discipline=lock-free,pgdir-lock --on threads\n' +
      '  umbra ab fault-storm-shared fault-storm-separate --measure cycles --threshold 5',
  );
}

type Options = OptionsOf<typeof declare>;

export const abCommand = (): CommandUnknownOpts => declare().action(run);

async function run(
  a: string,
  b: string | undefined,
  options: Options,
  command: CommandUnknownOpts,
): Promise<void> {
  const plan = planOf(a, b, options);
  const print = printerOf(options);
  const { result, interrupted, write } = await sweep(plan, options, command);
  const { points, sweep: swept } = result;
  const columns = columnsOf(process.stdout);
  const pair = pairOf(points);
  const compared = pair && comparedBy(plan.measures[0]!, pair, options.threshold / 100);
  const isBad = swept.failed.length > 0 || (compared !== undefined && isWorse(compared));
  print(
    [
      points.length === 0
        ? `${result.title}: no run ended well.\n`
        : studyText(result, { columns, wrap: (text, most) => wrap(text, most, 0) }),
      `The order was drawn from seed ${swept.order_seed}.\n`,
      ...failedLines(swept),
    ].join(''),
    isBad,
  );
  process.exitCode = isBad ? ExitCode.Failed : codeOf(compared);
  write();
  if (!interrupted) return;
  process.stderr.write(interruptedText(options.out));
  process.exitCode = ExitCode.Interrupted;
}

const codeOf = (compared: Compared | undefined): ExitCode =>
  compared === undefined || compared.side === 'not clear' ? ExitCode.NotClear : ExitCode.Ok;

function pairOf(points: readonly Point[]): readonly [Point, Point] | undefined {
  const [first, second] = points;
  return first === undefined || second === undefined ? undefined : [first, second];
}

function planOf(a: string, b: string | undefined, options: Options): SweepPlan {
  const { repeat, seed, costs, threshold } = options;
  const settings = b === undefined ? twoOf(a, options) : both(a, b, options);
  const { way, measures } = wayOf(options);
  const [first, second] = namesApart([settings[0]!.levels, settings[1]!.levels]);
  return {
    name: settings[0]!.file.name,
    title: `${first} and ${second}`,
    question: `Which has more, ${first} or ${second}?`,
    base: settings.map(({ file }) => file.scenario),
    settings,
    measures,
    way,
    costs,
    seeds: seedsFrom(seed, repeat),
    conclude: (points) => {
      const pair = pairOf(points);
      if (pair === undefined) return [];
      return measures.map((figure) =>
        comparedFinding(comparedBy(figure, pair, threshold / 100), pair),
      );
    },
  };
}

function twoOf(path: string, { vary = [] }: Options): Variation[] {
  const settings = variationsOf(readScenario(findScenario(path)), vary);
  if (settings.length === 2) return settings;
  throw new UserError(
    `found ${settings.length === 1 ? 'one setting' : `${settings.length} settings`}, expected ` +
      `two: give two ` +
      'scenarios, or one and --vary FIELD=A,B; umbra sweep takes more',
  );
}

function both(a: string, b: string, { vary }: Options): Variation[] {
  if (vary !== undefined) {
    throw new UserError('two scenarios are compared as they are: leave --vary out, or one of them');
  }
  if (a === b) {
    throw new UserError(`found ${a} twice, expected two scenarios; --vary makes two of one`);
  }
  const files = [a, b].map((path) => readScenario(findScenario(path)));
  const isAlike = files[0]!.name === files[1]!.name;
  return files.map((file, i) => ({
    levels: { scenario: isAlike ? [a, b][i]! : file.name },
    file,
  }));
}
