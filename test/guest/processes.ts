/** Guests of a few small processes, and reads of their kernel's tables. */

import { asGuestSees } from '../../src/check/guest-tables.ts';
import {
  MAX_MMS,
  MAX_TASKS,
  Mm,
  mmAt,
  TASK_BYTES,
  TASKS,
  Task,
  type TaskState,
} from '../../src/guest/kernel/layout.ts';
import { type KernelThread, type Program, Prot } from '../../src/guest/program.ts';
import type { StreamBuilder } from '../../src/guest/traces/builder.ts';
import { Entry } from '../../src/hardware/entry.ts';
import type { Rig } from '../rig.ts';
import { readGuest } from './at-rest.ts';

export const PAGE = 0x1000;
/** Where all have pages to read and write. */
export const DATA = 0x0810_0000;
export const DATA_PAGES = 16;

const regions = [{ start: DATA, end: DATA + DATA_PAGES * PAGE, prot: Prot.Read | Prot.Write }];

/** The first process, and its forks; those begin with a copy, and have no regions. */
export const processes = (
  main: StreamBuilder,
  kids: readonly StreamBuilder[] = [],
  kernelThreads: readonly KernelThread[] = [],
): Program => ({
  name: 'test',
  processes: [main, ...kids].map((stream, i) => ({
    command: 'test',
    regions: i === 0 ? regions : [],
    threads: [stream.build()],
  })),
  kernelThreads,
});

/** A word on each of some pages. */
export const written = (stream: StreamBuilder, pages = DATA_PAGES): StreamBuilder => {
  for (let page = 0; page < pages; page++) stream.store(DATA + page * PAGE + page * 4);
  return stream;
};

/** Address spaces in use, in the order of their creation. */
export const mms = ({ host }: Rig): number[] =>
  Array.from({ length: MAX_MMS }, (_, i) => mmAt(i)).filter(
    (mm) => readGuest(host, mm + Mm.users) !== 0,
  );

/** The last-level entry of an address of a process; its page is a guest page. */
export function entryAt({ host }: Rig, mm: number, address: number): Entry {
  const [lg] = host.guests;
  const { form } = lg!;
  const read = (table: number, index: number): Entry => {
    const low = readGuest(host, table + index * form.entryWords * 4);
    return asGuestSees(lg!, new Entry(low, 0));
  };
  let table = readGuest(host, mm + Mm.pgd);
  let entry = new Entry(0, 0);
  for (const [level, shift] of (form.pae ? [30, 21, 12] : [22, 12]).entries()) {
    const mask = level === 0 ? form.ptrsPerPgd - 1 : form.ptrsPerPte - 1;
    entry = read(table, (address >>> shift) & mask);
    if (!(entry.low & 1)) return shift === 12 ? entry : new Entry(0, 0);
    table = entry.low & -PAGE;
  }
  return entry;
}

/** The number of tasks in a state. */
export const inState = ({ host }: Rig, state: (typeof TaskState)[keyof typeof TaskState]): number =>
  Array.from({ length: MAX_TASKS }, (_, i) => TASKS + i * TASK_BYTES).filter(
    (task) =>
      readGuest(host, task + Task.pid) !== 0 && readGuest(host, task + Task.state) === state,
  ).length;
