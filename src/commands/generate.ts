/** `umbra generate`: all small programs of the guest's, each by a sweep of schedules. */

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  Command,
  type CommandUnknownOpts,
  InvalidArgumentError,
  Option,
} from '@commander-js/extra-typings';
import { DISCIPLINES } from '../../shared/discipline.ts';
import { UserError } from '../errors.ts';
import { ALPHABETS } from '../explore/generate/alphabets.ts';
import { type Cluster, clustersOf, columnsText, testFor } from '../explore/generate/clusters.ts';
import { GenerateLedger } from '../explore/generate/ledger.ts';
import {
  type GeneratePlan,
  type GenerateUnit,
  generatePlan,
  Programs,
} from '../explore/generate/plan.ts';
import type { Configuration } from '../explore/generate/programs.ts';
import { formatGenerated, reportOf } from '../explore/generate/report.ts';
import type { UnitResult } from '../explore/generate/unit.ts';
import { parseLitmus } from '../explore/litmus/litmus.ts';
import { tokenOf } from '../explore/replay.ts';
import { Recorded } from '../explore/strategies/recorded.ts';
import { Subject } from '../explore/subject.ts';
import { makeFolder, statOf } from '../files.ts';
import { ExitCode } from './exit-code.ts';
import { defectsOption, shardOption } from './explore-options.ts';
import { heedInterrupt } from './interrupt.ts';
import { JSON_OPTION, jsonOutput, printer, QUIET_OPTION } from './json-output.ts';
import {
  atATime,
  disciplineOption,
  integer,
  mustGoWith,
  type OptionsOf,
  pagingOption,
} from './options.ts';
import { outputFile } from './output-file.ts';
import { Progress } from './progress.ts';
import { announce } from './terminal.ts';
import { checkQueueOptions, doUnits, type UnitsJob, withQueue } from './units.ts';

const MOST_OPERATIONS = 5;

function declare() {
  const command = new Command('generate')
    .summary('Run all small programs of a guest, each by a sweep of schedules')
    .description(
      'Make all programs of a given number of operations on two vCPUs that a guest may run. Run ' +
        'each by a sweep of schedules: whole operations in every order, and one preemption. ' +
        'Invariants must hold, and the result must be that of some order of the operations.',
    )
    .optionsGroup('Programs:')
    .option(
      '--ops <n>',
      `operations of a program, 2 to ${MOST_OPERATIONS}`,
      integer(2, MOST_OPERATIONS),
      2,
    )
    .addOption(
      new Option('--alphabet <name>', 'the operations that programs are made of')
        .choices(Object.keys(ALPHABETS))
        .default('all'),
    )
    .addOption(
      new Option(
        '--configuration <names>',
        'the tables that vCPUs start on, separated by commas: AA, AB, ABA, …',
      )
        .argParser(parseConfigurations)
        .default(parseConfigurations('AA,AB'), 'AA,AB'),
    )
    .option('--seed <n>', 'seed of the order of programs', integer(0), 1)
    .option(
      '--exhaustive [most]',
      'run all behaviours of each, or at most so many, as umbra verify does, instead of a sweep',
      integer(1),
    )
    .optionsGroup('Settings (by default all but as-written):')
    .addOption(disciplineOption())
    .addOption(pagingOption())
    .addOption(defectsOption())
    .optionsGroup('Work:')
    .option('--out <dir>', 'write failures into this folder; the same command resumes from it')
    .option('--seconds <s>', 'stop after so many seconds', integer(1))
    .addOption(shardOption())
    .option('--threads <n>', 'threads to use', atATime, availableParallelism())
    .addOption(
      new Option(
        '--each-defect',
        'make a table: each defect alone, until a program fails',
      ).conflicts([
        ...['ops', 'alphabet', 'exhaustive', 'seconds', 'shard', 'untilFailure', 'out'],
      ]),
    )
    .option('--until-failure', 'stop at the first unit with a failing program');
  return withQueue(command)
    .optionsGroup('Output:')
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .option('--markdown <file>', 'write the table of --each-defect as Markdown too; - for stdout')
    .addHelpText(
      'after',
      '\nFailures are shrunk, and clustered by their kind and by the functions of the ' +
        'two accesses to blame. --out has a litmus test for each cluster, which umbra replay ' +
        `takes, too.\n\nExit code: ${ExitCode.Ok} nothing wrong, ${ExitCode.Failed} a program ` +
        `failed, ${ExitCode.NotClear} no program was completed in --seconds, ` +
        `${ExitCode.UserMistake} a ` +
        `mistake in the input, ${ExitCode.Interrupted} interrupted by Ctrl-C (the report ` +
        'so far is shown).\n\nExamples:\n' +
        '  umbra generate --ops 2\n' +
        '  umbra generate --ops 2 --exhaustive --discipline guest-lock\n' +
        '  umbra generate --ops 3 --alphabet core --paging pae --discipline lock-free --out ' +
        'found\n' +
        '  umbra generate --defects R5 --until-failure',
    );
}

export type GenerateOptions = OptionsOf<typeof declare>;

export const generateCommand = (): CommandUnknownOpts =>
  declare().action(async (options, command) => {
    checkQueueOptions(options, command);
    if (options.queue !== undefined && options.seconds !== undefined) {
      throw new UserError('--queue leaves the work to umbra work: leave --seconds out');
    }
    mustGoWith(command, 'eachDefect', ['markdown']);
    if (!options.eachDefect) return generate(options);
    return (await import('./generate-each-defect.ts')).eachDefect(options);
  });

async function generate(options: GenerateOptions): Promise<void> {
  const writeJson = jsonOutput(options.json);
  const plan = planFor(options);
  const { out, shard } = options;
  if (out !== undefined && statOf(out)?.isFile()) {
    throw new UserError(`${out} is a file: give --out a folder`);
  }
  if (out !== undefined) makeFolder(out);
  const ledger = new GenerateLedger(out && join(out, 'generate.sqlite'), plan, shard);
  try {
    const programs = new Programs(plan);
    announce('making the programs: minutes for four operations');
    const all = [...programs.units(shard)];
    // Not before: that takes long for many operations, and it would not be heard.
    using interrupted = heedInterrupt();
    const { end, left } = await goOn(ledger, plan, all, options, interrupted.signal);
    if (left > 0 && end === 'whole') return;
    const clusters = clustersOf(plan, ledger.finds());
    const files = new Map(
      out === undefined ? [] : clusters.map((cluster) => [cluster, write(out, plan, cluster)]),
    );
    const report = reportOf({ plan, shard, programs, ledger, clusters, files });
    const text = formatGenerated(report, clusters.map(exampleOf), end === 'seconds');
    printer(options)(text, report.failed > 0);
    writeJson({ ...report, end });
    const isTried = end !== 'seconds' || report.spaces.some(({ tried }) => tried > 0);
    const good = isTried ? ExitCode.Ok : ExitCode.NotClear;
    process.exitCode = report.failed > 0 ? ExitCode.Failed : good;
    if (end !== 'interrupted') return;
    process.stderr.write(
      'umbra: interrupted; ' +
        `${out === undefined ? 'with --out DIR the same command could resume from here' : 'the same command resumes from here'}\n`,
    );
    process.exitCode = ExitCode.Interrupted;
  } finally {
    ledger.close();
  }
}

const REPAIRED = DISCIPLINES.filter((name) => name !== 'as-written');

export function planFor(options: GenerateOptions): GeneratePlan {
  const { ops, configuration } = options;
  const large = configuration.find(({ length }) => length > ops);
  if (large !== undefined) {
    throw new UserError(
      `found --ops ${ops} for the ${large.length} vCPUs of ${large}, expected an operation of ` +
        `each: give --ops ${large.length} or more`,
    );
  }
  return generatePlan({
    operations: ops,
    alphabet: options.alphabet,
    seed: options.seed,
    configurations: configuration,
    pagings: options.paging === undefined ? ['nonpae', 'pae'] : [options.paging],
    disciplines: options.discipline === undefined ? REPAIRED : [options.discipline],
    defects: options.defects ?? [],
    exhaustive: options.exhaustive,
  });
}

/** How it ended. */
type End = 'whole' | 'failure' | 'seconds' | 'interrupted';

/** Run the units that the ledger lacks. Returns how it ended, and how many are still missing. */
async function goOn(
  ledger: GenerateLedger,
  plan: GeneratePlan,
  all: readonly GenerateUnit[],
  { threads, untilFailure, seconds, ...options }: GenerateOptions,
  interrupted: AbortSignal,
): Promise<{ readonly end: End; readonly left: number }> {
  const { done } = ledger;
  const units = all.filter(({ id }) => !done.has(id));
  const count = (some: readonly GenerateUnit[]): number =>
    some.reduce((n, unit) => n + unit.programs.length, 0);
  const progress = new Progress('programs', count(all), count(all) - count(units));
  let failed = ledger.totals().reduce((n, totals) => n + totals.failed, 0);
  progress.fail(failed);
  const stop = new AbortController();
  if (untilFailure && failed > 0) stop.abort('failure');
  const timer = seconds && setTimeout(() => stop.abort('seconds'), seconds * 1000);
  const job: UnitsJob<GenerateUnit, UnitResult> = {
    worker: 'generate-task',
    name: 'unit',
    threads,
    tasks: units,
    kind: 'generate',
    plan,
    place: ({ id }) => id,
    untilFailure: untilFailure ?? false,
    title: `umbra generate --ops ${plan.operations} --alphabet ${plan.alphabet}`,
    signal: AbortSignal.any([stop.signal, interrupted]),
    progress: () => `${progress}`,
    done: (result, unit) => {
      ledger.record(unit, result);
      progress.add(result.programs);
      progress.fail(result.failed);
      failed += result.failed;
      if (untilFailure && failed > 0) stop.abort('failure');
    },
  };
  let left = 0;
  try {
    left = await doUnits(job, options);
  } finally {
    clearTimeout(timer);
  }
  if (interrupted.aborted) return { end: 'interrupted', left };
  return { end: stop.signal.aborted ? (stop.signal.reason as End) : 'whole', left };
}

/** The smallest of a cluster, as a litmus test with the token of its failure. */
function write(
  out: string,
  plan: GeneratePlan,
  { smallest }: Cluster,
): { readonly file: string; readonly token: string } {
  const space = plan.spaces[smallest.space]!;
  const { name, text } = testFor(smallest, space);
  const file = join(out, name);
  const subject = new Subject(file, parseLitmus(text, file), space.setting);
  const result = subject.run(new Recorded(smallest.decisions), 0);
  if (result.ending !== smallest.ending) {
    throw new Error(`${file} ends as ${result.ending}, and its program as ${smallest.ending}`);
  }
  const token = tokenOf(subject, result);
  outputFile(file, 'test', 'give --out another folder')(`${text}\n# umbra replay ${token}\n`);
  return { file, token };
}

const exampleOf = ({ smallest }: Cluster): string => columnsText(smallest);

function parseConfigurations(text: string): readonly Configuration[] {
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !/^[ABC]{2,3}$/.test(name));
  if (wrong === undefined) return [...new Set(names)];
  throw new InvalidArgumentError(
    `'${wrong}' is none: two or three tables of A, B and C are expected, as in AA,AB.`,
  );
}
