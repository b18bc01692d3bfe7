/** `umbra import`: what other tools wrote, as programs for guests and as places for vCPUs. */

import {
  Command,
  type CommandUnknownOpts,
  InvalidArgumentError,
  Option,
} from '@commander-js/extra-typings';
import { importLackey } from '../import/import.ts';
import { MEMORY_FORMATS } from '../import/memory/formats.ts';
import { importMemory } from '../import/memory/import.ts';
import { formatImportReport } from '../import/report.ts';
import { importSchedule, placementText, VCPU_THREADS } from '../import/schedule/import.ts';
import { formatSchedule, scheduleReport } from '../import/schedule/report.ts';
import { ExitCode } from './exit-code.ts';
import { JSON_OPTION, jsonOutput, printer, QUIET_OPTION } from './json-output.ts';
import { integer } from './options.ts';
import { outputFile } from './output-file.ts';
import { Progress } from './progress.ts';
import { showProgress } from './terminal.ts';

const MIB = 1 << 20;

export function importCommand(): CommandUnknownOpts {
  return new Command('import')
    .summary('Convert recordings of other tools into programs and placements')
    .description(
      'Convert memory traces of other tools into programs for guests, and recorded schedules ' +
        'into placements for --policy replay:FILE.',
    )
    .addCommand(lackeyCommand())
    .addCommand(memoryCommand())
    .addCommand(scheduleCommand());
}

const OUTPUT_OPTION = [
  '-o, --output <file>',
  'the trace file to write; an existing one is replaced',
] as const;

function lackeyCommand() {
  return new Command('lackey')
    .description(
      'Import logs of Valgrind’s lackey, plain or gzipped: one file per process, all ' +
        'processes of ' +
        'a program together.',
    )
    .argument('<log...>', 'what valgrind wrote with --log-file')
    .requiredOption(...OUTPUT_OPTION)
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  valgrind --tool=lackey --trace-mem=yes --trace-syscalls=yes --trace-sched=yes \\\n' +
        '           --trace-children=yes --log-file=trace.%p true\n' +
        '  umbra import lackey trace.* -o true.umbra\n' +
        '  umbra start true.umbra\n\n' +
        'A log may be in UTF-8 or UTF-16, with or without a byte order mark, and its lines ' +
        'may end as on\n' +
        'Linux, Windows or old Macs. Memory that the program mapped and never touched ' +
        'takes no room. Traces\n' +
        'of the CS:APP cache lab are read as well.\n\n' +
        `Exit code: ${ExitCode.Ok} imported, ${ExitCode.UserMistake} a log that cannot be read; ` +
        'nothing is written then.',
    )
    .option(
      '--skip-stray-lines',
      'leave out lines that lackey did not write, such as what the program itself said, ' +
        'and count them',
    )
    .option(...QUIET_OPTION)
    .action(async (logs, options) => {
      const report = await withProgress((progress) =>
        importLackey(logs, options.output, {
          skipStrayLines: options.skipStrayLines === true,
          progress,
        }),
      );
      printer(options)(`${formatImportReport(report)}\n`);
    });
}

function memoryCommand() {
  return new Command('memory')
    .description(
      'Import a memory trace: of DynamoRIO’s drmemtrace (text of its view tool), Pin’s ' +
        'pinatrace, ' +
        'QEMU’s execlog, ChampSim (records of 64 and 72 bytes) or Dinero; plain or ' +
        'gzipped. Threads ' +
        'are kept if the format has them, and run in the order of the file.',
    )
    .argument('<trace>', 'the trace, or - for an uncompressed one from stdin')
    .requiredOption(...OUTPUT_OPTION)
    .addOption(
      new Option(
        '--format <name>',
        'the format, if the beginning of the file does not show it',
      ).choices(MEMORY_FORMATS),
    )
    .option('--limit <n>', 'take only the first n accesses', integer(1))
    .option(...QUIET_OPTION)
    .addHelpText(
      'after',
      '\nExamples:\n' +
        "  printf '2 401000\\n0 7f0010\\n1 7f0018\\n' > tiny.din\n" +
        '  umbra import memory tiny.din -o tiny.umbra\n' +
        '  gzip -c tiny.din | gunzip | umbra import memory - --limit 2 -o shorter.umbra\n' +
        '  umbra start tiny.umbra\n\n' +
        'Text of drmemtrace is what drrun -t drmemtrace -tool view -indir DIR 2> FILE ' +
        'writes; a trace of\n' +
        'ChampSim that is packed comes through a pipe: xz -dc FILE.xz | umbra import ' +
        'memory - -o OUT.umbra.\n' +
        'None of these formats tells of system calls: all that is touched counts as mapped ' +
        'from the start.\n\n' +
        `Exit code: ${ExitCode.Ok} imported, ${ExitCode.UserMistake} a trace that cannot ` +
        'be read; ' +
        'nothing is written then.',
    )
    .action(async (trace, options) => {
      const report = await withProgress((progress) =>
        importMemory(trace, options.output, {
          format: options.format,
          limit: options.limit,
          progress,
        }),
      );
      printer(options)(`${formatImportReport(report)}\n`);
    });
}

function scheduleCommand() {
  return new Command('schedule')
    .description(
      'Import a recorded schedule: text of perf script, trace-cmd report, ftrace or Perfetto’s ' +
        'systrace, plain or gzipped. The chosen tasks become vCPUs, and the placement says on ' +
        'which host CPU each ran, when, and for how long.',
    )
    .argument('<recording>', 'events of the scheduler, as text')
    .option('-o, --output <file>', 'the placement to write; otherwise only the summary is shown')
    .addOption(
      new Option(
        '--comm <glob>',
        `tasks by name; by default ${VCPU_THREADS}, the vCPUs of QEMU`,
      ).conflicts('pid'),
    )
    .option('--pid <ids>', 'tasks by thread id, separated by commas', parsePids)
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  umbra start ls wc --cpus 3 --trace recording.txt\n' +
        '  umbra import schedule recording.txt\n' +
        "  umbra import schedule recording.txt --comm 'CPU */KVM' -o host.csv\n" +
        '  umbra start ls wc --policy replay:host.csv\n\n' +
        'A host is recorded by perf sched record -a sleep 1, and perf script > FILE; or by\n' +
        'trace-cmd record -e sched sleep 1, and trace-cmd report > FILE. ' +
        'vCPU 0 is the task with the lowest pid, and host CPU 0 the lowest CPU on which ' +
        'one of them ran.\n\n' +
        `Exit code: ${ExitCode.Ok} imported, ${ExitCode.UserMistake} a recording that ` +
        'cannot be read; ' +
        'nothing is written then.',
    )
    .action(async (recording, options) => {
      const { output, comm, pid: pids } = options;
      const writeJson = jsonOutput(options.json);
      const write =
        output === undefined
          ? undefined
          : outputFile(output, 'placement', 'give -o a file in a folder that exists');
      const schedule = await withProgress((progress) =>
        importSchedule(recording, { comm, pids, progress }),
      );
      const report = scheduleReport(schedule);
      write?.(placementText(schedule));
      const written =
        output === undefined ? '' : `\nwritten to ${output}: --policy replay:${output}`;
      printer(options)(`${formatSchedule(report)}${written}\n`);
      writeJson(report);
    });
}

function parsePids(text: string): number[] {
  const pids = text.split(',').map((pid) => pid.trim());
  const wrong = pids.find((pid) => !/^[1-9]\d{0,9}$/.test(pid));
  if (wrong === undefined) return pids.map(Number);
  throw new InvalidArgumentError(
    `Thread ids with commas between them are expected, not '${wrong}'.`,
  );
}

/** With a line that says how much of the file has been read. */
async function withProgress<T>(
  act: (progress: (done: number, all: number) => void) => Promise<T>,
): Promise<T> {
  let progress: Progress | undefined;
  const stop = showProgress(() => `${progress ?? ''}`);
  try {
    return await act((done, all) => {
      progress ??= new Progress('MiB', all / MIB);
      progress.reach(done / MIB);
    });
  } finally {
    stop();
  }
}
