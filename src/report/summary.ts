/** A run's report for a person at a terminal. */

import { styleText } from 'node:util';
import Table from 'cli-table3';
import type { GuestReport, RunReport, Statistics } from './run-report.ts';

/** `colour`: whether the reader's terminal wants it. */
export function formatSummary(report: RunReport, colour: boolean): string {
  const bold = (text: string): string => (colour ? styleText('bold', text) : text);
  const dim = (text: string): string => (colour ? styleText('dim', text) : text);
  const { configuration: c } = report;
  const paging = c.paging === 'pae' ? 'PAE, three levels' : 'non-PAE, two levels';
  return [
    bold(`${report.guests.length} guests on ${c.host_cpus} host CPUs`) +
      dim(` · ${paging} · policy ${c.policy} · seed ${c.seed}`),
    '',
    guestTable(report, bold),
    '',
    hostCpuTable(report, bold),
    '',
    bold('Hypercalls'),
    hypercallTable(report, bold),
    '',
    ...endingLines(report),
    `${count(report.total.accesses)} accesses and ${count(faults(report.total))} faults in ` +
      `${report.seconds.toFixed(2)} s (after ${Math.round(report.boot_ms)} ms of boot): ` +
      `${rate(report.accesses_per_s)} accesses/s, ${rate(report.faults_per_s)} faults/s`,
    ...proof(report, bold),
    '',
  ].join('\n');
}

/** What all tables look like: no boxes, numbers to the right. */
function table(head: readonly string[], bold: (text: string) => string): Table.Table {
  const nothing = Object.fromEntries(
    [
      ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
      ...['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
    ].map((part) => [part, '']),
  );
  return new Table({
    head: head.map(bold),
    chars: { ...nothing, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')),
  });
}

const COLUMNS: readonly (readonly [string, (s: Statistics) => string])[] = [
  ['accesses', (s) => count(s.accesses)],
  ['TLB hits', (s) => percent(s.tlb_hits, s.accesses)],
  ['walks', (s) => count(s.walks)],
  ['faults fixed', (s) => count(s.faults_fixed)],
  ['passed on', (s) => count(s.faults_passed_on)],
  ['hypercalls', (s) => count(hypercalls(s))],
  ['entries', (s) => count(s.entries)],
  ['migrations', (s) => count(s.migrations)],
  ['remaps: cached', (s) => count(s.switcher_remaps.cached)],
  ['one CPU', (s) => count(s.switcher_remaps.one_cpu_removed)],
  ['all', (s) => count(s.switcher_remaps.unknown_all_removed)],
];

function guestTable(report: RunReport, bold: (text: string) => string): string {
  const rows = table(['guest', ...COLUMNS.map(([name]) => name)], bold);
  for (const guest of report.guests) {
    rows.push([guest.name, ...COLUMNS.map(([, value]) => value(guest))]);
  }
  return rows.toString();
}

function hostCpuTable(report: RunReport, bold: (text: string) => string): string {
  const rows = table(['host CPU', ...COLUMNS.map(([name]) => name)], bold);
  for (const [i, cpu] of report.host_cpus.entries()) {
    rows.push([`CPU ${i}`, ...COLUMNS.map(([, value]) => value(cpu))]);
  }
  rows.push(['together', ...COLUMNS.map(([, value]) => value(report.total))]);
  return rows.toString();
}

function hypercallTable(report: RunReport, bold: (text: string) => string): string {
  const rows = table(['', ...report.guests.map((guest) => guest.name)], bold);
  for (const name of Object.keys(report.total.hypercalls)) {
    rows.push([name, ...report.guests.map((guest) => count(guest.hypercalls[name] ?? 0))]);
  }
  rows.push([
    'of these in the ring',
    ...report.guests.map((guest) => count(guest.async_hypercalls)),
  ]);
  rows.push(['direct traps', ...report.guests.map((guest) => count(guest.direct_traps))]);
  return rows.toString();
}

function endingLines(report: RunReport): string[] {
  const lines = report.guests.map((guest) => `${guest.name}: ${fate(guest)}`);
  const { ending } = report;
  if (ending.kind === 'interrupted') lines.push('Interrupted: these are the figures so far.');
  if (ending.kind === 'oops') {
    lines.push(`The host died on CPU ${ending.hostCpu}: ${ending.message}.`);
  }
  if (ending.kind === 'cpu died') {
    lines.push(`Host CPU ${ending.hostCpu} died, and the run with it: ${ending.message}`);
  }
  return [...lines, ''];
}

function fate({ ending, reason, memory }: GuestReport): string {
  const how = ending === 'killed' ? `killed: ${reason}` : ending;
  return `${how}; ${count(memory.pagesWritten)} pages written, memory ${memory.user}`;
}

function proof(report: RunReport, bold: (text: string) => string): string[] {
  const { violations, configuration, ending } = report;
  if (ending.kind === 'oops' || ending.kind === 'cpu died') {
    return ['The invariants were not looked at: the run broke off in the middle.'];
  }
  if (violations.length === 0) {
    return [
      `Guests are isolated and every reference count adds up; all ${count(configuration.host_memory_frames)} frames ` +
        'of host memory came back.',
    ];
  }
  const most = 10;
  const rest = violations.length - most;
  return [
    bold(`${violations.length} violations of what must hold:`),
    ...violations.slice(0, most).map((violation) => `  ${violation}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
}

const faults = (s: Statistics): number => s.faults_fixed + s.faults_passed_on;
const hypercalls = (s: Statistics): number =>
  Object.values(s.hypercalls).reduce((a, b) => a + b, 0);

const count = (n: number): string => n.toLocaleString('en-US');
const percent = (part: number, whole: number): string =>
  whole === 0 ? '–' : `${((part / whole) * 100).toFixed(2)} %`;

/** Three significant figures and a unit. */
function rate(n: number): string {
  if (n >= 1e6) return `${(n / 1e6).toPrecision(3)} million`;
  return Math.round(n).toLocaleString('en-US');
}
