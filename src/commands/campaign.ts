/** `umbra campaign`: many litmus tests by many schedules, on all cores, kept in a ledger. */

import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { UserError } from '../../shared/errors.ts';
import type { CampaignTask } from '../../workers/campaign-task.ts';
import { Ledger } from '../explore/campaign/ledger.ts';
import { planOf, type Shard, type Unit, warmUpOf } from '../explore/campaign/plan.ts';
import { type CampaignReport, formatReport, reportOf } from '../explore/campaign/report.ts';
import type { UnitResult } from '../explore/campaign/unit.ts';
import { findLitmusFiles } from '../explore/litmus/find-files.ts';
import { ExitCode } from './exit-code.ts';
import {
  type SettingOptions,
  seedOption,
  strategiesOption,
  withSettings,
} from './explore-options.ts';
import { JSON_OPTION, jsonOutput } from './json-output.ts';
import { integer } from './options.ts';
import { abortOnInterrupt, onPool } from './pool.ts';
import { formatDuration, showProgress } from './terminal.ts';

interface Options extends SettingOptions {
  readonly strategy: readonly string[];
  readonly runs: number;
  readonly seed: number;
  readonly out?: string;
  readonly shard: Shard;
  readonly threads: number;
  readonly untilFailure?: true;
  readonly json?: string;
}

export function campaignCommand(): Command {
  const command = new Command('campaign')
    .description(
      'Run litmus tests by many schedules each, in every setting that they are for, on all ' +
        'cores; say how many were different, what went wrong, and what may have been missed.',
    )
    .argument('<path...>', 'litmus tests, or folders of them');
  return withSettings(command)
    .addOption(strategiesOption().default(['portfolio'], 'portfolio'))
    .option('--runs <n>', 'schedules of each strategy in each setting', integer(1), 1000)
    .addOption(seedOption())
    .option('--out <ledger>', 'keep what is done in this file; the same command goes on from it')
    .option('--shard <i/n>', 'only the i-th of n parts', parseShard, { index: 1, of: 1 })
    .option('--threads <n>', 'that work at it', integer(1), availableParallelism())
    .option('--until-failure', 'end with the first schedules among which one goes wrong')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nThe members of a portfolio share its schedules. Work is cut into units of some schedules; ' +
        'a ledger has them whole or not at all, so Ctrl-C and kill -9 lose only those at work. ' +
        'umbra merge makes the ledgers of all shards into one.\n\n' +
        `Exit code: ${ExitCode.Ok} nothing wrong, ${ExitCode.Failed} a schedule went wrong, ` +
        `${ExitCode.UserMistake} a mistake in what was given, ${ExitCode.Interrupted} ` +
        'interrupted by Ctrl-C (the report so far is shown).\n\nExamples:\n' +
        '  umbra campaign litmus --runs 10000 --out nightly.sqlite\n' +
        '  umbra campaign litmus/5-flush --strategy pct-3,fewest --shard 1/4 --out 1.sqlite',
    )
    .action(campaign);
}

async function campaign(paths: readonly string[], options: Options): Promise<void> {
  const { out, shard, json } = options;
  const writeJson = jsonOutput(json);
  const { strategy: strategies, runs, seed } = options;
  const plan = planOf(findLitmusFiles(paths), options, { strategies, runs, seed });
  const ledger = Ledger.open(out, plan, shard);
  try {
    const interrupted = await goOn(ledger, options);
    const report = reportOf(ledger);
    tell(report, json, writeJson);
    if (interrupted) {
      const { done, all } = report.units;
      process.stderr.write(
        out === undefined
          ? 'umbra: interrupted; with --out LEDGER the same command could go on from here\n'
          : `umbra: interrupted; ${done} of ${all} units are in ${out}, and the same command ` +
              'goes on from there\n',
      );
      process.exitCode = ExitCode.Interrupted;
    }
  } finally {
    ledger.close();
  }
}

/** Say what a campaign came to; sets the exit code. */
export function tell(
  report: CampaignReport,
  json: string | undefined,
  writeJson: (report: CampaignReport) => void,
): void {
  if (json !== '-') process.stdout.write(formatReport(report));
  writeJson(report);
  process.exitCode = report.failures > 0 ? ExitCode.Failed : ExitCode.Ok;
}

interface UnitTask extends CampaignTask {
  readonly unit: Unit;
}

/** Do the units that the ledger does not have. Returns whether Ctrl-C came. */
async function goOn(ledger: Ledger, { threads, untilFailure }: Options): Promise<boolean> {
  const before = reportOf(ledger);
  const progress = new Progress(before, ledger.unitsLeft());
  const failed = new AbortController();
  if (untilFailure && before.failures > 0) failed.abort();
  const interrupted = new AbortController();
  const stopListening = abortOnInterrupt(interrupted);
  const stopProgress = showProgress(() => progress.line());
  try {
    await onPool<UnitTask, UnitResult | undefined>({
      ...{ worker: 'campaign-task', name: 'unit', threads },
      tasks: ledger.unitsLeft().map((unit): UnitTask => {
        const { path, digest, setting } = ledger.plan.subjects[unit.subject]!;
        return { unit, path, digest, setting, work: { ...unit, warmUp: warmUpOf(unit) } };
      }),
      signal: AbortSignal.any([failed.signal, interrupted.signal]),
      done: (result, { unit, path }) => {
        if (result === undefined) throw new UserError(`${path} has changed while it was run`);
        progress.add(unit, result, ledger.record(unit, result));
        if (untilFailure && result.failures.length > 0) failed.abort();
      },
    });
  } finally {
    stopProgress();
    stopListening();
  }
  return interrupted.signal.aborted;
}

/** How far it is, of all that the ledger is to have, and how fast since it was begun or resumed. */
class Progress {
  readonly #start = performance.now();
  #before: number;
  #done = 0;
  #left: number;
  #distinct: number;
  #failures: number;

  constructor({ schedules, distinct, failures }: CampaignReport, left: readonly Unit[]) {
    this.#before = schedules;
    this.#distinct = distinct;
    this.#failures = failures;
    this.#left = left.reduce((n, { runs }) => n + runs, 0);
  }

  add({ runs }: Unit, { schedules, failures }: UnitResult, distinct: number): void {
    this.#done += schedules;
    this.#left -= runs;
    this.#distinct += distinct;
    this.#failures += failures.length;
  }

  line(): string {
    const seconds = (performance.now() - this.#start) / 1000;
    const rate = this.#done / seconds;
    const count = (n: number): string => Math.round(n).toLocaleString('en-US');
    const done = this.#before + this.#done;
    const eta = rate > 0 ? formatDuration(this.#left / rate) : '–';
    const wrong = this.#failures > 0 ? `, ${count(this.#failures)} FAILED` : '';
    return (
      `${count(done)} of ${count(done + this.#left)} schedules, ${count(rate)}/s, ETA ${eta}, ` +
      `${count(this.#distinct)} different${wrong}`
    );
  }
}

function parseShard(text: string): Shard {
  const [index, of] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).slice(1).map(Number);
  if (index === undefined || of === undefined || index < 1 || index > of || of > 0xffff) {
    throw new InvalidArgumentError(
      'i/n is expected, with i from 1 to n: 1/4 is the first of four.',
    );
  }
  return { index, of };
}
