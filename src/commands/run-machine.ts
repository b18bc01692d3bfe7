/** From a machine's description to its report and exit code: what `start` and `run` share. */

import { UserError } from '../../shared/errors.ts';
import { runChecked } from '../check/checked-run.ts';
import type { CostTable } from '../cost/model.ts';
import { loadProgram, type ProgramSource } from '../guest/load.ts';
import { Machine, type MachineSpec } from '../machine.ts';
import { type Expectation, formatExpectation, isAsExpected } from '../report/expectation.ts';
import { makeReport, type RunReport, statistics, succeeded } from '../report/run-report.ts';
import { formatSummary } from '../report/summary.ts';
import { reportViolation, violationText } from '../report/violation.ts';
import { ExitCode } from './exit-code.ts';
import { jsonOutput } from './json-output.ts';
import { columnsOf } from './terminal.ts';

const PROGRESS_MS = 200;

export interface RunOptions {
  readonly json?: string | undefined;
  /** What it must come to; by default all guests end by themselves and nothing leaks. */
  readonly expect?: Expectation | undefined;
  /** What events cost; by default the default preset. */
  readonly costs?: CostTable | undefined;
  /** How the user gives more memory, for messages. */
  readonly remedies: { readonly hostMemory: string; readonly guestMemory: string };
}

/** Boot, run, check, report; sets the exit code. Throws UserError for what the user can mend. */
export async function runMachine(spec: MachineSpec, options: RunOptions): Promise<void> {
  const { json, expect, costs, remedies } = options;
  const writeJson = jsonOutput(json);
  const machine = await Machine.boot(spec);
  const stopProgress = showProgress(machine);
  const interrupt = (): void => machine.interrupt();
  process.once('SIGINT', interrupt);
  const result = await runChecked(machine);
  process.off('SIGINT', interrupt);
  stopProgress();

  const commands = spec.guests.map(({ program }) => commandOf(program));
  const report = makeReport(machine, result, commands, costs);
  if (json !== '-') {
    process.stdout.write(
      formatSummary(report, {
        colour: process.stdout.isTTY && process.stdout.hasColors(),
        columns: columnsOf(process.stdout),
      }),
    );
    const [first] = result.broken;
    if (first !== undefined) {
      process.stdout.write(
        `\n${violationText(reportViolation(machine.host, first, result.events))}`,
      );
    }
    if (expect !== undefined) process.stdout.write(formatExpectation(report, expect));
  }
  const asExpected = expect === undefined ? succeeded(report) : isAsExpected(report, expect);
  writeJson(expect === undefined ? report : { ...report, as_expected: asExpected });
  if (report.ending.kind === 'interrupted') process.exitCode = ExitCode.Interrupted;
  else process.exitCode = asExpected ? ExitCode.Ok : ExitCode.Failed;
  const remedy = asExpected ? undefined : remedyFor(report, remedies);
  if (remedy !== undefined) throw new UserError(remedy);
}

/** A guest that died for want of memory died of the user's choice, unless that was the point. */
function remedyFor(
  { guests, configuration }: RunReport,
  { hostMemory, guestMemory }: RunOptions['remedies'],
): string | undefined {
  if (configuration.fail_allocation_after !== null) return undefined;
  const reasons = guests.map((guest) => guest.reason);
  if (reasons.some((reason) => /^(out of memory|failed to get page)/.test(reason))) {
    return `host memory was too little for these guests: give more with ${hostMemory}, or leave it out to have enough`;
  }
  if (reasons.some((reason) => reason.includes('Kernel panic - out of memory'))) {
    return `a guest ran out of its own memory: give each more with ${guestMemory}`;
  }
  return undefined;
}

function commandOf(source: ProgramSource): string {
  const program = loadProgram(source);
  if ('close' in program && typeof program.close === 'function') program.close();
  return program.processes[0]?.command ?? program.name;
}

/** A line that is overwritten, where somebody sits and watches. Returns how to end it. */
function showProgress(machine: Machine): () => void {
  if (!process.stderr.isTTY) return () => {};
  const cpus = [...machine.host.cpus.keys()];
  const guests = [...machine.host.guests.keys()];
  const timer = setInterval(() => {
    const { accesses, faults_fixed, migrations } = statistics(machine, cpus, guests);
    process.stderr.write(
      `\r${(accesses / 1e6).toFixed(1)} million accesses, ${faults_fixed} faults fixed, ` +
        `${migrations} migrations\x1b[K`,
    );
  }, PROGRESS_MS);
  return () => {
    clearInterval(timer);
    process.stderr.write('\r\x1b[K');
  };
}
