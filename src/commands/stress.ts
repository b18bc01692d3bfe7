/** `umbra stress`: machines drawn from seeds, some at a time. */

import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { DefectId } from '../../shared/defects.ts';
import type { DisciplineName } from '../../shared/discipline.ts';
import type { PagingName } from '../../shared/entry.ts';
import { UserError } from '../../shared/errors.ts';
import { VIRTUALIZATIONS, type Virtualization } from '../../shared/virtualization.ts';
import type { StressResult, StressTask } from '../../workers/stress-task.ts';
import { type Fixed, stress } from '../check/stress.ts';
import type { Machine } from '../machine.ts';
import { grouped } from '../numbers.ts';
import { type Statistics, statistics } from '../report/run-report.ts';
import { stressCommandFor, stressFailure } from '../report/stress-failure.ts';
import { formatStress, StressTotals, tallyOf } from '../report/stress-totals.ts';
import { ExitCode } from './exit-code.ts';
import { heedInterrupt } from './interrupt.ts';
import { JSON_OPTION, printer, QUIET_OPTION } from './json-output.ts';
import { defectsOption, disciplineOption, integer, pagingOption } from './options.ts';
import { OUT_OPTION, type ResultOptions, resultsOf } from './run-folder.ts';
import { clearLine, showProgress, tableColumns } from './terminal.ts';
import { checkQueueOptions, doUnits, type QueueOptions, withQueue } from './units.ts';

interface Options extends ResultOptions, QueueOptions {
  readonly seconds: number;
  readonly ops?: number;
  readonly runs?: number;
  readonly seed: number;
  readonly discipline?: DisciplineName;
  readonly paging?: PagingName;
  readonly virtualization?: Virtualization;
  readonly cpus?: number;
  readonly vcpus?: number;
  readonly guests?: number;
  readonly defects?: readonly DefectId[];
  readonly untilFailure?: true;
  readonly jobs: number;
}

export function stressCommand(): Command {
  const command = new Command('stress')
    .summary('Run machines drawn from seeds, and hold them to their invariants')
    .description(
      'Run machines drawn from seeds (guests, how they are virtualized, vCPUs, host CPUs, ' +
        'paging, disciplines, policies, time slices, kernel threads, CPUs that go offline, ' +
        'allocations that fail) and hold each to its invariants and to the memory that one ' +
        'vCPU alone leaves.',
    )
    .optionsGroup('Length:')
    .option('--seconds <s>', 'how long; the last run is cut short', integer(1, MOST_SECONDS), 30)
    .option('--ops <n>', 'until so many guest operations are done, whatever the time', operations)
    .option('--runs <n>', 'how many runs, whatever the time', integer(1))
    .option('--until-failure', 'end with the first run that goes wrong')
    .option('--seed <n>', 'seed of the first run; the next ones count up', integer(0), 1)
    .option('--jobs <n>', 'machines at the same time', integer(1), availableParallelism())
    .optionsGroup('Machines:')
    .addOption(disciplineOption())
    .addOption(pagingOption())
    .addOption(
      new Option('--virtualization <way>', 'how guest addresses become the host’s').choices(
        VIRTUALIZATIONS,
      ),
    )
    .option('--cpus <n>', 'host CPUs', integer(1))
    .option('--vcpus <n>', 'vCPUs of each guest', integer(1))
    .option('--guests <n>', 'guests of each machine', integer(1))
    .addOption(defectsOption())
    .optionsGroup('Across machines (docs/campaigns.md):');
  return withQueue(command)
    .optionsGroup('Output:')
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION)
    .addHelpText(
      'after',
      '\nWhat is not given is drawn. As written, guests have one vCPU; with --vcpus it is drawn ' +
        'from the other disciplines, unless --discipline asks for it. With a defect R… guests have ' +
        'several. Disciplines and defects are the shadow’s: with one given, all guests have shadows.' +
        '\n\n' +
        `Exit code: ${ExitCode.Ok} nothing wrong, ${ExitCode.Failed} something, ` +
        `${ExitCode.UserMistake} a mistake in what was given, ${ExitCode.Interrupted} interrupted ` +
        'by Ctrl-C (the summary so far is shown).\n\n' +
        'Examples:\n' +
        '  umbra stress --seconds 600\n' +
        '  umbra stress --discipline guest-lock --paging pae --ops 100000000\n' +
        '  umbra stress --defects R16 --until-failure\n' +
        '  umbra stress --seed 1234 --runs 1',
    )
    .action(run);
}

async function run(options: Options, command: Command): Promise<void> {
  checkQueueOptions(options, command);
  const { seed, jobs } = options;
  const writeResult = resultsOf(options, command);
  if (options.queue !== undefined) return viaQueue(options, writeResult);
  const print = printer(options);
  const fixed = fixedOf(options);
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  const totals = new StressTotals(seed);
  let next = seed;
  /** The machine that each lane runs. */
  const current: (Machine | undefined)[] = [];
  let isOver = false;
  const end = (): void => {
    isOver = true;
    for (const machine of current) machine?.interrupt();
  };
  using interruption = heedInterrupt();
  interruption.signal.onabort = end;
  const isTimed = options.ops === undefined && options.runs === undefined;
  const timer = isTimed ? setTimeout(end, options.seconds * 1000) : undefined;
  const stopProgress = showProgress(() => line(next - 1, totals, current, elapsed()));
  const isEnough = (): boolean => {
    const { ops = Infinity, runs = Infinity } = options;
    return !isTimed && (next - seed >= runs || totals.sums.operations >= ops);
  };
  const lane = async (_: unknown, number: number): Promise<void> => {
    const started = (machine: Machine): void => {
      current[number] = machine;
      // It may have come while this one booted.
      if (isOver) machine.interrupt();
    };
    while (!isOver && !isEnough()) {
      const outcome = await stress(next++, { fixed, started });
      current[number] = undefined;
      const command = stressCommandFor(outcome.seed, fixed);
      totals.add(tallyOf(outcome), command, elapsed());
      if (outcome.faults.length === 0) continue;
      clearLine();
      print(stressFailure(outcome, command), true);
      if (options.untilFailure) end();
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  stopProgress();
  clearTimeout(timer);
  const interrupted = interruption.isInterrupted();
  const seconds = elapsed();
  print(formatStress(totals, seconds, tableColumns()), totals.failures.length > 0);
  writeResult(totals.toJson(seconds, interrupted), totals.tables());
  if (totals.failures.length > 0) process.exitCode = ExitCode.Failed;
  else process.exitCode = interrupted ? ExitCode.Interrupted : ExitCode.Ok;
}

/** Machines of so many seeds, by workers of a queue. */
async function viaQueue(
  options: Options,
  writeResult: ReturnType<typeof resultsOf>,
): Promise<void> {
  const { seed, runs, untilFailure = false } = options;
  if (runs === undefined)
    throw new UserError('--queue takes --runs: how many machines are to be run');
  const fixed = fixedOf(options);
  using interrupted = heedInterrupt();
  const results = new Map<number, StressResult>();
  const left = await doUnits<StressTask, StressResult>(
    {
      worker: 'stress-task',
      name: 'run',
      kind: 'stress',
      threads: 1,
      untilFailure,
      plan: { seed, runs, fixed },
      title: `${stressCommandFor(seed, fixed).replace(/ --runs 1\b/, ` --runs ${runs}`)}`,
      tasks: Array.from({ length: runs }, (_, i) => ({ seed: seed + i, fixed })),
      signal: interrupted.signal,
      done: (result, task) => void results.set(task.seed, result),
      progress: () => `${results.size} of ${runs} runs`,
    },
    options,
  );
  if (left > 0 && !interrupted.signal.aborted) return;
  const totals = new StressTotals(seed);
  const print = printer(options);
  let seconds = 0;
  for (const [own, result] of [...results].toSorted(([a], [b]) => a - b)) {
    seconds += result.seconds;
    totals.add(result.tally, stressCommandFor(own, fixed), seconds);
    if (result.told !== undefined) print(result.told, true);
  }
  print(formatStress(totals, seconds, tableColumns()), totals.failures.length > 0);
  writeResult(totals.toJson(seconds, interrupted.signal.aborted), totals.tables());
  if (totals.failures.length > 0) process.exitCode = ExitCode.Failed;
  else process.exitCode = interrupted.signal.aborted ? ExitCode.Interrupted : ExitCode.Ok;
}

/** What a timer takes. */
const MOST_SECONDS = 2_000_000;

const DIMENSIONS = [
  ...(['discipline', 'paging', 'virtualization', 'cpus', 'vcpus', 'guests', 'defects'] as const),
];

const fixedOf = (options: Options): Fixed =>
  Object.fromEntries(
    DIMENSIONS.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]),
  );

function line(
  seed: number,
  { runs, sums, checks, failures }: StressTotals,
  machines: readonly (Machine | undefined)[],
  seconds: number,
): string {
  const now = machines
    .filter((machine) => machine !== undefined)
    .map((machine) =>
      statistics(machine, [...machine.host.cpus.keys()], [...machine.host.guests.keys()]),
    );
  const sum = (of: (one: Statistics) => number): number => now.reduce((n, one) => n + of(one), 0);
  const operations = sum((one) => one.operations);
  const faults = sum((one) => one.faults_fixed + one.faults_passed_on);
  const migrations = sum((one) => one.migrations);
  const perSecond = (n: number): string => grouped(Math.round(n / seconds));
  const wrong = failures.length === 0 ? '' : `${failures.length} FAILED, `;
  return (
    `${wrong}seed ${seed}: ${runs} runs, ${perSecond(sums.operations + operations)} operations/s, ` +
    `${perSecond(sums.faults + faults)} faults/s, ` +
    `${perSecond(sums.migrations + migrations)} migrations/s, ${checks} checks passed`
  );
}

/** Also as 1e9 or 1_000_000. */
function operations(text: string): number {
  const n = Number(text.replaceAll('_', ''));
  if (text !== '' && Number.isSafeInteger(n) && n >= 1) return n;
  throw new InvalidArgumentError('A whole number of at least 1 is expected.');
}
