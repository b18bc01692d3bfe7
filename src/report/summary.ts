/** A run's report for a person at a terminal. */

import { styleText } from 'node:util';
import { counted, grouped, percent } from '../numbers.ts';
import { formatCosts } from './costs.ts';
import type { GuestReport, PlacedReport, RunReport, Statistics } from './run-report.ts';
import { tableText } from './text-table.ts';

export interface Terminal {
  /** Whether the reader's terminal wants it. */
  readonly colour: boolean;
  /** Its width. */
  readonly columns: number;
}

export function formatSummary(report: RunReport, terminal: Terminal): string {
  const style = (format: 'bold' | 'dim', text: string): string =>
    terminal.colour ? styleText(format, text) : text;
  const guests = report.guests.map((guest) => [guest.name, guest] as const);
  const cpus = report.host_cpus.map((cpu, i) => [`CPU ${i}`, cpu] as const);
  const tables = [
    statisticsText(guests, terminal),
    statisticsText([...cpus, ['together', report.total]], terminal),
  ].map((text) => text.replace(/^.*/, (heading) => style('bold', heading)));
  return [
    style('bold', sizeOf(report)) + style('dim', ` · ${settingOf(report)}`),
    '',
    ...tables.flatMap((text) => [text, '']),
    ...formatCosts(report.costs),
    '',
    ...endingLines(report),
    `${wholeOf(report)}.`,
    REAL_TIME,
    `  ${realTimeOf(report)}`,
    ...eventLines(report),
    ...proof(report, (text) => style('bold', text)),
    '',
  ].join('\n');
}

/** 4 guests on 2 host CPUs */
export const sizeOf = ({ guests, host_cpus }: RunReport): string =>
  `${counted(guests.length, 'guest')} on ${counted(host_cpus.length, 'host CPU')}`;

/** non-PAE, two levels · policy random · seed 1 */
export function settingOf({ configuration: c }: RunReport): string {
  const paging = c.paging
    .split(', ')
    .map((form) => (form === 'pae' ? 'PAE, three levels' : 'non-PAE, two levels'))
    .join(' and ');
  const smp = c.vcpus.some((n) => n > 1) ? ` · ${c.vcpus.join(', ')} vCPUs, ${c.discipline}` : '';
  const ways = c.virtualization.some((way) => way !== 'shadow')
    ? ` · ${c.virtualization.join(', ')} paging`
    : '';
  return `${paging}${ways}${smp} · policy ${c.policy} · seed ${c.seed}`;
}

/** 7,633,628 accesses and 1,492 faults */
export const wholeOf = ({ total }: RunReport): string =>
  `${grouped(total.accesses)} accesses and ${grouped(faults(total))} faults`;

/**
 * Real time is separate from the counts: another run may take twice or half as long, by the load of
 * the machine.
 */
export const REAL_TIME =
  'Real time of this machine, measured once; do not compare it with another run:';

/** 4.46 s after 172 ms of boot, … accesses/s, 334 faults/s; warm after 0.4 s, then … accesses/s */
export const realTimeOf = (report: RunReport): string =>
  `${report.seconds.toFixed(2)} s after ${Math.round(report.boot_ms)} ms of boot, ` +
  `${rate(report.accesses_per_s)} accesses/s, ${rate(report.faults_per_s)} faults/s` +
  (report.warm_up_s === null || report.warm_accesses_per_s === null
    ? ''
    : `; warm after ${report.warm_up_s.toFixed(1)} s, then ` +
      `${rate(report.warm_accesses_per_s)} accesses/s`);

type Row = readonly [label: string, value: (s: Statistics) => string];

/** The rows for each guest and each host CPU; indented rows are parts of the one above. */
const ROWS: readonly Row[] = [
  ['accesses', (s) => grouped(s.accesses)],
  ['TLB hits', (s) => percent(s.tlb_hits / s.accesses, 2)],
  ['walks', (s) => grouped(s.walks)],
  ['  in the host’s table', (s) => grouped(s.nested_references)],
  ['faults', (s) => grouped(faults(s))],
  ['  fixed', (s) => grouped(s.faults_fixed)],
  ['  passed on', (s) => grouped(s.faults_passed_on)],
  ['entries', (s) => grouped(s.entries)],
  ['migrations', (s) => grouped(s.migrations)],
  ['Switcher remaps', (s) => grouped(remaps(s))],
  ['  cached', (s) => grouped(s.switcher_remaps.cached)],
  ['  one CPU removed', (s) => grouped(s.switcher_remaps.one_cpu_removed)],
  ['  unknown, all removed', (s) => grouped(s.switcher_remaps.unknown_all_removed)],
  ['shootdowns', (s) => grouped(s.shootdowns)],
  ['interrupts', (s) => grouped(s.interrupts)],
  ['direct traps', (s) => grouped(s.direct_traps)],
  ['direct faults', (s) => grouped(s.direct_faults)],
  ['hypercalls', (s) => grouped(hypercalls(s))],
];

/** Told where there is something to tell. */
const NESTED_ROWS: ReadonlySet<string> = new Set(['  in the host’s table', 'direct faults']);

/** A label, and its values for each subject. */
export function statisticsRows(subjects: readonly (readonly [string, Statistics])[]): string[][] {
  const kinds = new Set(subjects.flatMap(([, s]) => Object.keys(s.hypercalls)));
  const happened = ([label, value]: Row): boolean =>
    !NESTED_ROWS.has(label) || subjects.some(([, s]) => value(s) !== '0');
  const rows: Row[] = [
    ...ROWS.filter(happened),
    ...[...kinds].map((kind): Row => [`  ${kind}`, (s) => grouped(s.hypercalls[kind] ?? 0)]),
    ['  through the ring', (s) => grouped(s.async_hypercalls)],
  ];
  return rows.map(([label, value]) => [label, ...subjects.map(([, s]) => value(s))]);
}

/** A column for each subject, and as many tables as it takes to fit the terminal. */
const statisticsText = (
  subjects: readonly (readonly [string, Statistics])[],
  { columns }: Terminal,
): string =>
  tableText(
    { head: ['', ...subjects.map(([name]) => name)], rows: statisticsRows(subjects) },
    { columns, breaks: false },
  );

export function endingLines(report: RunReport): string[] {
  const lines = report.guests.map((guest) => `${guest.name}: ${fate(guest)}`);
  const { ending } = report;
  if (ending.kind === 'interrupted') lines.push('Interrupted: these are the figures so far.');
  if (ending.kind === 'oops') {
    lines.push(`The host died on CPU ${ending.hostCpu}: ${ending.message}.`);
  }
  if (ending.kind === 'cpu died') {
    lines.push(`Host CPU ${ending.hostCpu} died, and the run with it: ${ending.message}`);
  }
  if (ending.kind === 'no progress') lines.push(`The run was given up: ${ending.message}.`);
  return [...lines, ''];
}

/** Interventions during the run. */
export function eventLines(report: RunReport): string[] {
  const { configuration, hotplug, slices, allocations, failed_allocations, placement } = report;
  const lines = placement === null ? [] : placementLines(placement);
  if (configuration.hotplug.length > 0) {
    lines.push(
      `Host CPUs went offline ${times(hotplug.went_offline)} and came back ` +
        `${times(hotplug.came_back)} in ${grouped(slices)} time slices; ` +
        `${grouped(hotplug.handed_over)} vCPUs were handed over.`,
      ...configuration.hotplug
        .filter(({ after }) => after >= slices)
        .map(
          ({ cpu, after }) =>
            `CPU ${cpu} never went offline: ${grouped(after)} slices did not begin.`,
        ),
    );
  }
  if (configuration.fail_allocation_after !== null) {
    lines.push(
      `Of ${grouped(allocations)} allocations for page tables and copies on write ` +
        `${grouped(failed_allocations)} failed.`,
    );
  }
  return lines;
}

/** How much of a placement was run. */
function placementLines(placement: NonNullable<RunReport['placement']>): string[] {
  const sum = (of: keyof PlacedReport & `${'stretches' | 'migrations'}${'' | '_run'}`): string =>
    grouped(placement.reduce((n, vcpu) => n + vcpu[of], 0));
  if (placement.every(({ stretches, stretches_run }) => stretches_run === stretches)) {
    return [
      `The placement was run whole: ${sum('stretches')} stretches of ` +
        `${counted(placement.length, 'vCPU')}, ${sum('migrations')} migrations.`,
    ];
  }
  return [
    `Of the placement's ${sum('stretches')} stretches ${sum('stretches_run')} were run, and ` +
      `${sum('migrations_run')} of its ${sum('migrations')} migrations: the guests were at their ` +
      'end. A shorter --slice gets further.',
  ];
}

function fate({ ending, reason, memory, not_replayed }: GuestReport): string {
  const how = ending === 'killed' ? `killed: ${reason}` : ending;
  const left =
    not_replayed === 0 ? '' : `; ${grouped(not_replayed)} accesses of its trace not replayed`;
  return `${how}${left}; ${grouped(memory.pagesWritten)} pages written, memory ${memory.user}`;
}

/** An expectation, and whether it holds. */
export function proof(report: RunReport, bold = (text: string): string => text): string[] {
  const { violations, configuration, ending } = report;
  if (ending.kind !== 'done' && ending.kind !== 'interrupted') {
    return ['The invariants were not checked: the run was interrupted.'];
  }
  if (violations.length === 0) {
    return [
      'Guests are isolated and every reference count adds up; all ' +
        `${grouped(configuration.host_memory_frames)} frames of host memory came back.`,
    ];
  }
  const most = 10;
  const rest = violations.length - most;
  return [
    bold(`${violations.length} violations of invariants:`),
    ...violations.slice(0, most).map((violation) => `  ${violation}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
}

const remaps = ({ switcher_remaps: { cached, ...others } }: Statistics): number =>
  cached + others.one_cpu_removed + others.unknown_all_removed;

const faults = (s: Statistics): number => s.faults_fixed + s.faults_passed_on;
const hypercalls = (s: Statistics): number =>
  Object.values(s.hypercalls).reduce((a, b) => a + b, 0);

const times = (n: number): string => (n === 1 ? 'once' : `${grouped(n)} times`);

/** Three significant figures and a unit; – for a run that took no time. */
function rate(n: number): string {
  if (!Number.isFinite(n)) return '–';
  if (n >= 1e6) return `${(n / 1e6).toPrecision(3)} million`;
  return grouped(Math.round(n));
}
