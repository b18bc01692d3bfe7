/** `umbra sweep`: a scenario with some of its fields varied, each setting over many seeds. */

import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { UserError } from '../errors.ts';
import { barsText } from '../report/bars-text.ts';
import { FIGURES } from '../report/figures.ts';
import { FEWEST } from '../report/statistics.ts';
import type { StudyResult, Swept } from '../report/study-result.ts';
import { studyText } from '../report/study-text.ts';
import { judgedText, judgeEstimate } from '../report/threshold.ts';
import { findScenario } from '../scenario/find.ts';
import { readScenario } from '../scenario/parse.ts';
import { variationsOf } from '../scenario/vary.ts';
import { bestOf } from '../sweep/findings.ts';
import { levelsText, type SweepPlan } from '../sweep/sweep.ts';
import { ExitCode } from './exit-code.ts';
import { expectOption, type OptionsOf, seedsFrom } from './options.ts';
import { interruptedText } from './study-ledger.ts';
import { printerOf, sweep, wayOf, withSweepOptions, withSweepOutput } from './sweep-work.ts';
import { columnsOf, wrap } from './terminal.ts';

function declare() {
  const command = new Command('sweep')
    .summary('Run a scenario with fields varied, over many seeds')
    .description(
      'Run a scenario in every combination of given values of its fields, each over many seeds, ' +
        'and show medians with confidence intervals.',
    )
    .argument('<scenario>', 'a file that ends in .yaml, or the name of one that comes with umbra');
  const varied = withSweepOptions(command).addOption(expectOption('all settings'));
  return withSweepOutput(varied).addHelpText(
    'after',
    '\nOn turns a run is a function of its seed, and --jobs run at a time. On threads runs are ' +
      'timed, one at a time, after an uncounted round. The order is drawn from --order-seed.\n\n' +
      `Fewer than ${FEWEST} runs of each setting give medians only, no intervals or verdicts. ` +
      'With --out each run is saved in FOLDER.part: after Ctrl-C the same command resumes, also ' +
      'with more values or runs.\n\n' +
      `Exit code: ${ExitCode.Ok} all was run, and thresholds are met, ${ExitCode.Failed} a run ` +
      `failed, or a threshold is not met, ${ExitCode.NotClear} not clear whether it is met, ` +
      `${ExitCode.UserMistake} a ` +
      `mistake in the input, ${ExitCode.Interrupted} interrupted by Ctrl-C (the results ` +
      'so far are shown).\n\nExamples:\n' +
      '  umbra sweep cow-storm --vary policy=pinned,random --vary slice=500,2000,8000\n' +
      "  umbra sweep swap-storm --vary cpus=1..4 --repeat 6 --expect 'cycles_per_access < " +
      "500'\n" +
      '  umbra sweep false-sharing --vary discipline=guest-lock,lock-free --on threads --csv ' +
      'runs.csv',
  );
}

type Options = OptionsOf<typeof declare>;

export const sweepCommand = (): CommandUnknownOpts => declare().action(run);

async function run(path: string, options: Options, command: CommandUnknownOpts): Promise<void> {
  const { expect = [] } = options;
  const plan = planOf(path, options);
  const print = printerOf(options);
  const judge = (result: StudyResult): Swept['thresholds'] =>
    expect.flatMap((threshold) =>
      result.points.map(({ levels, measures }) => {
        const { median: value, samples, ...where } = measures[threshold.figure]!;
        return {
          levels,
          ...judgeEstimate(threshold, { value, samples: samples.length, ...where }),
        };
      }),
    );
  const { result, interrupted, write } = await sweep(plan, options, command, judge);
  print(sweepText(result, plan), isWrong(result.sweep));
  process.exitCode = exitCodeOf(result.sweep);
  write();
  if (!interrupted) return;
  process.stderr.write(interruptedText(options.out));
  process.exitCode = ExitCode.Interrupted;
}

const isWrong = ({ failed, thresholds }: Swept): boolean =>
  failed.length > 0 || thresholds.some(({ verdict }) => verdict !== 'met');

function exitCodeOf({ failed, thresholds }: Swept): ExitCode {
  const verdicts = new Set(thresholds.map(({ verdict }) => verdict));
  if (failed.length > 0 || verdicts.has('not met')) return ExitCode.Failed;
  return verdicts.has('not clear') ? ExitCode.NotClear : ExitCode.Ok;
}

function planOf(path: string, options: Options): SweepPlan {
  const { vary, repeat, seed, costs, expect = [] } = options;
  if (vary === undefined) {
    throw new UserError('nothing is varied: give --vary FIELD=VALUES, as in policy=pinned,random');
  }
  const file = readScenario(findScenario(path));
  const { way, measures } = wayOf(
    options,
    expect.map(({ figure }) => figure),
  );
  return {
    name: file.name,
    title: `${file.name}, by ${vary.map(({ field }) => field).join(' and ')}`,
    question: file.scenario.description ?? `What do settings of ${file.name} come to?`,
    base: file.scenario,
    settings: variationsOf(file, vary),
    measures,
    way,
    costs,
    seeds: seedsFrom(seed, repeat),
    conclude: (points) => bestOf(points, measures[0]!),
  };
}

/** The results of a sweep, for a terminal. */
function sweepText(result: StudyResult & { readonly sweep: Swept }, plan: SweepPlan): string {
  const { points, sweep: swept } = result;
  const columns = columnsOf(process.stdout);
  const [first] = plan.measures as [string];
  const bars = points.map(({ levels, measures }) => ({
    name: levelsText(levels),
    samples: measures[first]!,
  }));
  const { title, unit } = FIGURES[first]!;
  return [
    points.length === 0
      ? `${result.title}: no setting has a run that ended well.\n`
      : studyText(result, { columns, wrap: (text, most) => wrap(text, most, 0) }),
    ...(bars.length === 0
      ? []
      : [
          `${title}${unit === title.toLowerCase() ? '' : `, ${unit}`}; ░ is the interval:\n`,
          barsText(bars, columns),
        ]),
    `The order was drawn from seed ${swept.order_seed}.\n`,
    ...swept.thresholds.map((one) => `${judgedText(one)}: ${levelsText(one.levels)}\n`),
    ...failedLines(swept),
  ].join('');
}

const MOST_FAILED = 10;

export function failedLines({ failed }: Swept): string[] {
  const more = failed.length - MOST_FAILED;
  return [
    ...failed.slice(0, MOST_FAILED).map(({ seed, what }) => `WENT WRONG: seed ${seed}, ${what}\n`),
    ...(more > 0 ? [`and ${more} more went wrong\n`] : []),
  ];
}
