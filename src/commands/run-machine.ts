/** From a machine's description to its report and exit code: what `start` and `run` share. */

import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { runChecked } from '../check/checked-run.ts';
import { UserError } from '../errors.ts';
import { Machine, type MachineSpec } from '../machine.ts';
import { eventsTable, keptEvents } from '../report/events-table.ts';
import { formatExpectation, isAsExpected } from '../report/expectation.ts';
import { figuresOf } from '../report/figures.ts';
import { makeReport, type RunReport, statistics, succeeded } from '../report/run-report.ts';
import { statisticsTable } from '../report/statistics-table.ts';
import { formatSummary } from '../report/summary.ts';
import { judgedText, judgeRun } from '../report/threshold.ts';
import { reportViolation, violationText } from '../report/violation.ts';
import type { ScenarioFile } from '../scenario/parse.ts';
import { costsOf, expectationOf, specOf } from '../scenario/spec.ts';
import { TraceRecorder } from '../trace/recorder.ts';
import { ExitCode } from './exit-code.ts';
import { heedInterrupt } from './interrupt.ts';
import { printer } from './json-output.ts';
import { cpusFor, type None, type OptionsOf, type withMachine } from './options.ts';
import { type ResultOptions, resultsOf } from './run-folder.ts';
import { columnsOf, showProgress } from './terminal.ts';
import { formatTraced, traceOptions, traceOutput, type withTrace } from './trace-output.ts';

/** How the user gives more memory, for messages. */
interface Remedies {
  readonly hostMemory: string;
  readonly guestMemory: string;
}

type Options = OptionsOf<typeof withMachine<[], None, None>> &
  OptionsOf<typeof withTrace<[], None, None>> &
  ResultOptions;

/**
 * Boot a machine by scenario and options, run, check and report; sets the exit code. Throws
 * UserError for mistakes of the user.
 */
export async function runScenario(
  file: ScenarioFile,
  options: Options,
  command: CommandUnknownOpts,
  remedies: Remedies,
): Promise<void> {
  const { cpus = file.scenario.cpus, policy } = options;
  const isGiven = (command.getOptionValueSource('cpus') ?? 'default') !== 'default';
  const spec = specOf(file, { ...options, cpus: isGiven ? cpus : cpusFor(policy, cpus) });
  const expect = expectationOf(file, options);
  const trace = traceOptions(options);
  const writeResult = resultsOf(options, command);
  const keepEvents = options.out !== undefined;
  const print = printer(options);
  const writeTrace = trace === undefined ? undefined : traceOutput(trace, spec);
  const recorder = writeTrace || keepEvents ? new TraceRecorder(spec.hostCpus) : undefined;
  const machine = await booted(spec, recorder);
  const stopProgress = showProgress(progressOf(machine));
  using interrupted = heedInterrupt();
  interrupted.signal.onabort = () => machine.interrupt();
  const result = await runChecked(machine);
  stopProgress();
  recorder?.stop();
  const traced = recorder && writeTrace?.(machine.host, recorder);
  const kept = keepEvents ? recorder : undefined;

  const report = makeReport(machine, result, costsOf(file, options.costs));
  const asExpected = expect === undefined ? succeeded(report) : isAsExpected(report, expect);
  const colour = process.stdout.isTTY && process.stdout.hasColors();
  print(formatSummary(report, { colour, columns: columnsOf(process.stdout) }), !asExpected);
  const [first] = result.broken;
  if (first !== undefined) {
    print(`\n${violationText(reportViolation(machine.host, first, result.events))}`, !asExpected);
  }
  if (expect !== undefined) print(formatExpectation(report, expect), !asExpected);
  const figures = figuresOf(report);
  const judged = (options.expect ?? []).map((threshold) => judgeRun(threshold, figures));
  const areMet = judged.every(({ verdict }) => verdict === 'met');
  for (const one of judged) print(`${judgedText(one)}\n`, one.verdict !== 'met');
  if (traced !== undefined) print(formatTraced(traced), traced.lost > 0);
  writeResult(
    {
      ...report,
      ...(expect && { as_expected: asExpected }),
      ...(judged.length > 0 && { thresholds: judged }),
      ...(traced && { trace: traced }),
      ...(kept && { events: keptEvents(kept) }),
    },
    [statisticsTable(report), ...(kept ? [eventsTable(kept, machine.host)] : [])],
    spec,
  );
  if (report.ending.kind === 'interrupted') process.exitCode = ExitCode.Interrupted;
  else process.exitCode = asExpected && areMet ? ExitCode.Ok : ExitCode.Failed;
  const remedy = asExpected ? undefined : remedyFor(report, remedies);
  if (remedy !== undefined) throw new UserError(remedy);
}

/** With a line that says how many of its host CPUs are there: hundreds take their time. */
async function booted(spec: MachineSpec, trace: TraceRecorder | undefined): Promise<Machine> {
  let up = 0;
  const end = showProgress(() => `booting, ${up} of ${spec.hostCpus} host CPUs are up`);
  try {
    return await Machine.boot(spec, { trace, booted: (count) => (up = count) });
  } finally {
    end();
  }
}

/** A guest that died for want of memory died of the user's choice, unless that was the point. */
function remedyFor(
  { guests, configuration }: RunReport,
  { hostMemory, guestMemory }: Remedies,
): string | undefined {
  if (configuration.fail_allocation_after !== null) return undefined;
  const reasons = guests.map((guest) => guest.reason);
  if (reasons.some((reason) => /^(out of memory|failed to get page)/.test(reason))) {
    return (
      `host memory was too little for these guests: give more with ${hostMemory}, or leave it ` +
      'out to have enough'
    );
  }
  if (reasons.some((reason) => reason.includes('Kernel panic - out of memory'))) {
    return `a guest ran out of its own memory: give each more with ${guestMemory}`;
  }
  return undefined;
}

/** Its progress so far, without an end: the total is not known. */
function progressOf(machine: Machine): () => string {
  const cpus = [...machine.host.cpus.keys()];
  const guests = [...machine.host.guests.keys()];
  const start = performance.now();
  return () => {
    const { accesses, faults_fixed, migrations } = statistics(machine, cpus, guests);
    const rate = accesses / 1e3 / (performance.now() - start);
    return (
      `${(accesses / 1e6).toFixed(1)} million accesses, ${rate.toFixed(1)} million/s, ` +
      `${faults_fixed} faults fixed, ${migrations} migrations`
    );
  };
}
