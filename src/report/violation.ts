/** A broken invariant for people, and as data: what, where, by whom, and what came before. */

import { HYPERCALL_NAMES } from '../../shared/counters.ts';
import { EventKind, type HostEvent, PutDownFor } from '../../shared/events.ts';
import type { Host } from '../../shared/host.ts';
import { describePlace, INVARIANTS, type Violation } from '../check/violation.ts';
import { hex } from '../hardware/address.ts';
import {
  PAGE_ACCESSED,
  PAGE_DIRTY,
  PAGE_GLOBAL,
  PAGE_NX_HIGH,
  PAGE_PRESENT,
  PAGE_PSE,
  PAGE_RW,
  PAGE_USER,
} from '../hardware/entry.ts';

/** Events of a CPU that are shown. */
const SHOWN_EVENTS = 12;

export interface ViolationReport {
  readonly invariant: { readonly number: number; readonly name: string };
  readonly violation: Violation;
  /** The entry's flags by name. */
  readonly entry: string | undefined;
  /** The last event of the CPU and vCPU concerned, if they are known. */
  readonly operation: string | undefined;
  /** The last events of the CPUs concerned; of all, when none is known. Oldest first. */
  readonly events: readonly (HostEvent & { readonly text: string })[];
  /** Repeats the run. */
  readonly command: string | undefined;
}

/** `events`: those of all CPUs, as they were when it was found. */
export function reportViolation(
  host: Host,
  violation: Violation,
  events: readonly HostEvent[],
  command?: string,
): ViolationReport {
  const concerned = cpusConcerned(host, violation, events);
  const shown = concerned
    .flatMap((cpu) => events.filter(({ hostCpu }) => hostCpu === cpu).slice(-SHOWN_EVENTS))
    .map((event) => ({ ...event, text: eventText(host, event) }));
  const last = shown.findLast((event) => isOf(host, violation, event));
  return {
    invariant: { number: violation.invariant, name: INVARIANTS[violation.invariant] },
    violation,
    entry: violation.entry && entryText(violation.entry),
    operation: last && `${last.text} on host CPU ${last.hostCpu}`,
    events: shown,
    command,
  };
}

/** The CPU itself; else those on which the vCPU, or the guest, was lately; else all. */
function cpusConcerned(host: Host, violation: Violation, events: readonly HostEvent[]): number[] {
  if (violation.hostCpu !== undefined) return [violation.hostCpu];
  const theirs = events.filter((event) => isOf(host, violation, event));
  const from = theirs.length > 0 ? theirs : events;
  return [...new Set(from.map(({ hostCpu }) => hostCpu))].sort((a, b) => a - b);
}

function isOf(host: Host, { guest, vcpu }: Violation, event: HostEvent): boolean {
  if (guest === undefined) return true;
  const its = host.vcpus[event.vcpu];
  return its?.lg.index === guest && (vcpu === undefined || its.id === vcpu);
}

/** Paragraphs for the terminal. */
export function violationText(report: ViolationReport): string {
  const { invariant, violation, entry, operation, events, command } = report;
  const place = describePlace(violation);
  const lines = [
    `Invariant ${invariant.number}, ${invariant.name}, is broken: ${violation.title}`,
    ...(place ? [`  where     ${place}`] : []),
    ...(entry ? [`  entry     ${entry}`] : []),
    `  expected  ${violation.expected}`,
    `  found     ${violation.found}`,
    ...(operation ? [`  after     ${operation}`] : []),
  ];
  for (const cpu of new Set(events.map(({ hostCpu }) => hostCpu))) {
    lines.push('', `Host CPU ${cpu} did last:`);
    for (const { hostCpu, sequence, text } of events) {
      if (hostCpu === cpu) lines.push(`  ${String(sequence).padStart(8)}  ${text}`);
    }
  }
  if (command) lines.push('', `Again: ${command}`);
  return `${lines.join('\n')}\n`;
}

const FLAGS = [
  ['PRESENT', PAGE_PRESENT],
  ['RW', PAGE_RW],
  ['USER', PAGE_USER],
  ['ACCESSED', PAGE_ACCESSED],
  ['DIRTY', PAGE_DIRTY],
  ['PSE', PAGE_PSE],
  ['GLOBAL', PAGE_GLOBAL],
] as const;

/** `frame 123, PRESENT RW USER NX` */
export function entryText({ low, high }: { readonly low: number; readonly high: number }): string {
  const names = FLAGS.filter(([, bit]) => low & bit).map(([name]) => name as string);
  if (high & PAGE_NX_HIGH) names.push('NX');
  return `frame ${low >>> 12}, ${names.join(' ') || 'no flags'}`;
}

const FAULT_BITS = ['protection', 'write', 'user', 'reserved', 'fetch'] as const;

const faultCode = (code: number): string =>
  FAULT_BITS.filter((_, bit) => code & (1 << bit)).join(' ') || 'read';

/** One event, with the vCPU that it is about. */
export function eventText(host: Host, { kind, vcpu, a, b, c }: HostEvent): string {
  const its = host.vcpus[vcpu];
  const who = its ? `guest ${its.lg.index} vCPU ${its.id}` : 'the host';
  return `${who}: ${what(kind, a, b, c)}`;
}

const PUT_DOWN_FOR: Readonly<Record<PutDownFor, string>> = {
  [PutDownFor.Preemption]: 'its time is up',
  [PutDownFor.Tables]: 'no tables to run on',
  [PutDownFor.Interrupt]: 'it waits for an interrupt, or to be started',
  [PutDownFor.End]: 'its guest is at its end',
};

function what(kind: EventKind, a: number, b: number, c: number): string {
  switch (kind) {
    case EventKind.Entry:
      return `into the guest, pgdir ${a}, top level in frame ${b}`;
    case EventKind.Exit:
      return `out of the guest, trap ${a} at ${hex(b)}`;
    case EventKind.FaultFixed:
      return `page fault at ${hex(a)} (${faultCode(b)}) fixed, after ${c} operations`;
    case EventKind.FaultPassedOn:
      return `page fault at ${hex(a)} (${faultCode(b)}) passed on, after ${c} operations`;
    case EventKind.Hypercall:
      return `hypercall ${HYPERCALL_NAMES[a] ?? a} ${hex(b)} ${hex(c)}`;
    case EventKind.ShootdownSent:
      return `wants host CPU ${a} out of the guest`;
    case EventKind.ShootdownDone:
      return `host CPU ${a} is out of the guest`;
    case EventKind.Migration:
      return `comes from host CPU ${a}`;
    case EventKind.InterruptRaised:
      return `interrupt ${a} raised for vCPU ${b}`;
    case EventKind.InterruptDelivered:
      return `interrupt ${a} delivered`;
    case EventKind.PgdirSwitched:
      return `continues on pgdir ${a}, top level ${hex(b)}`;
    case EventKind.PgdirEvicted:
      return `pgdir ${a} of top level ${hex(b)} is taken for ${hex(c)}`;
    case EventKind.TakenUp:
      return 'taken in hand';
    case EventKind.PutDown:
      return `put down, ${PUT_DOWN_FOR[a as PutDownFor]}`;
    case EventKind.SpteSet:
      return `guest page ${hex(a)} is in the shadow, ${entryText({ low: b, high: 0 })}`;
    default:
      return `event ${kind}`;
  }
}
