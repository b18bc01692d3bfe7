/** The events of the host CPUs: as a table of a run folder, and read from there again. */

import { readFileSync } from 'node:fs';
import { parquetReadObjects } from 'hyparquet';
import { EventKind } from '../../shared/events.ts';
import type { Host } from '../../shared/host.ts';
import type { TracedEvent, TraceRecorder } from '../trace/recorder.ts';
import { count, quantity, type Table, text } from './table.ts';

/** Of a run's beginning; some 8 MB. */
const MOST_KEPT = 500_000;

/** `FaultPassedOn` is `fault passed on`. */
const NAMES = new Map(
  Object.entries(EventKind).map(([name, kind]) => [
    kind,
    name.replace(/(?<!^)[A-Z]/g, ' $&').toLowerCase(),
  ]),
);
const KINDS = new Map(Array.from(NAMES, ([kind, name]) => [name, kind]));

/** How many there were, for JSON; the table may have fewer. */
export interface KeptEvents {
  readonly recorded: number;
  readonly kept: number;
  /** Events that came faster than they were read, of all host CPUs. */
  readonly lost: number;
}

export const keptEvents = (recorder: TraceRecorder): KeptEvents => ({
  recorded: recorder.count,
  kept: Math.min(recorder.count, MOST_KEPT),
  lost: recorder.lost.reduce((a, b) => a + b, 0),
});

/** `recorder`: stopped. */
export function eventsTable(recorder: TraceRecorder, host: Host): Table {
  const rows: Row[] = [];
  for (const { hostCpu, at, kind, vcpu, a, b, c, lost } of recorder.events()) {
    if (rows.length === MOST_KEPT) break;
    rows.push({
      at_ns: at,
      host_cpu: hostCpu,
      event: NAMES.get(kind)!,
      guest: host.vcpus[vcpu]?.lg.index ?? null,
      vcpu: host.vcpus[vcpu]?.id ?? null,
      a,
      b,
      c,
      lost,
    });
  }
  return {
    name: 'events',
    rows,
    description: `What the host CPUs did, the first ${MOST_KEPT} events.`,
    columns: {
      at_ns: quantity('ns', 'since boot, by the monotonic clock'),
      host_cpu: quantity('', 'which host CPU, counted from 0'),
      event: text('what happened'),
      guest: quantity('', 'of the current vCPU, counted from 0; null for none'),
      vcpu: quantity('', 'its number in that guest; null for none'),
      a: quantity('', 'pgdir, trap, address, hypercall, host CPU or interrupt, by the event'),
      b: quantity('', 'top level, eip, error code, argument or vCPU, by the event'),
      c: quantity('', 'argument, operations, or walks and remaps so far, by the event'),
      lost: count('events of this host CPU that were lost just before'),
    },
  };
}

/** `vcpus`: how many each guest has. */
export async function readEvents(path: string, vcpus: readonly number[]): Promise<TracedEvent[]> {
  const file = new Uint8Array(readFileSync(path)).buffer;
  const rows = (await parquetReadObjects({ file })) as Row[];
  const first = vcpus.map((_, guest) => vcpus.slice(0, guest).reduce((a, b) => a + b, 0));
  return rows.map(({ at_ns, host_cpu, event, guest, vcpu, a, b, c, lost }) => ({
    hostCpu: host_cpu,
    at: at_ns,
    kind: KINDS.get(event)!,
    vcpu: guest === null || vcpu === null ? -1 : first[guest]! + vcpu,
    a,
    b,
    c,
    lost,
  }));
}

type Row = Readonly<{
  at_ns: number;
  host_cpu: number;
  event: string;
  guest: number | null;
  vcpu: number | null;
  a: number;
  b: number;
  c: number;
  lost: number;
}>;
