/** `umbra report RUN… -o FILE`: a report as one HTML file. */

import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { reportHtml } from '../report/page/report.ts';
import { readSaved, type Saved } from '../report/page/saved.ts';
import { ExitCode } from './exit-code.ts';
import { output as outputTo, printer, QUIET_OPTION } from './json-output.ts';
import type { OptionsOf } from './options.ts';

function declare() {
  return new Command('report')
    .summary('Show runs, studies and benchmarks as one HTML file')
    .description(
      'Make one HTML file of runs, studies and benchmarks, which opens from disk: summary, ' +
        'timeline, heat maps of faults, latencies, charts. Several runs of machines are ' +
        'compared.',
    )
    .argument(
      '<run...>',
      'folders of --out, or files of --json of start, run, study, campaign and the benchmark',
    )
    .requiredOption('-o, --output <file>', 'the HTML file; an existing one is replaced')
    .option(...QUIET_OPTION)
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} written, ${ExitCode.UserMistake} a mistake in what ` +
        'was given.\n\nExamples:\n' +
        '  umbra start --out runs/first && umbra report runs/first -o first.html\n' +
        '  umbra start --policy pinned --out runs/pinned\n' +
        '  umbra report runs/first runs/pinned -o compared.html',
    );
}

type Options = OptionsOf<typeof declare>;

export const reportCommand = (): CommandUnknownOpts => declare().action(report);

async function report(paths: readonly string[], options: Options): Promise<void> {
  const { output } = options;
  const write = outputTo(output, { option: '-o', what: 'report' });
  const saved: Saved[] = [];
  for (const path of paths) saved.push(await readSaved(path));
  const html = reportHtml(saved);
  write(html);
  if (output === '-') return;
  const size = Math.ceil(Buffer.byteLength(html) / 1024);
  printer(options)(`${output}: ${size} KiB, opens in any browser\n`);
}
