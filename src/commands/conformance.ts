/** `umbra conformance PATH…`: does the paging code do what the C code of 2013 did? */

import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { Piscina } from 'piscina';
import { UserError } from '../../shared/errors.ts';
import { workerUrl } from '../../shared/worker-url.ts';
import type { Refused } from '../../workers/conformance-task.ts';
import { findVectorFiles } from '../conformance/find-files.ts';
import type { Replayed } from '../conformance/replay.ts';
import { type ConformanceResult, toJson, toText } from '../conformance/report.ts';
import { count, flag, type Table, text } from '../report/table.ts';
import { ExitCode } from './exit-code.ts';
import { JSON_OPTION, printer, QUIET_OPTION } from './json-output.ts';
import { Progress } from './progress.ts';
import { OUT_OPTION, type ResultOptions, resultsOf } from './run-folder.ts';
import { columnsOf, showProgress } from './terminal.ts';

export function conformanceCommand(): Command {
  return new Command('conformance')
    .summary('Hold the paging code to recordings of the C code')
    .description(
      'Replay recordings of what the C code did, and show the first operation of each file ' +
        'whose outcome is another one.',
    )
    .argument('<path...>', 'vector files, or folders to search for *.jsonl')
    .option(...JSON_OPTION)
    .option(...QUIET_OPTION)
    .option(...OUT_OPTION)
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} all agree, ${ExitCode.Failed} a difference, ` +
        `${ExitCode.UserMistake} a path that is not a vector file.\n\nExamples:\n` +
        '  umbra conformance test/vectors\n' +
        '  umbra conformance test/vectors/pae --json differences.json',
    )
    .action(conformance);
}

async function conformance(
  paths: readonly string[],
  options: ResultOptions,
  command: Command,
): Promise<void> {
  const writeResult = resultsOf(options, command);
  const found = findVectorFiles(paths);
  const outcomes = await replayAll(found.files);
  const result: ConformanceResult = {
    replayed: outcomes.filter((o) => 'operations' in o),
    refused: [...outcomes.flatMap((o) => ('refused' in o ? o.refused : [])), ...found.refused],
  };
  writeResult(toJson(result), [filesTable(result)]);
  const agree = result.replayed.every((file) => file.difference === undefined);
  const isWrong = !agree || result.refused.length > 0;
  printer(options)(toText(result, columnsOf(process.stdout)), isWrong);
  if (result.refused.length > 0) throw new UserError(result.refused.join('\n'));
  process.exitCode = agree ? ExitCode.Ok : ExitCode.Failed;
}

/** In parallel; the outcomes are in the order of the files. */
async function replayAll(files: readonly string[]): Promise<(Replayed | Refused)[]> {
  if (files.length === 0) return [];
  const threads = Math.min(availableParallelism(), files.length);
  const pool = new Piscina<string, Replayed | Refused>({
    filename: workerUrl('conformance-task').href,
    name: 'replay',
    minThreads: threads,
    maxThreads: threads,
  });
  const progress = new Progress('files', files.length);
  const stopProgress = showProgress(() => `${progress}`);
  const outcomes = files.map(async (file) => {
    const outcome = await pool.run(file);
    progress.add();
    return outcome;
  });
  try {
    return await Promise.all(outcomes);
  } finally {
    stopProgress();
    await pool.destroy();
  }
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
    ...{ path, operations, agrees: difference === undefined },
  })),
});
