/** One run of a sweep: on host CPUs that take turns in this thread, or on a thread each. */

import { runChecked } from '../check/checked-run.ts';
import type { CostTable } from '../cost/model.ts';
import { Machine, type MachineSpec } from '../machine.ts';
import { costReport } from '../report/costs.ts';
import { figuresOf } from '../report/figures.ts';
import { makeReport, type RunReport, succeeded } from '../report/run-report.ts';
import { endingLines } from '../report/summary.ts';
import { countsOf } from '../study/measures.ts';
import { tryRoundRobin } from '../study/round-robin.ts';
import type { Measures } from '../study/study.ts';

/** Its measures, or the failure in words. */
export type SweepRun =
  | { readonly measures: Measures; readonly wrong?: undefined }
  | { readonly measures?: undefined; readonly wrong: string };

/** The result is a function of the machine and its seed. */
export function turned(spec: MachineSpec, costs: CostTable): SweepRun {
  const { found, wrong } = tryRoundRobin(spec, (host) =>
    figuresOf({
      total: countsOf(host),
      costs: costReport(host, costs),
      slices: host.machine.slices,
    }),
  );
  return found === undefined ? { wrong } : { measures: found };
}

/** On real threads, and timed: to be alone on this machine. Undefined where it was interrupted. */
export async function timed(
  spec: MachineSpec,
  costs: CostTable,
  signal: AbortSignal,
): Promise<SweepRun | undefined> {
  const machine = await Machine.boot(spec);
  const interrupt = (): void => machine.interrupt();
  signal.addEventListener('abort', interrupt);
  try {
    // It may have come while this one booted.
    if (signal.aborted) interrupt();
    const report = makeReport(machine, await runChecked(machine), costs);
    if (report.ending.kind === 'interrupted') return undefined;
    return succeeded(report) ? { measures: figuresOf(report) } : { wrong: wrongIn(report) };
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

function wrongIn(report: RunReport): string {
  const [violation] = report.violations;
  if (violation !== undefined) return violation;
  if (report.ending.kind !== 'done') return endingLines(report).filter(Boolean).at(-1)!;
  const bad = report.guests.find(({ ending, not_replayed }) => ending === 'killed' || not_replayed);
  return (
    `guest ${bad?.name} ` +
    `${bad?.reason ? `was killed: ${bad.reason}` : 'did not do all that it had to'}`
  );
}
