/**
 * A guest reduced to its context switches: prepared top levels in its memory, and a string of
 * switches. At each switch the process uses its pages and some of the kernel's; pages that are not
 * in the shadow fault. The paging code does the rest, as for any guest.
 *
 * A guest's scheduler goes round in a circle; strings with locality have to be made.
 */

import { Counter } from '../../../shared/counters.ts';
import { Hypercall } from '../../../shared/hypercall.ts';
import { Vma } from '../../../shared/launcher-map.ts';
import type { Lguest } from '../../../shared/lguest.ts';
import { Draw } from '../../guest/workloads/draw.ts';
import { type Gva, NULL, toGpa, toGpfn, toGva, wordInFrame } from '../../hardware/address.ts';
import { isPresent, makeEntry, PAGE_TABLE } from '../../hardware/entry.ts';
import { findSpte } from '../../paging/entries.ts';
import { demandPage } from '../../paging/fault.ts';
import { initGuestPagetable } from '../../paging/setup.ts';
import { guestNewPagetable } from '../../paging/switch.ts';
import { type AloneShape, guestAlone } from '../guest-alone.ts';

/** How the next process is chosen. */
export const ORDERS = ['circle', 'any', 'favourites'] as const;

export type Order = (typeof ORDERS)[number];

const USER_PAGES = 8;
const KERNEL_PAGES = 16;
const USER = toGva(0x0804_8000);
const KERNEL = toGva(0xc000_0000);

/** Pages of guest memory: each process's top level, its table, and its pages; the kernel's. */
const FIRST_TOP = 16;
const KERNEL_TABLE = 8;
const WRITE = 2;

export interface Switches {
  readonly processes: number;
  readonly order: Order;
  readonly switches: number;
}

/** The guest after all of them. */
export function switchTopLevels(shape: AloneShape, what: Switches): Lguest {
  const lg = guestAlone({ ...shape, vma: Vma.ReadWrite });
  const cpu = lg.cpus[0]!;
  initGuestPagetable(lg);
  lg.kernelAddress = KERNEL;
  cpu.linearPages = false;
  buildTables(lg, what.processes);
  for (const process of stringOf(shape.seed, what)) {
    lg.counters.countHypercall(Hypercall.NewPgtable);
    lg.counters.count(Counter.Entries);
    guestNewPagetable(cpu, toGpa(topOf(process) << 12));
    for (let page = 0; page < USER_PAGES; page++) use(lg, toGva(USER + page * 0x1000));
    for (let page = 0; page < KERNEL_PAGES; page++) use(lg, toGva(KERNEL + page * 0x1000));
  }
  return lg;
}

function use(lg: Lguest, vaddr: Gva): void {
  const cpu = lg.cpus[0]!;
  lg.counters.count(Counter.Stores);
  lg.counters.count(Counter.Walks);
  const spte = findSpte(cpu, cpu.cpuPgd, vaddr);
  if (spte !== NULL && isPresent(lg.entry(spte))) return;
  demandPage(cpu, vaddr, WRITE);
  lg.counters.count(Counter.Walks);
  lg.counters.count(Counter.FaultsFixed);
  lg.counters.count(Counter.Entries);
}

const topOf = (process: number): number => FIRST_TOP + process * (2 + USER_PAGES);

/** Two levels. The kernel's table hangs below every top level. */
function buildTables(lg: Lguest, processes: number): void {
  const set = (table: number, index: number, page: number): void => {
    const at = wordInFrame(lg.map.frame(toGpfn(table)), toGpa(index * 4));
    lg.setEntry(at, makeEntry(page, PAGE_TABLE));
  };
  for (let i = 0; i < KERNEL_PAGES; i++) set(KERNEL_TABLE, i, i);
  for (let process = 0; process < processes; process++) {
    const top = topOf(process);
    set(top, KERNEL >>> 22, KERNEL_TABLE);
    set(top, USER >>> 22, top + 1);
    const first = (USER >>> 12) & 1023;
    for (let i = 0; i < USER_PAGES; i++) set(top + 1, first + i, top + 2 + i);
  }
}

/** `favourites`: each process half as often as the one before it. */
function* stringOf(seed: number, { processes, order, switches }: Switches): Generator<number> {
  const draw = new Draw(order, seed);
  const weights = Array.from({ length: processes }, (_, i) => 2 ** (processes - i));
  for (let i = 0; i < switches; i++) {
    if (order === 'circle') yield i % processes;
    else yield order === 'any' ? draw.below(processes) : draw.weighted(weights);
  }
}
