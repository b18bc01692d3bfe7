/**
 * The host's own records, each with the table that declares it (shared/record.ts), and what is
 * derived from the tables for each word: its name in stories and its role in synchronization.
 */

import { POOL } from '../../../shared/frames.ts';
import type { Host } from '../../../shared/host.ts';
import { HOST_CPU } from '../../../shared/host-cpu.ts';
import { LG_CPU } from '../../../shared/lg-cpu.ts';
import { LGUEST, type Lguest } from '../../../shared/lguest.ts';
import { MACHINE } from '../../../shared/machine-record.ts';
import { PGDIR } from '../../../shared/pgdir.ts';
import type { FieldKind, Fields } from '../../../shared/record.ts';
import { RUN_QUEUE } from '../../../shared/run-queue.ts';
import { type Ptr, toPtr } from '../../hardware/address.ts';

/** The role of its words in races, unless a field's kind says otherwise (races/roles.ts). */
export type RecordRole = 'handOver' | 'record' | 'aside';

/** A record of one of the kinds that there are. */
export interface RecordAt {
  readonly fields: Fields;
  readonly at: Ptr;
  /** Words to the next record. */
  readonly words: number;
  readonly name: string;
  readonly role: RecordRole;
  /** The guest whose locks guard it, and its pgdir there. */
  readonly guest?: Lguest;
  readonly pgdir?: number;
  /**
   * Its owner: a host CPU, or the host CPU that runs this vCPU; machine-wide numbers.
   */
  readonly hostCpu?: number;
  readonly vcpu?: number;
}

/** `host`: any view of the machine. */
export function recordsOf(host: Host): RecordAt[] {
  const { machine, cpus, guests, vcpus, layout } = host;
  const { regions } = layout;
  const several = guests.length > 1;
  const nameOf = (lg: Lguest): string => (several ? `guest ${lg.index}` : 'the guest');
  const pgdirName = (lg: Lguest, i: number): string =>
    several ? `pgdir ${i} of guest ${lg.index}` : `pgdir ${i}`;
  const record = (
    fields: Fields,
    at: Ptr,
    words: number,
    name: string,
    rest: Partial<RecordAt> = {},
  ): RecordAt => ({ fields, at, words, name, role: 'aside', ...rest });
  return [
    record(MACHINE, machine.at, regions.machine.stride, 'the machine'),
    record(POOL, machine.pool, MACHINE.pool[5], 'the frame pool'),
    ...cpus.map(({ index, at }) =>
      record(HOST_CPU, at, regions.hostCpus.stride, `CPU ${index}`, { hostCpu: index }),
    ),
    ...guests.map((guest) =>
      record(LGUEST, guest.at, regions.guests.stride, nameOf(guest), { role: 'record', guest }),
    ),
    ...guests.flatMap((guest) =>
      guest.pgdirs.map(({ at }, pgdir) => {
        const rest = { role: 'record', guest, pgdir } as const;
        return record(PGDIR, at, regions.pgdirs.stride, pgdirName(guest, pgdir), rest);
      }),
    ),
    ...vcpus.map(({ lg: guest, number, at }) => {
      const rest = { role: 'handOver', guest, vcpu: number } as const;
      return record(LG_CPU, at, regions.vcpus.stride, `vCPU ${number}`, rest);
    }),
    ...cpus.map((_, i) => {
      const { at, stride } = regions.runQueues;
      return record(RUN_QUEUE, toPtr(at + i * stride), stride, `run queue of CPU ${i}`);
    }),
  ];
}

/** Each field of a record, with its place; one of no fixed length extends to the record's end. */
export const fieldsOf = ({ fields, at, words }: RecordAt) =>
  Object.values(fields).map(([offset, kind, , guard, is, length = 1]) => ({
    at: toPtr(at + offset),
    words: length === 0 ? words - offset : length,
    kind,
    guard,
    is,
  }));

export interface RecordWord {
  readonly name: string;
  readonly kind: FieldKind;
  readonly role: RecordRole;
}

/** By place. */
export function recordWords(host: Host): Map<Ptr, RecordWord> {
  const named = new Map<Ptr, RecordWord>();
  for (const record of recordsOf(host)) {
    for (const { at, words, kind, is } of fieldsOf(record)) {
      const word = { name: is.replace('%', record.name), kind, role: record.role };
      for (let i = 0; i < words; i++) named.set(toPtr(at + i), word);
    }
  }
  const { safePoints } = host.layout.regions;
  for (let word = 0; word < safePoints.count * safePoints.stride; word++) {
    const at = toPtr(safePoints.at + word);
    named.set(at, { name: 'safe points', kind: 'words', role: 'aside' });
  }
  return named;
}
