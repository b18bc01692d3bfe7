/** The benchmark suite: `npm run bench -- [--filter TEXT] [--json FILE]`. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Command } from 'commander';
import { UserError } from '../shared/errors.ts';
import { jsonOutput } from '../src/commands/json-output.ts';
import type { Line, Result } from './pair.ts';
import { describeMachine, formatResult, heading, loadAverage } from './report.ts';
import { SUITE } from './suite.ts';

interface Options {
  readonly filter?: string;
  readonly json?: string;
}

/** Raised whenever a field changes its meaning or goes away. */
const SCHEMA_VERSION = 1;

const program = new Command('bench')
  .description(
    'Measure umbra. Every line has a baseline that is measured in the same run, in turns, so ' +
      'that their ratio holds on a machine that others use too.',
  )
  .option('--filter <text>', 'only lines with this in their names')
  .option('--json <file>', 'write machine, medians, intervals and all samples there; - for stdout')
  .action(bench);

async function measureInWorker(line: Line): Promise<Result> {
  const worker = new Worker(new URL('./line-worker.ts', import.meta.url), {
    workerData: line.name,
  });
  // Rejects with the worker's error, if it comes first.
  const [result] = (await once(worker, 'message')) as [Result];
  await worker.terminate();
  return result;
}

async function bench({ filter = '', json }: Options): Promise<void> {
  const wanted = SUITE.filter(({ name }) => name.toLowerCase().includes(filter.toLowerCase()));
  if (wanted.length === 0) {
    const names = SUITE.map(({ name }) => `  ${name}`).join('\n');
    throw new UserError(`no line has '${filter}' in its name; there are\n${names}`);
  }
  const write = jsonOutput(json);
  // Where JSON goes to stdout, nothing else does.
  const print = json === '-' ? console.error : console.log;
  const machine = describeMachine();
  const before = loadAverage();
  print(heading(machine, before));
  const results: Result[] = [];
  for (const line of wanted) {
    const result = await measureInWorker(line);
    results.push(result);
    print(formatResult(result));
  }
  write({
    schema_version: SCHEMA_VERSION,
    machine: { ...machine, load_average_before: before, load_average_after: loadAverage() },
    lines: results,
  });
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
}
