/** `umbra import lackey FILE… -o OUT`: traces of real programs, into umbra's own format. */

import { Command } from 'commander';
import { importLackey } from '../import/import.ts';
import { formatImportReport } from '../import/report.ts';
import { ExitCode } from './exit-code.ts';
import { type OutputOptions, printer, QUIET_OPTION } from './json-output.ts';
import { Progress } from './progress.ts';
import { showProgress } from './terminal.ts';

interface Options extends OutputOptions {
  readonly output: string;
  readonly skipStrayLines?: boolean;
}

const MIB = 1 << 20;

export function importCommand(): Command {
  return new Command('import')
    .summary('Turn traces of other tools into programs for guests')
    .description('Turn memory traces made by other tools into programs that guests can run.')
    .addCommand(lackeyCommand());
}

function lackeyCommand(): Command {
  return new Command('lackey')
    .description(
      'Import logs of Valgrind’s lackey, plain or gzipped: one file for each process, the ' +
        'processes of one program together.',
    )
    .argument('<log...>', 'what valgrind wrote with --log-file')
    .requiredOption('-o, --output <file>', 'the trace file to write; replaced if it is there')
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  valgrind --tool=lackey --trace-mem=yes --trace-syscalls=yes --trace-sched=yes \\\n' +
        '           --trace-children=yes --log-file=trace.%p true\n' +
        '  umbra import lackey trace.* -o true.umbra\n' +
        '  umbra start true.umbra\n\n' +
        'A log may be in UTF-8 or UTF-16, with or without a byte order mark, and its lines may end as on\n' +
        'Linux, Windows or old Macs. Memory that the program mapped and never touched takes no room.\n\n' +
        `Exit code: ${ExitCode.Ok} imported, ${ExitCode.UserMistake} a log that cannot be read; ` +
        'nothing is written then.',
    )
    .option(
      '--skip-stray-lines',
      'leave out lines that lackey did not write, such as what the program itself said, and count them',
    )
    .option(...QUIET_OPTION)
    .action(async (logs: readonly string[], options: Options) => {
      let progress: Progress | undefined;
      const stopProgress = showProgress(() => `${progress ?? ''}`);
      const report = await importLackey(logs, options.output, {
        skipStrayLines: options.skipStrayLines === true,
        progress: (done, all) => {
          progress ??= new Progress('MiB', all / MIB);
          progress.reach(done / MIB);
        },
      });
      stopProgress();
      printer(options)(`${formatImportReport(report)}\n`);
    });
}
