/** Marks between the steps of a story: operations, guest entries, faults, migrations. */

import { HYPERCALL_NAMES } from '../../../shared/counters.ts';
import { EventKind, type HostEvent } from '../../../shared/events.ts';
import { Vector } from '../../guest/processor.ts';
import type { Mark } from '../../report/story.ts';
import { placeAt } from '../litmus/guest.ts';
import type { Litmus } from '../litmus/litmus.ts';
import { hexAddress } from './guest-words.ts';
import type { RecordedStep } from './recording.ts';

/** A mark, and the step before which it is. */
export interface Marked extends Mark {
  readonly step: number;
}

export function marksOf(litmus: Litmus, steps: readonly RecordedStep[]): Marked[] {
  const marks = [...migrationMarks(steps), ...operationMarks(litmus, steps), ...eventMarks(steps)];
  return marks.toSorted((a, b) => a.step - b.step);
}

/** A vCPU runs on another CPU than before. */
function migrationMarks(steps: readonly RecordedStep[]): Marked[] {
  const last = new Map<number, number>();
  return steps.flatMap(({ vcpu, hostCpu, number }) => {
    const from = last.get(vcpu) ?? hostCpu;
    if (vcpu < 0) return [];
    last.set(vcpu, hostCpu);
    if (from === hostCpu) return [];
    const text = `vCPU ${vcpu} continues here, from CPU ${from}`;
    return [{ kind: 'migration' as const, column: hostCpu, step: number, text }];
  });
}

/** Each operation of a column once, at its first step. */
function operationMarks(litmus: Litmus, steps: readonly RecordedStep[]): Marked[] {
  const marks: Marked[] = [];
  const begun = new Set<string>();
  const begin = ({ vcpu, hostCpu }: RecordedStep, eip: number, step: number): void => {
    const { column, position } = placeAt(eip);
    const its = litmus.vcpus[column];
    const key = [vcpu, column, position].join();
    if (its === undefined || position > its.texts.length || begun.has(key)) return;
    begun.add(key);
    const who = column === vcpu ? `vCPU ${vcpu}` : `vCPU ${vcpu}, in the column of vCPU ${column}`;
    const what = its.texts[position] ?? 'is at its end';
    marks.push({ kind: 'operation', column: hostCpu, step, text: `${who}: ${what}` });
  };
  const last = new Map<number, RecordedStep>();
  for (const step of steps) {
    if (step.where.part === 'hardware') continue;
    const before = last.get(step.hostCpu);
    // An operation without a step of its own, such as a hypercall, has continued meanwhile.
    if (before?.eip !== undefined && before.eip !== step.eip && step.vcpu === before.vcpu) {
      if (step.eip !== undefined) begin(before, before.eip, step.number);
    }
    if (step.eip !== undefined && step.where.byGuest) begin(step, step.eip, step.number);
    for (const { kind, a, b } of step.events) {
      if (kind === EventKind.Exit && a === Vector.PageFault) begin(step, b, step.number);
    }
    if (step.eip !== undefined || step.vcpu < 0) last.set(step.hostCpu, step);
  }
  return marks;
}

function eventMarks(steps: readonly RecordedStep[]): Marked[] {
  return steps.flatMap((step, i) =>
    step.events.flatMap((event): Marked[] => {
      const text = eventText(event, steps.slice(i));
      return text === '' ? [] : [{ kind: 'event', column: step.hostCpu, step: step.number, text }];
    }),
  );
}

/** `later`: the steps from here on. */
function eventText(
  { kind, hostCpu, vcpu, a, b, c }: HostEvent,
  later: readonly RecordedStep[],
): string {
  const who = `vCPU ${vcpu}`;
  switch (kind) {
    case EventKind.Entry:
      return `${who} enters the guest, on pgdir ${a}`;
    case EventKind.Exit: {
      if (a === Vector.PageFault) return `${who}: page fault${faultAt(later, hostCpu)}`;
      // The hypercall itself is told when the host handles it.
      if (a === Vector.Hypercall) return '';
      return a >= Vector.FirstExternal ? `${who} comes out of the guest` : `${who}: trap ${a}`;
    }
    case EventKind.FaultFixed:
      return `${who}: the fault at ${hexAddress(a)} is fixed`;
    case EventKind.FaultPassedOn:
      return `${who}: the fault at ${hexAddress(a)} is the guest's own`;
    case EventKind.Hypercall:
      return `${who}: hypercall ${HYPERCALL_NAMES[a] ?? a}`;
    case EventKind.ShootdownSent:
      return `wants CPU ${a} out of the guest`;
    case EventKind.ShootdownDone:
      return `CPU ${a} is out of the guest`;
    case EventKind.InterruptRaised:
      return `interrupt ${a} is raised for vCPU ${b}`;
    case EventKind.InterruptDelivered:
      return `${who}: interrupt ${a} is delivered`;
    case EventKind.PgdirSwitched:
      return `${who} continues on pgdir ${a}, of the top level at ${hexAddress(b)}`;
    case EventKind.PgdirEvicted:
      return `pgdir ${a}, of ${hexAddress(b)}, is taken for ${hexAddress(c)}`;
    default:
      return '';
  }
}

const ACCESSES = ['read', 'write'] as const;

/** The place of a fault, from the event at its end; '' if it does not end. */
function faultAt(later: readonly RecordedStep[], cpu: number): string {
  const over = later
    .flatMap(({ events }) => events)
    .find(
      ({ hostCpu, kind }) =>
        hostCpu === cpu && (kind === EventKind.FaultFixed || kind === EventKind.FaultPassedOn),
    );
  if (over === undefined) return '';
  const access = over.b & 16 ? 'fetch' : ACCESSES[(over.b >>> 1) & 1]!;
  return ` at ${hexAddress(over.a)} (${access})`;
}
