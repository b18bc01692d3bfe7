/** What the host CPUs of a run did, as a table: a row for each event, written and read again. */

import { readFileSync } from 'node:fs';
import { parquetReadObjects } from 'hyparquet';
import { EventKind } from '../../shared/events.ts';
import type { TracedEvent } from '../trace/recorder.ts';
import { count, quantity, type Table, text } from './table.ts';

/** Rows that are kept: some 5 MB. What comes after is counted. */
const MOST_ROWS = 1 << 18;

/** In the table, by kind. */
const NAMES: Readonly<Record<EventKind, string>> = {
  [EventKind.Entry]: 'entry',
  [EventKind.Exit]: 'exit',
  [EventKind.FaultFixed]: 'fault_fixed',
  [EventKind.FaultPassedOn]: 'fault_passed_on',
  [EventKind.Hypercall]: 'hypercall',
  [EventKind.ShootdownSent]: 'shootdown_sent',
  [EventKind.ShootdownDone]: 'shootdown_done',
  [EventKind.Migration]: 'migration',
  [EventKind.InterruptRaised]: 'interrupt_raised',
  [EventKind.InterruptDelivered]: 'interrupt_delivered',
  [EventKind.PgdirSwitched]: 'pgdir_switched',
  [EventKind.PgdirEvicted]: 'pgdir_evicted',
};

const KINDS = new Map(Object.entries(NAMES).map(([kind, name]) => [name, Number(kind)]));

/** For people and JSON. */
export interface KeptEvents {
  readonly kept: number;
  /** Behind the last that is kept. */
  readonly dropped: number;
  /** Overwritten before they were read, of all host CPUs. */
  readonly lost: number;
}

/** Of `events` in the order of their times. */
export function eventsTable(events: Iterable<TracedEvent>): Table {
  const rows: Table['rows'][number][] = [];
  for (const { at, hostCpu, kind, vcpu, a, b, c, lost } of events) {
    if (rows.length === MOST_ROWS) break;
    rows.push({
      ...{ at_ns: at, host_cpu: hostCpu, event: NAMES[kind], vcpu: vcpu < 0 ? null : vcpu },
      ...{ a, b, c, lost_before: lost },
    });
  }
  return {
    name: 'events',
    description: 'what the host CPUs did, in the order of time',
    columns: {
      at_ns: quantity('ns', 'since the machine was booted'),
      host_cpu: count('on which host CPU'),
      event: text('what happened; docs/run-folders.md says what a, b and c are of each'),
      vcpu: count('the vCPU in hand, numbered through all guests; null if none was'),
      a: quantity('', 'first word of the event'),
      b: quantity('', 'second word of the event'),
      c: quantity('', 'third word of the event'),
      lost_before: count('events of this host CPU that were lost just before this one'),
    },
    rows,
  };
}

/** What is in such a table's file. */
export async function readEvents(path: string): Promise<TracedEvent[]> {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  const file = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  const rows = await parquetReadObjects({ file });
  return rows.map(({ at_ns, host_cpu, event, vcpu, a, b, c, lost_before }) => ({
    ...{ at: at_ns, hostCpu: host_cpu, kind: KINDS.get(event) as EventKind },
    ...{ vcpu: vcpu ?? -1, a, b, c, lost: lost_before },
  }));
}
