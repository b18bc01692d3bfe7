/** The contents of a recorded schedule: for people, and as JSON. */

import { counted, grouped, percent, significant } from '../../numbers.ts';
import type { ImportedSchedule } from './import.ts';
import { CAUSES, type Cause, type RecordedTask } from './recording.ts';

export interface ScheduleReport {
  readonly schema_version: 1;
  readonly file: string;
  /** From the first event to the last. */
  readonly duration_ns: number;
  readonly events: number;
  readonly switches: number;
  /** Tasks that ran, and CPUs that had events, of the whole recording. */
  readonly tasks: number;
  readonly cpus: readonly number[];
  /** As far as the recorder counted them. */
  readonly lost_events: number;
  /** Places where events are missing. */
  readonly gaps: number;
  /** Host CPU n of the placement is this CPU. */
  readonly host_cpus: readonly number[];
  readonly vcpus: readonly VcpuReport[];
}

interface VcpuReport {
  readonly pid: number;
  readonly comm: string;
  readonly stretches: number;
  readonly ns: number;
  /** On each host CPU. */
  readonly residency_ns: readonly number[];
  readonly migrations: Readonly<Record<Cause, number>>;
  /** sched_migrate_task events: with those between which it did not run. */
  readonly queue_moves: number;
}

export function scheduleReport({ file, recording, vcpus, cpus }: ImportedSchedule): ScheduleReport {
  return {
    schema_version: 1,
    file,
    duration_ns: recording.duration,
    events: recording.events,
    switches: recording.switches,
    tasks: [...recording.tasks.values()].filter(({ stretches }) => stretches.length > 0).length,
    cpus: recording.cpus,
    lost_events: recording.lost,
    gaps: recording.gaps,
    host_cpus: cpus,
    vcpus: vcpus.map((task) => vcpuReport(task, cpus)),
  };
}

function vcpuReport({ pid, comms, stretches, queueMoves }: RecordedTask, cpus: readonly number[]) {
  const residency = cpus.map(() => 0);
  const migrations = Object.fromEntries(CAUSES.map((cause) => [cause, 0])) as Record<Cause, number>;
  for (const { cpu, ns, cause } of stretches) {
    residency[cpus.indexOf(cpu)]! += ns;
    if (cause !== undefined) migrations[cause]++;
  }
  return {
    pid,
    comm: comms.at(-1)!,
    stretches: stretches.length,
    ns: residency.reduce((sum, ns) => sum + ns, 0),
    residency_ns: residency,
    migrations,
    queue_moves: queueMoves,
  };
}

/** CPUs whose share is shown; of more the busiest. */
const SHOWN_CPUS = 6;

export function formatSchedule(report: ScheduleReport): string {
  const { vcpus, host_cpus: hostCpus, duration_ns: duration, lost_events: lost, gaps } = report;
  const migrations = (one: VcpuReport): number =>
    CAUSES.reduce((sum, cause) => sum + one.migrations[cause], 0);
  const total = (of: (one: VcpuReport) => number): number =>
    vcpus.reduce((n, one) => n + of(one), 0);
  const byCause = CAUSES.map((cause) => [cause, total((one) => one.migrations[cause])] as const)
    .filter(([, n]) => n > 0)
    .map(([cause, n]) => `${grouped(n)} by ${CAUSE_WORDS[cause]}`);
  const moved = total(migrations);
  const lines = [
    `${report.file}: ${ms(duration)}, ${counted(report.events, 'event')}, ` +
      `${grouped(report.switches)} switches of ${counted(report.tasks, 'task')} on ` +
      `${counted(report.cpus.length, 'CPU')}`,
    `  ${missing(lost, gaps)}`,
    `${counted(vcpus.length, 'vCPU')} on ${counted(hostCpus.length, 'host CPU')}, ` +
      `${grouped(total((one) => one.stretches))} stretches, ` +
      `${counted(moved, 'migration')}${byCause.length === 0 ? '' : `: ${byCause.join(', ')}`}`,
    ...vcpus.map((one, i) => {
      const shares = one.residency_ns
        .map((ns, cpu) => ({ ns, cpu }))
        .filter(({ ns }) => ns > 0)
        .toSorted((a, b) => b.ns - a.ns);
      const shown = shares
        .slice(0, SHOWN_CPUS)
        .map(({ ns, cpu }) => `CPU ${hostCpus[cpu]} ${percent(ns / one.ns)}`);
      const more = shares.length > shown.length ? `, and ${shares.length - shown.length} more` : '';
      const queued = one.queue_moves - migrations(one);
      return (
        `  vCPU ${i}: ${one.comm} (${one.pid}), ${grouped(one.stretches)} stretches, ` +
        `${percent(one.ns / duration)} of the time, ${counted(migrations(one), 'migration')}` +
        `${queued > 0 ? ` and ${counted(queued, 'move')} while it waited` : ''}; on ${shown.join(', ')}${more}`
      );
    }),
  ];
  return lines.join('\n');
}

function missing(lost: number, gaps: number): string {
  if (lost === 0 && gaps === 0) return 'no events lost';
  const what = lost === 0 ? 'events are missing' : `${counted(lost, 'event')} LOST`;
  return `${what}, in ${counted(gaps, 'place')}: what a task did there is not known`;
}

const CAUSE_WORDS: Readonly<Record<Cause, string>> = {
  'wake-up': 'wake-up',
  balance: 'balancing',
  affinity: 'affinity',
  exec: 'exec',
  unknown: 'a cause that the recording does not have',
};

const ms = (ns: number): string => `${grouped(significant(ns / 1e6, 4))} ms`;
