/** `umbra import lackey FILE… -o OUT`: traces of real programs, into umbra's own format. */

import { Command } from 'commander';
import { importLackey } from '../guest/traces/import.ts';
import { formatImportReport } from '../guest/traces/report.ts';
import { ExitCode } from './exit-code.ts';

export function importCommand(): Command {
  return new Command('import')
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
      '\nHow to make a log:\n' +
        '  valgrind --tool=lackey --trace-mem=yes --trace-syscalls=yes --trace-sched=yes \\\n' +
        '           --trace-children=yes --log-file=trace.%p PROGRAM\n\n' +
        'Examples:\n' +
        '  umbra import lackey trace.4711 -o program.umbra\n' +
        '  umbra import lackey trace.*.gz -o pipeline.umbra && umbra start pipeline.umbra\n\n' +
        `Exit code: ${ExitCode.Ok} imported, ${ExitCode.UserMistake} a log that cannot be read; ` +
        'nothing is written then.',
    )
    .action(async (logs: readonly string[], { output }: { readonly output: string }) => {
      const report = await importLackey(logs, output, showProgress);
      if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
      process.stdout.write(formatImportReport(report));
    });
}

let lastShown = -1;

/** In whole per cent, where somebody sits and watches. */
function showProgress(done: number, total: number): void {
  if (!process.stderr.isTTY) return;
  const percent = Math.floor((done / total) * 100);
  if (percent === lastShown) return;
  lastShown = percent;
  process.stderr.write(`\r${percent} % read`);
}
