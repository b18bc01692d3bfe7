/** A run of a machine in a report: its result, cost, and timeline. */

import { counted, grouped } from '../../numbers.ts';
import type { KeptEvents } from '../events-table.ts';
import type { RunReport } from '../run-report.ts';
import {
  endingLines,
  eventLines,
  proof,
  REAL_TIME,
  realTimeOf,
  settingOf,
  sizeOf,
  statisticsRows,
  wholeOf,
} from '../summary.ts';
import type { Activity } from './activity.ts';
import { cyclesFigure } from './cycles.ts';
import { escaped } from './escaped.ts';
import { heatMap } from './heat-map.ts';
import { latencySection } from './latencies.ts';
import { migrationSection } from './migration-section.ts';
import type { Move } from './migrations.ts';
import { paragraph, table } from './parts.ts';
import { type Mark, timelineSection, type VcpuName } from './timeline-section.ts';

export interface SavedMachine {
  readonly name: string;
  readonly report: RunReport;
  /** None if the run's folder has no events. */
  readonly happened?:
    | {
        readonly activity: Activity;
        readonly moves: readonly Move[];
        readonly events: KeptEvents;
      }
    | undefined;
}

/** Guests whose faults have pictures. */
const MOST_HEAT_MAPS = 12;

export function machineSection({ name, report: saved, happened }: SavedMachine): string {
  const report = { ...saved, guests: toldApart(saved.guests) };
  const { guests, host_cpus, total } = report;
  const cpus = host_cpus.map((cpu, i) => [`CPU ${i}`, cpu] as const);
  const good = report.ending.kind === 'done' && report.violations.length === 0;
  return [
    ...deaths(report),
    `<p class="lead">${escaped(sizeOf(report))} · ${escaped(settingOf(report))}</p>`,
    paragraph(`${wholeOf(report)}.`),
    paragraph(`${REAL_TIME} ${realTimeOf(report)}.`),
    ...proof(report).map((line) => `<p class="${good ? 'good' : 'bad'}">${escaped(line)}</p>`),
    `<ul>${endingLines(report)
      .filter(Boolean)
      .map((line) => `<li>${escaped(line)}</li>`)
      .join('')}</ul>`,
    ...eventLines(report).map(paragraph),
    ...(happened ? happenings(report, happened) : [paragraph(NO_EVENTS)]),
    '<h3>What it cost</h3>',
    cyclesFigure([{ name, report }]),
    '<h3>What was counted</h3>',
    table({
      caption: 'Of each guest',
      head: ['Counted', ...guests.map((guest) => guest.name)],
      rows: statisticsRows(guests.map((guest) => [guest.name, guest])),
    }),
    table({
      caption: 'Of each host CPU',
      head: ['Counted', ...cpus.map(([cpu]) => cpu), 'together'],
      rows: statisticsRows([...cpus, ['together', total]]),
    }),
  ].join('\n');
}

/** Of several of one name all but the first are numbered. */
function toldApart(guests: RunReport['guests']): RunReport['guests'] {
  const met = new Map<string, number>();
  return guests.map((guest) => {
    const n = (met.get(guest.name) ?? 0) + 1;
    met.set(guest.name, n);
    return n === 1 ? guest : { ...guest, name: `${guest.name} (${n})` };
  });
}

const NO_EVENTS =
  'There are no events for a timeline: only run folders have them (--out of umbra start and ' +
  'umbra run).';

/** The cause of death, and where killed guests were last. */
function marksOf(
  { ending, guests }: RunReport,
  { runs, to }: Activity,
  vcpus: readonly VcpuName[],
): Mark[] {
  const killed = guests.flatMap(({ name, ending: end, reason }, guest): Mark[] => {
    const last = runs.findLast(({ vcpu }) => vcpus[vcpu]?.guest === guest);
    if (end !== 'killed' || last === undefined) return [];
    return [{ at: last.to, hostCpu: last.hostCpu, what: `${name} was killed: ${reason}` }];
  });
  if (ending.kind === 'done' || ending.kind === 'interrupted') return killed;
  const hostCpu = ending.kind === 'no progress' ? -1 : ending.hostCpu;
  const last = runs.findLast((run) => run.hostCpu === hostCpu);
  return [...killed, { at: last?.to ?? to, hostCpu, what: diedOf(ending)! }];
}

/** In a line: what ended the run before its time. */
function diedOf(ending: RunReport['ending']): string | undefined {
  switch (ending.kind) {
    case 'oops':
      return `the host died on CPU ${ending.hostCpu}: ${ending.message}`;
    case 'cpu died':
      return `host CPU ${ending.hostCpu} died: ${ending.message.split('\n')[0]}`;
    case 'no progress':
      return `the run was given up: ${ending.message}`;
    default:
      return undefined;
  }
}

/** First of all, if there is one: the cause of death. */
function deaths({ ending, guests, violations }: RunReport): string[] {
  const died = diedOf(ending);
  const killed = guests.filter((guest) => guest.ending === 'killed');
  return [
    ...(died === undefined ? [] : [`It died: ${died}.`]),
    ...killed.map(({ name, reason }) => `${name} was killed: ${reason}.`),
    ...(violations.length === 0 ? [] : [`An invariant is broken: ${violations[0]}.`]),
  ].map((line) => `<p class="lead bad">${escaped(line)}</p>`);
}

function happenings(
  report: RunReport,
  { activity, moves, events }: NonNullable<SavedMachine['happened']>,
): string[] {
  const { guests, configuration } = report;
  const vcpus = guests.flatMap((guest, i) =>
    Array.from(
      { length: configuration.vcpus[i]! },
      (_, id): VcpuName => ({ name: `${guest.name} vCPU ${id}`, guest: i }),
    ),
  );
  const faultsOf = guests.map((_, i) =>
    activity.faults.filter(({ vcpu }) => vcpus[vcpu]?.guest === i),
  );
  const mapped = [...faultsOf.keys()].filter((i) => faultsOf[i]!.length > 0);
  const shown = mapped.slice(0, MOST_HEAT_MAPS);
  return [
    '<h3>When it happened</h3>',
    paragraph(completeness(events)),
    timelineSection(activity, configuration.host_cpus, vcpus, marksOf(report, activity, vcpus)),
    '<h3>Migrations, and what followed</h3>',
    migrationSection(
      moves,
      activity,
      configuration.host_cpus,
      vcpus.map(({ name }) => name),
    ),
    '<h3>Where faults were</h3>',
    ...shown.map((i) => heatMap(activity, guests[i]!.name, faultsOf[i]!)),
    ...(mapped.length > shown.length
      ? [paragraph(`${mapped.length - shown.length} more guests had faults, and are not shown.`)]
      : []),
    '<h3>How long it took</h3>',
    paragraph(
      'Times are of the machine that ran the simulation, with its threads as host CPUs: ' +
        'compare them with one another, and not with those of another run or of hardware.',
    ),
    latencySection(activity),
  ];
}

function completeness({ recorded, kept, lost }: KeptEvents): string {
  const all = `Drawn from ${counted(kept, 'event')}`;
  const cut =
    kept < recorded ? `, the first of ${grouped(recorded)}: later ones are not shown` : '';
  const missing =
    lost === 0
      ? 'none was lost'
      : `${grouped(lost)} WERE LOST, because they came faster than they were read`;
  return `${all}${cut}; ${missing}.`;
}
