/** `umbra campaign`: many litmus tests by many schedules, on all cores, kept in a ledger. */

import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CampaignTask } from '../../workers/campaign-task.ts';
import { UserError } from '../errors.ts';
import { CampaignLedger } from '../explore/campaign/ledger.ts';
import { type Plan, planOf, type Unit, warmUpOf } from '../explore/campaign/plan.ts';
import { type CampaignReport, formatReport, reportOf } from '../explore/campaign/report.ts';
import type { UnitResult } from '../explore/campaign/unit.ts';
import { textsOfTests } from '../explore/litmus/texts.ts';
import { counted, grouped } from '../numbers.ts';
import { settingText } from '../report/litmus-setting.ts';
import { campaign as shownCampaign } from '../report/page/campaign-section.ts';
import type { Saved } from '../report/page/saved.ts';
import { ExitCode } from './exit-code.ts';
import {
  seedOption,
  shardOption,
  strategiesOption,
  TESTS,
  testsFor,
  withSettings,
} from './explore-options.ts';
import { heedInterrupt } from './interrupt.ts';
import {
  JSON_OPTION,
  jsonOutput,
  type OutputOptions,
  printer,
  QUIET_OPTION,
} from './json-output.ts';
import { keepLast } from './kept-schedules.ts';
import { atATime, integer, mustGoWith, type OptionsOf, positive } from './options.ts';
import { Progress } from './progress.ts';
import { tableColumns } from './terminal.ts';
import { checkQueueOptions, doUnits, type UnitsJob, withQueue } from './units.ts';
import { checkWatch, WATCH_OPTION, Watch } from './watch.ts';

function declare() {
  const command = new Command('campaign')
    .summary('Run many tests by many schedules on all cores, resumably')
    .description(
      'Run each litmus test by many schedules, in all of its settings, on all cores. Report how ' +
        'many behaved differently, what went wrong, and what may have been missed.',
    )
    .argument('<test...>', TESTS);
  const work = withSettings(command)
    .optionsGroup('Schedules:')
    .addOption(strategiesOption())
    .option('--runs <n>', 'schedules of each strategy in each setting', integer(1), 1000)
    .addOption(seedOption())
    .optionsGroup('Work:')
    .option('--out <ledger>', 'save the results in this file; the same command resumes from it')
    .addOption(shardOption())
    .option('--threads <n>', 'threads to use', atATime, availableParallelism())
    .option('--until-failure', 'stop at the first unit with a failing schedule');
  return withQueue(work)
    .option(
      '--forever',
      'with --queue: make a standing plan for umbra work --forever, with new seeds each round',
    )
    .option(
      '--weight <x>',
      'with --forever: its share of the rounds, relative to other plans',
      positive(),
      1,
    )
    .optionsGroup('Output:')
    .option(...WATCH_OPTION)
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .addHelpText(
      'after',
      '\nThe members of a portfolio share its schedules. Work is divided into units of some ' +
        'schedules, and the ledger has only whole units. So Ctrl-C and kill -9 lose only the ' +
        'units ' +
        'in progress. umbra merge merges the ledgers of all shards.\n\n' +
        `Exit code: ${ExitCode.Ok} nothing wrong, ${ExitCode.Failed} a schedule went wrong, ` +
        `${ExitCode.UserMistake} a mistake in the input, ${ExitCode.Interrupted} ` +
        'interrupted by Ctrl-C (the report so far is shown).\n\nExamples:\n' +
        '  umbra campaign litmus --runs 10000 --out nightly.sqlite\n' +
        '  umbra campaign 5-flush --strategy pct-3,fewest --shard 1/4 --out 1.sqlite\n' +
        '  umbra campaign R2-dirty-erased --queue embedded',
    );
}

type Options = OptionsOf<typeof declare>;

export const campaignCommand = (): CommandUnknownOpts => declare().action(campaign);

async function campaign(
  paths: readonly string[],
  options: Options,
  command: CommandUnknownOpts,
): Promise<void> {
  const { out, shard, json } = options;
  checkQueueOptions(options, command);
  checkWatch(options);
  mustGoWith(command, 'forever', ['weight']);
  const writeJson = jsonOutput(json);
  const { strategy: strategies, runs, seed } = options;
  const plan = planOf(testsFor(paths, options), options, { strategies, runs, seed });
  if (options.forever) return stand(plan, options, paths);
  const ledger = new CampaignLedger(out, plan, shard);
  try {
    await using watch = await Watch.begin(titleOf(paths, plan), options);
    const { left, interrupted } = await goOn(ledger, options, paths, watch);
    if (left > 0 && !interrupted) return;
    const report = reportOf(ledger);
    await watch.end([savedCampaign(report)], interrupted);
    tell(report, options, writeJson);
    if (interrupted) {
      const { done, all } = report.units;
      process.stderr.write(
        out === undefined
          ? 'umbra: interrupted; with --out LEDGER the same command could resume from here\n'
          : `umbra: interrupted; in ${out}: ${done} of ${counted(all, 'unit')}; the same command ` +
              'resumes from there\n',
      );
      process.exitCode = ExitCode.Interrupted;
    }
  } finally {
    ledger.close();
  }
}

/** A plan for rounds without end. */
async function stand(
  plan: Plan,
  { queue: text, weight, out, wait, untilFailure, quiet }: Options,
  paths: readonly string[],
): Promise<void> {
  if (text === undefined) throw new UserError('--forever is for --queue: say which');
  if (out !== undefined || wait || untilFailure) {
    throw new UserError('--forever has no end: leave --out, --wait and --until-failure out');
  }
  const [{ parseAddress, shownAddress }, { Queue }, queued] = await Promise.all([
    import('../queue/address.ts'),
    import('../queue/queue.ts'),
    import('../queue/forever.ts'),
  ]);
  const address = parseAddress(text);
  const queue = await Queue.open(address);
  try {
    const title = titleOf(paths, plan);
    const files = textsOfTests(plan.subjects.map(({ path }) => path));
    await queued.stand(queue, { title, plan, files, weight });
    printer({ ...(quiet !== undefined && { quiet }) })(
      `${title} is a standing plan of ${shownAddress(address)} with weight ${weight}: ` +
        'umbra work --forever runs it\n',
    );
  } finally {
    await queue.close();
  }
}

const titleOf = (paths: readonly string[], { runs }: Plan): string =>
  ['umbra campaign', ...paths, `--runs ${runs}`].join(' ');

/** Print the result of a campaign; sets the exit code. */
export function tell(
  report: CampaignReport,
  options: OutputOptions,
  writeJson: (report: CampaignReport) => void,
): void {
  const text = formatReport(report, {
    replay: keepLast,
    quiet: options.quiet,
    columns: tableColumns(),
  });
  printer(options)(text, report.failures > 0);
  writeJson(report);
  process.exitCode = report.failures > 0 ? ExitCode.Failed : ExitCode.Ok;
}

interface UnitTask extends CampaignTask {
  readonly unit: Unit;
}

const taskOf = ({ plan }: CampaignLedger, unit: Unit): UnitTask => {
  const { path, digest, setting } = plan.subjects[unit.subject]!;
  return { unit, path, digest, setting, work: { ...unit, warmUp: warmUpOf(unit) } };
};

/**
 * Run the units that the ledger lacks. Returns how many are still missing, and whether Ctrl-C came.
 */
async function goOn(
  ledger: CampaignLedger,
  { threads, untilFailure, ...options }: Options,
  paths: readonly string[],
  watch: Watch,
): Promise<{ readonly left: number; readonly interrupted: boolean }> {
  const { plan } = ledger;
  const before = reportOf(ledger);
  let { distinct } = before;
  const runsLeft = ledger.unitsLeft().reduce((n, { runs }) => n + runs, 0);
  const progress = new Progress('schedules', before.schedules + runsLeft, before.schedules);
  const watched = new Coverage();
  const failed = new AbortController();
  if (untilFailure && before.failures > 0) failed.abort();
  using interrupted = heedInterrupt();
  progress.fail(before.failures);
  const unitsLeft = ledger.unitsLeft().length;
  let unitsDone = 0;
  watch.shows(() => ({
    advance: progress.advance,
    facts: [
      ['Different', counted(distinct, 'behaviour')],
      ['Units', `${grouped(unitsDone)} of ${grouped(unitsLeft)}`],
      ['Seed', String(plan.seed)],
      ['Strategies', plan.strategies.join(', ')],
    ],
    tables: [{ caption: 'By test and setting', head: WATCHED, rows: watched.rows }],
  }));
  const job: UnitsJob<UnitTask, UnitResult | undefined> = {
    worker: 'campaign-task',
    name: 'unit',
    threads,
    kind: 'campaign',
    plan,
    tasks: ledger.unitsLeft().map((unit) => taskOf(ledger, unit)),
    place: ({ unit }) => unit.id,
    untilFailure: untilFailure ?? false,
    title: titleOf(paths, plan),
    files: options.queue === undefined ? [] : textsOfTests(plan.subjects.map(({ path }) => path)),
    signal: AbortSignal.any([failed.signal, interrupted.signal]),
    done: (result, { unit, path }) => {
      if (result === undefined) throw new UserError(`${path} has changed while it was run`);
      progress.add(result.schedules);
      progress.drop(unit.runs - result.schedules);
      distinct += ledger.record(unit, result);
      progress.fail(result.failures.length);
      unitsDone++;
      watched.add(plan.subjects[unit.subject]!, result);
      for (const { ending, message, token } of result.failures) {
        watch.failed({ of: path, says: `${ending}: ${message}`, again: `umbra replay ${token}` });
      }
      if (untilFailure && result.failures.length > 0) failed.abort();
    },
    progress: () => `${progress}, ${grouped(distinct)} different`,
  };
  return { left: await doUnits(job, options), interrupted: interrupted.signal.aborted };
}

const savedCampaign = (report: CampaignReport): Saved => ({
  name: 'campaign',
  kind: 'campaign',
  campaign: shownCampaign.parse(report),
});

const WATCHED = ['Test, setting', 'Schedules', 'Failures'] as const;

/** Runs since the start, by test and setting. */
class Coverage {
  readonly #of = new Map<string, { schedules: number; failures: number }>();

  add({ path, setting }: Plan['subjects'][number], result: UnitResult): void {
    const name = `${basename(path)}, ${settingText(setting)}`;
    const so = this.#of.get(name) ?? { schedules: 0, failures: 0 };
    so.schedules += result.schedules;
    so.failures += result.failures.length;
    this.#of.set(name, so);
  }

  /** The first failure. */
  get rows(): string[][] {
    return [...this.#of]
      .toSorted(([a, one], [b, other]) => other.failures - one.failures || (a < b ? -1 : 1))
      .map(([name, { schedules, failures }]) => [name, grouped(schedules), grouped(failures)]);
  }
}
