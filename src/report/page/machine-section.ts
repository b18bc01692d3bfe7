/** A run of a machine in a report: what it came to, what it cost, and what happened when. */

import { grouped } from '../../numbers.ts';
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
import { paragraph, table } from './parts.ts';
import { timelineSection, type VcpuName } from './timeline-section.ts';

export interface SavedMachine {
  readonly name: string;
  readonly report: RunReport;
  /** There are none of a run whose folder has no events. */
  readonly happened?: { readonly activity: Activity; readonly events: KeptEvents } | undefined;
}

/** Guests whose faults have pictures. */
const MOST_HEAT_MAPS = 12;

export function machineSection({ name, report, happened }: SavedMachine): string {
  const { guests, host_cpus, total } = report;
  const cpus = host_cpus.map((cpu, i) => [`CPU ${i}`, cpu] as const);
  const good = report.ending.kind === 'done' && report.violations.length === 0;
  return [
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

const NO_EVENTS =
  'There are no events to draw a timeline of: a run folder has them, which --out of umbra start and umbra run makes.';

function happenings(
  { guests, configuration }: RunReport,
  { activity, events }: NonNullable<SavedMachine['happened']>,
): string[] {
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
    timelineSection(activity, configuration.host_cpus, vcpus),
    '<h3>Where faults were</h3>',
    ...shown.map((i) => heatMap(activity, guests[i]!.name, faultsOf[i]!)),
    ...(mapped.length > shown.length
      ? [
          paragraph(
            `${mapped.length - shown.length} more guests had faults, and have no picture here.`,
          ),
        ]
      : []),
    '<h3>How long it took</h3>',
    paragraph(
      'Times are of the machine that ran the simulation, whose threads were the host CPUs: compare them with ' +
        'one another, and not with those of another run or of hardware.',
    ),
    latencySection(activity),
  ];
}

function completeness({ recorded, kept, lost }: KeptEvents): string {
  const all = `Drawn from ${grouped(kept)} events`;
  const cut =
    kept < recorded ? `, the first of ${grouped(recorded)}: what came later is not shown` : '';
  return `${all}${cut}; ${lost === 0 ? 'none was lost' : `${grouped(lost)} WERE LOST, since they came faster than they were read`}.`;
}
