/** `umbra start`: real programs, one to a guest, on several host CPUs. `npm start` runs it. */

import { basename, extname } from 'node:path';
import { Command } from 'commander';
import type { DisciplineName } from '../../shared/discipline.ts';
import { costTable } from '../cost/model.ts';
import type { PresetName } from '../cost/presets.ts';
import type { DefectId } from '../defects.ts';
import { SAMPLES, tracePath } from '../guest/traces/samples.ts';
import { PAGE_SIZE } from '../hardware/address.ts';
import type { PagingName } from '../hardware/entry.ts';
import type { PolicyName, ReplayName } from '../host/policy.ts';
import type { Threshold } from '../report/threshold.ts';
import type { Slice } from '../scenario/spec.ts';
import { ExitCode } from './exit-code.ts';
import { JSON_OPTION, QUIET_OPTION } from './json-output.ts';
import {
  costsOption,
  cpusFor,
  defaultCpus,
  defectsOption,
  disciplineOption,
  expectOption,
  integer,
  pagingOption,
  policyHelp,
  policyOption,
  sliceOption,
  vcpusOption,
} from './options.ts';
import { OUT_OPTION, type ResultOptions, resultsOf } from './run-folder.ts';
import { runMachine } from './run-machine.ts';
import {
  type TraceArguments,
  traceEventsOption,
  traceOption,
  traceOptions,
} from './trace-output.ts';

interface Options extends ResultOptions, TraceArguments {
  readonly cpus: number;
  readonly paging: PagingName;
  readonly policy: PolicyName | ReplayName;
  readonly slice: Slice;
  readonly seed: number;
  readonly defects?: readonly DefectId[];
  readonly vcpus: number;
  readonly discipline: DisciplineName;
  readonly guestMemory: number;
  readonly hostMemory?: number;
  readonly costs?: PresetName;
  readonly expect?: readonly Threshold[];
}

/** Operations of a time slice: some tens to some hundreds of microseconds here. */
const SLICE: Slice = { least: 2_000, most: 20_000 };

const MIB_PAGES = (1 << 20) / PAGE_SIZE;

export function startCommand(): Command {
  return new Command('start')
    .summary('Run real programs from their traces, each in a guest of its own')
    .description(
      'Run programs from their memory traces, each in a guest of its own, under a scheduler ' +
        'that moves the guests between host CPUs; then show what shadow paging had to do, and ' +
        'prove that everything was given back.',
    )
    .argument(
      '[trace...]',
      'trace files (umbra import makes them), or names of those that come with umbra: ' +
        `${SAMPLES.join(', ')}; by default the first four`,
    )
    .optionsGroup('Machine:')
    .option('--cpus <n>', 'host CPUs, a worker thread each', integer(1), defaultCpus())
    .addOption(pagingOption().default('nonpae'))
    .addOption(policyOption().default('random'))
    .addOption(sliceOption().default(SLICE, `${SLICE.least}..${SLICE.most}`))
    .option('--seed <n>', 'what everything random is drawn from', integer(0), 1)
    .addOption(vcpusOption().default(1))
    .addOption(disciplineOption().default('as-written'))
    .addOption(defectsOption())
    .option('--guest-memory <mib>', 'memory of each guest, in MiB', integer(1), 32)
    .option('--host-memory <mib>', 'memory for all of them; by default enough', integer(1))
    .addOption(costsOption())
    .addOption(expectOption('the run'))
    .optionsGroup('Output:')
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION)
    .addOption(traceOption())
    .addOption(traceEventsOption())
    .addHelpText(
      'after',
      `${policyHelp()}\nExit code: ${ExitCode.Ok} all guests ended by themselves, nothing ` +
        `leaked, and thresholds are met, ` +
        `${ExitCode.Failed} not so, ${ExitCode.UserMistake} a mistake in what was given, ` +
        `${ExitCode.Interrupted} interrupted by Ctrl-C (the summary so far is shown).\n\n` +
        'Examples:\n' +
        '  umbra start --cpus 4 --paging pae\n' +
        '  umbra start pigz pigz --vcpus 2 --discipline guest-lock --json run.json',
    )
    .action(start);
}

async function start(traces: readonly string[], options: Options, command: Command): Promise<void> {
  const isGiven = command.getOptionValueSource('cpus') !== 'default';
  const paths = (traces.length > 0 ? traces : SAMPLES.slice(0, 4)).map(tracePath);
  await runMachine(
    {
      hostCpus: isGiven ? options.cpus : cpusFor(options.policy, options.cpus),
      policy: options.policy,
      seed: options.seed,
      discipline: options.discipline,
      quantum: options.slice,
      guests: paths.map((path) => ({
        name: basename(path, extname(path)),
        program: { kind: 'trace', path },
        pages: options.guestMemory * MIB_PAGES,
        paging: options.paging,
        vcpus: options.vcpus,
      })),
      ...(options.defects === undefined ? {} : { defects: options.defects }),
      ...(options.hostMemory === undefined ? {} : { frames: options.hostMemory * MIB_PAGES }),
    },
    {
      output: options,
      writeResult: resultsOf(options, command),
      costs: costTable(options.costs),
      thresholds: options.expect,
      trace: traceOptions(options),
      keepEvents: options.out !== undefined,
      remedies: { hostMemory: '--host-memory', guestMemory: '--guest-memory' },
    },
  );
}
