/** `umbra stress`: machines drawn from seeds, one after the other, until one does wrong. */

import { Command, InvalidArgumentError } from 'commander';
import { type StressRun, stress } from '../check/stress.ts';
import type { Machine } from '../machine.ts';
import { statistics } from '../report/run-report.ts';
import { ExitCode } from './exit-code.ts';

interface Options {
  readonly seconds: number;
  readonly runs?: number;
  readonly seed: number;
}

/** What all runs so far came to. */
interface Totals {
  runs: number;
  faults: number;
  migrations: number;
  shootdowns: number;
  failed: number;
}

export function stressCommand(): Command {
  return new Command('stress')
    .description(
      'Run machines drawn from seeds (guests, vCPUs, host CPUs, paging, policies, time slices) ' +
        'and hold each to its invariants and to the memory that one vCPU alone leaves.',
    )
    .option('--seconds <s>', 'how long, at least one run', natural, 30)
    .option('--runs <n>', 'how many runs, whatever the time', natural)
    .option('--seed <n>', 'seed of the first run; the next ones count up', natural, 1)
    .addHelpText(
      'after',
      `\nExit code: ${ExitCode.Ok} nothing wrong, ${ExitCode.Failed} something, ` +
        `${ExitCode.Interrupted} interrupted by Ctrl-C (the summary so far is shown).\n\n` +
        'Examples:\n' +
        '  umbra stress --seconds 600\n' +
        '  umbra stress --seed 1234 --runs 1',
    )
    .action(run);
}

async function run({ seconds, runs, seed }: Options): Promise<void> {
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  const totals: Totals = { runs: 0, faults: 0, migrations: 0, shootdowns: 0, failed: 0 };
  let current: Machine | undefined;
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    current?.interrupt();
  };
  process.once('SIGINT', interrupt);
  const isOver = (): boolean =>
    interrupted || (runs === undefined ? elapsed() >= seconds : totals.runs >= runs);
  for (let next = seed; totals.runs === 0 || !isOver(); next++) {
    const outcome = await stress(next, (machine) => {
      current = machine;
    });
    add(totals, outcome);
    showProgress(totals, next, elapsed());
    if (outcome.faults.length > 0) process.stdout.write(failure(outcome));
  }
  process.off('SIGINT', interrupt);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  process.stdout.write(summary(totals, seed, elapsed()));
  if (totals.failed > 0) process.exitCode = ExitCode.Failed;
  else process.exitCode = interrupted ? ExitCode.Interrupted : ExitCode.Ok;
}

function add(totals: Totals, { machine, faults }: StressRun): void {
  const { host } = machine;
  const s = statistics(machine, [...host.cpus.keys()], [...host.guests.keys()]);
  totals.runs++;
  totals.faults += s.faults_fixed + s.faults_passed_on;
  totals.migrations += s.migrations;
  totals.shootdowns += s.shootdowns;
  if (faults.length > 0) totals.failed++;
}

/** One line that is overwritten, and only where somebody sits and watches. */
function showProgress(totals: Totals, seed: number, seconds: number): void {
  if (!process.stderr.isTTY) return;
  const perSecond = (n: number): string => Math.round(n / seconds).toLocaleString('en-US');
  process.stderr.write(
    `\rseed ${seed}: ${totals.runs} runs, ${perSecond(totals.faults)} faults/s, ` +
      `${perSecond(totals.migrations)} migrations/s, ${totals.failed} failed\x1b[K`,
  );
}

function failure({ seed, spec, faults }: StressRun): string {
  const guests = spec.guests.map((g) => `${g.name} (${g.paging}, ${g.vcpus} vCPUs)`).join(', ');
  const most = 5;
  return [
    `seed ${seed}: ${guests} on ${spec.hostCpus} host CPUs, ${spec.discipline}, ${spec.policy}`,
    ...faults.slice(0, most).map((fault) => `  ${fault}`),
    ...(faults.length > most ? [`  and ${faults.length - most} more`] : []),
    `  the same machine again: umbra stress --seed ${seed} --runs 1`,
    '',
  ].join('\n');
}

function summary(totals: Totals, seed: number, seconds: number): string {
  const n = (value: number): string => value.toLocaleString('en-US');
  return (
    `${n(totals.runs)} runs from seed ${seed} in ${seconds.toFixed(0)} s: ${n(totals.faults)} faults, ` +
    `${n(totals.migrations)} migrations, ${n(totals.shootdowns)} shootdowns; ` +
    `${totals.failed === 0 ? 'nothing wrong' : `${n(totals.failed)} runs went wrong`}\n`
  );
}

function natural(text: string): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || n > 0xffff_ffff) {
    throw new InvalidArgumentError('A whole number is expected.');
  }
  return n;
}
