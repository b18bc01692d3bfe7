/** `umbra start`: real programs, one to a guest, on several host CPUs. `npm start` runs it. */

import { findPackageJSON } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, dirname, extname, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { PAGE_SIZE } from '../../shared/address.ts';
import { ALL_DEFECTS, type DefectId } from '../../shared/defects.ts';
import { DISCIPLINES, type DisciplineName } from '../../shared/discipline.ts';
import type { PagingName } from '../../shared/entry.ts';
import { UserError } from '../../shared/errors.ts';
import { runChecked } from '../check/checked-run.ts';
import { openProgram } from '../guest/traces/reader.ts';
import { POLICIES, type PolicyName } from '../host/policy.ts';
import { Machine } from '../machine.ts';
import { makeReport, statistics, succeeded } from '../report/run-report.ts';
import { formatSummary } from '../report/summary.ts';
import { parseDefects } from './defects.ts';
import { ExitCode } from './exit-code.ts';
import { JSON_OPTION, jsonOutput } from './json-output.ts';
import { columnsOf } from './terminal.ts';

interface Options {
  readonly cpus: number;
  readonly paging: PagingName;
  readonly policy: PolicyName;
  readonly seed: number;
  readonly defects?: readonly DefectId[];
  readonly vcpus: number;
  readonly discipline: DisciplineName;
  readonly guestMemory: number;
  readonly hostMemory?: number;
  readonly json?: string;
}

/** Programs that come with umbra: traces of 32-bit Debian binaries. The same place when built. */
const SAMPLES = ['pigz', 'ls', 'sort', 'wc'].map((name) =>
  join(dirname(findPackageJSON(import.meta.url)!), 'scenarios', 'traces', `${name}.umbra`),
);

/** Operations of a time slice: some tens to some hundreds of microseconds here. */
const QUANTUM = { least: 2_000, most: 20_000 };

const MIB_PAGES = (1 << 20) / PAGE_SIZE;
const PROGRESS_MS = 200;

export function startCommand(): Command {
  return new Command('start')
    .description(
      'Run programs from their memory traces, each in a guest of its own, under a scheduler ' +
        'that moves the guests between host CPUs; then show what shadow paging had to do, and ' +
        'prove that everything was given back.',
    )
    .argument('[trace...]', 'trace files (umbra import makes them); by default pigz, ls, sort, wc')
    .option('--cpus <n>', 'host CPUs, a worker thread each', integer(1), defaultCpus())
    .addOption(
      new Option('--paging <form>', 'page tables of two or three levels')
        .choices(['nonpae', 'pae'])
        .default('nonpae'),
    )
    .addOption(
      new Option('--policy <name>', 'where a vCPU goes on when its time is up')
        .choices([...POLICIES])
        .default('random'),
    )
    .option('--seed <n>', 'what everything random is drawn from', integer(0), 1)
    .option('--vcpus <n>', 'vCPUs of each guest; lguest had one', integer(1), 1)
    .addOption(
      new Option(
        '--discipline <name>',
        'how the vCPUs of a guest are kept from harming one another',
      )
        .choices([...DISCIPLINES])
        .default('as-written'),
    )
    .addOption(
      new Option('--defects <ids>', 'defects of the C code that are on: all, none, or U4,U12,…')
        .argParser(parseDefects)
        .default(undefined, 'all as written, none under another discipline'),
    )
    .option('--guest-memory <mib>', 'memory of each guest, in MiB', integer(1), 32)
    .option('--host-memory <mib>', 'memory for all of them; by default enough', integer(1))
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} all guests ended by themselves and nothing leaked, ` +
        `${ExitCode.Failed} not so, ${ExitCode.UserMistake} a mistake in what was given, ` +
        `${ExitCode.Interrupted} interrupted by Ctrl-C (the summary so far is shown).\n\n` +
        'Examples:\n' +
        '  umbra start --cpus 4 --paging pae\n' +
        '  umbra start my-program.umbra --json run.json',
    )
    .action(start);
}

async function start(traces: readonly string[], options: Options): Promise<void> {
  const writeJson = jsonOutput(options.json);
  const paths = traces.length > 0 ? traces : SAMPLES;
  const machine = await Machine.boot({
    hostCpus: options.cpus,
    policy: options.policy,
    seed: options.seed,
    defects: options.defects ?? (options.discipline === 'as-written' ? ALL_DEFECTS : []),
    discipline: options.discipline,
    quantum: QUANTUM,
    guests: paths.map((path) => ({
      name: basename(path, extname(path)),
      program: { kind: 'trace', path },
      pages: options.guestMemory * MIB_PAGES,
      paging: options.paging,
      vcpus: options.vcpus,
    })),
    ...(options.hostMemory === undefined ? {} : { frames: options.hostMemory * MIB_PAGES }),
  });
  const stopProgress = showProgress(machine);
  const interrupt = (): void => machine.interrupt();
  process.once('SIGINT', interrupt);
  const result = await runChecked(machine);
  process.off('SIGINT', interrupt);
  stopProgress();

  const report = makeReport(machine, result, paths.map(commandOf));
  if (options.json !== '-') {
    process.stdout.write(
      formatSummary(report, {
        colour: process.stdout.isTTY && process.stdout.hasColors(),
        columns: columnsOf(process.stdout),
      }),
    );
  }
  writeJson(report);
  if (report.ending.kind === 'interrupted') process.exitCode = ExitCode.Interrupted;
  else process.exitCode = succeeded(report) ? ExitCode.Ok : ExitCode.Failed;
  const remedy = remedyFor(report.guests.map((guest) => guest.reason));
  if (remedy !== undefined) throw new UserError(remedy);
}

/** A guest that died for want of memory died of the user's choice. */
function remedyFor(reasons: readonly string[]): string | undefined {
  if (reasons.some((reason) => /^(out of memory|failed to get page)/.test(reason))) {
    return 'host memory was too little for these guests: give more with --host-memory, or leave it out to have enough';
  }
  if (reasons.some((reason) => reason.includes('Kernel panic - out of memory'))) {
    return 'a guest ran out of its own memory: give each more with --guest-memory';
  }
  return undefined;
}

function commandOf(path: string): string {
  const program = openProgram(path);
  program.close();
  return program.processes[0]?.command ?? program.name;
}

/** A line that is overwritten, where somebody sits and watches. Returns how to end it. */
function showProgress(machine: Machine): () => void {
  if (!process.stderr.isTTY) return () => {};
  const cpus = [...machine.host.cpus.keys()];
  const guests = [...machine.host.guests.keys()];
  const timer = setInterval(() => {
    const { accesses, faults_fixed, migrations } = statistics(machine, cpus, guests);
    process.stderr.write(
      `\r${(accesses / 1e6).toFixed(1)} million accesses, ${faults_fixed} faults fixed, ` +
        `${migrations} migrations\x1b[K`,
    );
  }, PROGRESS_MS);
  return () => {
    clearInterval(timer);
    process.stderr.write('\r\x1b[K');
  };
}

const defaultCpus = (): number => Math.max(2, availableParallelism());

/** A whole number of at least `least`. */
function integer(least: number): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(n) || n < least || n > 0xffff_ffff) {
      throw new InvalidArgumentError(`A whole number of at least ${least} is expected.`);
    }
    return n;
  };
}
