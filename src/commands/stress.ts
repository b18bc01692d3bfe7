/** `umbra stress`: machines drawn from seeds, some at a time. */

import { availableParallelism } from 'node:os';
import {
  Command,
  type CommandUnknownOpts,
  InvalidArgumentError,
  Option,
} from '@commander-js/extra-typings';
import { VIRTUALIZATIONS } from '../../shared/virtualization.ts';
import type { StressResult, StressTask } from '../../workers/stress-task.ts';
import { type Fixed, stress } from '../check/stress.ts';
import { UserError } from '../errors.ts';
import type { Machine } from '../machine.ts';
import { counted, duration, grouped } from '../numbers.ts';
import { type Statistics, statistics } from '../report/run-report.ts';
import { stressCommandFor, stressFailure } from '../report/stress-failure.ts';
import { formatStress, StressTotals, stressTable, tallyOf } from '../report/stress-totals.ts';
import { ExitCode } from './exit-code.ts';
import { heedInterrupt } from './interrupt.ts';
import { JSON_OPTION, printer, QUIET_OPTION } from './json-output.ts';
import {
  atATime,
  defectsOption,
  disciplineOption,
  integer,
  mustBeSeeds,
  type OptionsOf,
  pagingOption,
} from './options.ts';
import { OUT_OPTION, resultsOf } from './run-folder.ts';
import { clearLine, showProgress, tableColumns } from './terminal.ts';
import { checkQueueOptions, doUnits, withQueue } from './units.ts';
import { checkWatch, type LiveState, WATCH_OPTION, Watch } from './watch.ts';

function declare() {
  const command = new Command('stress')
    .summary('Run machines drawn from seeds, and check their invariants')
    .description(
      'Run machines drawn from seeds (guests, how they are virtualized, vCPUs, host CPUs, ' +
        'paging, disciplines, policies, time slices, kernel threads, CPUs that go offline, ' +
        'allocations that fail). Check the invariants of each, and that it leaves the same ' +
        'memory ' +
        'as on one vCPU.',
    )
    .optionsGroup('Length:')
    .option(
      '--seconds <s>',
      'run for so many seconds; the last run is cut short',
      integer(1, MOST_SECONDS),
      30,
    )
    .option(
      '--ops <n>',
      'start no machine after so many guest operations, instead of --seconds',
      operations,
    )
    .option('--runs <n>', 'number of runs, instead of --seconds', integer(1))
    .option('--until-failure', 'stop at the first run that fails')
    .option('--seed <n>', 'seed of the first run; later runs count up', integer(0), 1)
    .option('--jobs <n>', 'machines that run at the same time', atATime, availableParallelism())
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
    .addOption(defectsOption());
  return withQueue(command)
    .optionsGroup('Output:')
    .option(...WATCH_OPTION)
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION)
    .addHelpText(
      'after',
      '\nAll other properties are drawn. As written, guests have one vCPU; with --vcpus, one of ' +
        'the other disciplines is drawn, unless --discipline says as-written. With a defect R… ' +
        'guests have several vCPUs. With a discipline or a defect, all guests have ' +
        'shadows.\n\n' +
        `Exit code: ${ExitCode.Ok} nothing wrong, ${ExitCode.Failed} a run failed, ` +
        `${ExitCode.UserMistake} a mistake in the input, ${ExitCode.Interrupted} ` +
        'interrupted by Ctrl-C (the summary so far is shown).\n\n' +
        'Examples:\n' +
        '  umbra stress --seconds 600\n' +
        '  umbra stress --discipline guest-lock --paging pae --ops 100000000\n' +
        '  umbra stress --defects R16 --until-failure\n' +
        '  umbra stress --seed 1234 --runs 1',
    );
}

type Options = OptionsOf<typeof declare>;

export const stressCommand = (): CommandUnknownOpts => declare().action(run);

async function run(options: Options, command: CommandUnknownOpts): Promise<void> {
  checkQueueOptions(options, command);
  checkWatch(options);
  const { seed, jobs, runs = 1 } = options;
  mustBeSeeds(seed, runs);
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
  const at = (): At => ({ totals, machines: current, seconds: elapsed(), last: next - 1 });
  const stopProgress = showProgress(() => line(at()));
  await using watch = await Watch.begin(`umbra stress, from seed ${seed}`, options);
  watch.shows(() => liveStress(at(), options));
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
      watch.failed({ of: `seed ${outcome.seed}`, says: outcome.faults[0]!, again: command });
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
  await watch.end([{ name: 'stress', kind: 'tables', tables: totals.tables() }], interrupted);
  if (totals.failures.length > 0) process.exitCode = ExitCode.Failed;
  else process.exitCode = interrupted ? ExitCode.Interrupted : ExitCode.Ok;
}

interface At {
  readonly totals: StressTotals;
  /** Those that are under way. */
  readonly machines: readonly (Machine | undefined)[];
  readonly seconds: number;
  /** The seed that was begun last. */
  readonly last: number;
}

/** Progress by the limit that was given: runs, operations or time. */
function liveStress({ totals, machines, seconds, last }: At, options: Options): LiveState {
  const { runs, checks, failures } = totals;
  const sums = soFar(totals, machines);
  const counted = (n: number): string => `${grouped(n)}, ${perSecond(n, seconds)}/s`;
  const { ops, runs: wanted } = options;
  const [done, all, unit] =
    wanted !== undefined
      ? [runs, wanted, 'runs']
      : ops !== undefined
        ? [sums.operations, ops, 'operations']
        : [Math.min(seconds, options.seconds), options.seconds, 'seconds'];
  const rate = seconds > 0 ? done / seconds : 0;
  return {
    advance: {
      done: Math.floor(done),
      all,
      unit,
      rate: unit === 'seconds' ? undefined : rate,
      eta: rate > 0 ? duration(Math.max(0, all - done) / rate) : '–',
      failures: failures.length,
    },
    facts: [
      ['Seeds', `${options.seed} to ${last}`],
      ['Machines', grouped(runs)],
      ['Operations', counted(sums.operations)],
      ['Faults', counted(sums.faults)],
      ['Migrations', counted(sums.migrations)],
      ['Checks passed', grouped(checks)],
    ],
    tables: [stressTable(totals)],
  };
}

const perSecond = (n: number, seconds: number): string =>
  grouped(Math.round(seconds > 0 ? n / seconds : 0));

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
      progress: () => `${results.size} of ${counted(runs, 'run')}`,
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

/** The longest delay of a timer. */
const MOST_SECONDS = 2_000_000;

const DIMENSIONS = [
  ...(['discipline', 'paging', 'virtualization', 'cpus', 'vcpus', 'guests', 'defects'] as const),
];

const fixedOf = (options: Options): Fixed =>
  Object.fromEntries(
    DIMENSIONS.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]),
  );

/** The work done, with that of machines that still run. */
function soFar({ sums }: StressTotals, machines: readonly (Machine | undefined)[]) {
  const now = machines
    .filter((machine) => machine !== undefined)
    .map((machine) =>
      statistics(machine, [...machine.host.cpus.keys()], [...machine.host.guests.keys()]),
    );
  const sum = (of: (one: Statistics) => number): number => now.reduce((n, one) => n + of(one), 0);
  return {
    operations: sums.operations + sum((one) => one.operations),
    faults: sums.faults + sum((one) => one.faults_fixed + one.faults_passed_on),
    migrations: sums.migrations + sum((one) => one.migrations),
  };
}

function line({ totals, machines, seconds, last }: At): string {
  const { runs, checks, failures } = totals;
  const { operations, faults, migrations } = soFar(totals, machines);
  const wrong = failures.length === 0 ? '' : `${failures.length} FAILED, `;
  return (
    `${wrong}seed ${last}: ${counted(runs, 'run')}, ${perSecond(operations, seconds)} operations/s, ` +
    `${perSecond(faults, seconds)} faults/s, ` +
    `${perSecond(migrations, seconds)} migrations/s, ${checks} checks passed`
  );
}

/** Also as 1e9 or 1_000_000. */
function operations(text: string): number {
  const n = Number(text.replaceAll('_', ''));
  if (text !== '' && Number.isSafeInteger(n) && n >= 1) return n;
  throw new InvalidArgumentError('A whole number of at least 1 is expected.');
}
