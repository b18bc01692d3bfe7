/** `umbra conformance PATH…`: compares the paging code with the C code of 2013. */

import { availableParallelism } from 'node:os';
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Refused } from '../../workers/conformance-task.ts';
import { findVectorFiles, shippedVectors } from '../conformance/find-files.ts';
import type { Replayed } from '../conformance/replay.ts';
import { type ConformanceResult, toJson, toText } from '../conformance/report.ts';
import { UserError } from '../errors.ts';
import { count, flag, type Table, text } from '../report/table.ts';
import { ExitCode } from './exit-code.ts';
import { heedInterrupt } from './interrupt.ts';
import { JSON_OPTION, printer, QUIET_OPTION } from './json-output.ts';
import type { OptionsOf } from './options.ts';
import { onPool } from './pool.ts';
import { Progress } from './progress.ts';
import { OUT_OPTION, resultsOf } from './run-folder.ts';
import { columnsOf, showProgress } from './terminal.ts';

function declare() {
  return new Command('conformance')
    .summary('Hold the paging code to recordings of the C code')
    .description(
      'Replay recordings of what the C code did, and show the first operation of each file ' +
        'whose outcome differs.',
    )
    .argument(
      '[path...]',
      'vector files, or folders to search for *.jsonl; by default those that come with umbra',
    )
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION)
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} all agree, ${ExitCode.Failed} a difference, ` +
        `${ExitCode.UserMistake} a path that is not a vector file, ${ExitCode.Interrupted} ` +
        `interrupted by Ctrl-C (the results so far are shown).\n\nExamples:\n` +
        '  umbra conformance\n' +
        '  umbra conformance --json differences.json',
    );
}

type Options = OptionsOf<typeof declare>;

export const conformanceCommand = (): CommandUnknownOpts => declare().action(conformance);

async function conformance(
  paths: readonly string[],
  options: Options,
  command: CommandUnknownOpts,
): Promise<void> {
  const writeResult = resultsOf(options, command);
  const found = findVectorFiles(paths.length > 0 ? paths : [shippedVectors()]);
  const { outcomes, interrupted } = await replayAll(found.files);
  const result: ConformanceResult = {
    replayed: outcomes.filter((o) => 'operations' in o),
    refused: [...outcomes.flatMap((o) => ('refused' in o ? o.refused : [])), ...found.refused],
  };
  writeResult({ ...toJson(result), interrupted }, [filesTable(result)]);
  const agree = result.replayed.every((file) => file.difference === undefined);
  const isWrong = !agree || result.refused.length > 0;
  printer(options)(toText(result, columnsOf(process.stdout)), isWrong);
  if (result.refused.length > 0) throw new UserError(result.refused.join('\n'));
  if (interrupted) {
    const [done, all] = [outcomes.length, found.files.length];
    process.stderr.write(`umbra: interrupted; ${done} of ${all} files are replayed\n`);
  }
  if (!agree) process.exitCode = ExitCode.Failed;
  else process.exitCode = interrupted ? ExitCode.Interrupted : ExitCode.Ok;
}

interface Outcomes {
  /** In the order of the files; after Ctrl-C of those that were done until then. */
  readonly outcomes: readonly (Replayed | Refused)[];
  readonly interrupted: boolean;
}

async function replayAll(files: readonly string[]): Promise<Outcomes> {
  const outcomes = new Map<string, Replayed | Refused>();
  using interrupted = heedInterrupt();
  const progress = new Progress('files', files.length);
  const stopProgress = showProgress(() => `${progress}`);
  try {
    await onPool<string, Replayed | Refused>({
      worker: 'conformance-task',
      name: 'replay',
      tasks: files,
      threads: availableParallelism(),
      signal: interrupted.signal,
      done: (outcome, file) => {
        outcomes.set(file, outcome);
        progress.add();
        if ('refused' in outcome || outcome.difference !== undefined) progress.fail();
      },
    });
  } finally {
    stopProgress();
  }
  return {
    outcomes: files.flatMap((file) => outcomes.get(file) ?? []),
    interrupted: interrupted.signal.aborted,
  };
}

/** A row for each file that was replayed. */
const filesTable = ({ replayed }: ConformanceResult): Table => ({
  name: 'files',
  description: 'Recordings of the C code, and whether umbra does the same.',
  columns: {
    path: text('of the recording'),
    operations: count('in it'),
    agrees: flag('whether all outcomes are the same'),
  },
  rows: replayed.map(({ path, operations, difference }) => ({
    path,
    operations,
    agrees: difference === undefined,
  })),
});
