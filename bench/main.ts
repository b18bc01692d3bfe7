/** The benchmark suite: `npm run bench -- [--filter TEXT] [--json FILE]`. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { Command } from 'commander';
import type { Line, Result } from './pair.ts';
import { describeMachine, formatResult, heading, loadAverage } from './report.ts';
import { SUITE } from './suite.ts';

interface Options {
  readonly filter?: string;
  readonly json?: string;
}

/** Raised whenever a field changes its meaning or goes away. */
const SCHEMA_VERSION = 1;

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
    console.error(`no line has '${filter}' in its name; there are\n${names}`);
    process.exitCode = 2;
    return;
  }
  const machine = describeMachine();
  const before = loadAverage();
  console.log(heading(machine, before));
  const results: Result[] = [];
  for (const line of wanted) {
    const result = await measureInWorker(line);
    results.push(result);
    console.log(formatResult(result));
  }
  if (json === undefined) return;
  const report = {
    schema_version: SCHEMA_VERSION,
    machine: { ...machine, load_average_before: before, load_average_after: loadAverage() },
    lines: results,
  };
  writeFileSync(json, `${JSON.stringify(report)}\n`);
}

await new Command('bench')
  .description(
    'Measure umbra. Every line has a baseline that is measured in the same run, in turns, so ' +
      'that their ratio holds on a machine that others use too.',
  )
  .option('--filter <text>', 'only lines with this in their names')
  .option('--json <file>', 'write machine, medians, intervals and all samples there')
  .action(bench)
  .parseAsync();
