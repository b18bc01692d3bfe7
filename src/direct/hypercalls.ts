/**
 * Hypercalls of direct paging: change an entry, pin and unpin a top level, and switch to another
 * (mmu_update and mmuext_op of Xen).
 *
 * LIMIT: such a guest has one vCPU. So no shootdown is needed: leaving the guest empties its TLB.
 */

import { EventKind } from '../../shared/events.ts';
import { Hypercall } from '../../shared/hypercall.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../shared/lguest.ts';
import {
  frameOf,
  frameStart,
  type Gpa,
  type Gpfn,
  type Gva,
  gpfnOf,
  hex,
  NO_FRAME,
  NULL,
  PAGE_SIZE,
  type Ptr,
  pageOffset,
  toGpa,
  toGpfn,
  toPfn,
  wordInFrame,
} from '../hardware/address.ts';
import { Entry, flagsOf, isPresent, PAGE_RW, ptePfn, withoutFlags } from '../hardware/entry.ts';
import { findSpte } from '../paging/entries.ts';
import { releaseAllPagetables } from '../paging/flush.ts';
import { dropEntry, dropTable, entriesOf, takeEntry, takeTable, topLevel } from './tables.ts';
import { forgetUses, isPinned, levelOf, setPinned, typeOf } from './types.ts';

/** Handle a hypercall about page tables; false if it is about something else. */
export function doDirectHcall(
  cpu: LgCpu,
  number: number,
  a: number,
  b: number,
  c: number,
): boolean {
  switch (number) {
    case Hypercall.MmuUpdate:
      mmuUpdate(cpu, toGpa(a), new Entry(b, cpu.lg.form.pae ? c : 0));
      return true;
    case Hypercall.PinTable:
      pin(cpu, toGpfn(a));
      return true;
    case Hypercall.UnpinTable:
      unpin(cpu, toGpfn(a));
      return true;
    case Hypercall.NewPgtable:
      newPgtable(cpu, toGpa(a));
      return true;
    case Hypercall.FlushTlb:
      // Leaving the guest has emptied it.
      return true;
    default:
      return false;
  }
}

/** Change an entry, with the guest's page number in it; its place decides its level. */
function mmuUpdate(cpu: LgCpu, gpa: Gpa, entry: Entry): void {
  const { lg } = cpu;
  const page = gpfnOf(gpa);
  const level = page < lg.pfnLimit ? levelOf(typeOf(lg, page)) : 0;
  if (level < 1 || pageOffset(gpa) % (lg.form.entryWords * 4) !== 0) {
    return killGuest(cpu, `no page table entry at ${hex(gpa)}`);
  }
  const fresh = takeEntry(cpu, level, entry);
  if (fresh === undefined) return;
  const old = lg.exchangeEntry(wordInFrame(lg.map.frame(page), gpa), fresh);
  // Its own top level is a copy.
  if (level > 1) lg.pgdirs[cpu.cpuPgd]!.countVersion();
  dropEntry(lg, level, old);
}

function pin(cpu: LgCpu, page: Gpfn): void {
  const { lg } = cpu;
  if (page >= lg.pfnLimit || isPinned(lg, page)) return killGuest(cpu, `bad page to pin ${page}`);
  if (takeTable(cpu, page, topLevel(lg)) !== NO_FRAME) setPinned(lg, page, true);
}

function unpin(cpu: LgCpu, page: Gpfn): void {
  const { lg } = cpu;
  if (page >= lg.pfnLimit || !isPinned(lg, page)) {
    return killGuest(cpu, `bad page to unpin ${page}`);
  }
  setPinned(lg, page, false);
  dropTable(lg, page, topLevel(lg));
}

/** Switch the vCPU to another top level, which counts as a use. */
function newPgtable(cpu: LgCpu, pgtable: Gpa): void {
  const { lg } = cpu;
  const page = gpfnOf(pgtable);
  if (page >= lg.pfnLimit || pageOffset(pgtable) !== 0) {
    return killGuest(cpu, `bad top level ${hex(pgtable)}`);
  }
  const first = cpu.linearPages;
  if (first) beginDirect(cpu, page);
  const frame = takeTable(cpu, page, topLevel(lg));
  if (frame === NO_FRAME) return;
  const pgdir = lg.pgdirs[cpu.cpuPgd]!;
  if (!first) dropTable(lg, gpfnOf(cpu.cr3), topLevel(lg));
  cpu.cr3 = pgtable;
  pgdir.gpgdir = pgtable;
  pgdir.pgdir = frameStart(frame);
  pgdir.countVersion();
  lg.host.events.record(EventKind.PgdirSwitched, cpu.cpuPgd, pgtable);
}

/**
 * Until here the guest ran on a linear shadow, and its tables were ordinary pages, mapped writable.
 * The host removes that right, which Xen's domain builder does not give in the first place.
 */
function beginDirect(cpu: LgCpu, top: Gpfn): void {
  const { lg } = cpu;
  cpu.linearPages = false;
  releaseAllPagetables(lg);
  const pgdir = lg.pgdirs[cpu.cpuPgd]!;
  lg.host.frames.disown(frameOf(pgdir.pgdir));
  pgdir.pgdir = NULL;
  const tables = new Set<number>([top]);
  const last: Gpfn[] = [];
  const gather = (page: Gpfn, level: number): void => {
    if (level === 1) {
      last.push(page);
      return;
    }
    for (const { low } of guestEntriesIn(lg, page, level).values()) {
      const below = toGpfn(low >>> 12);
      if (below >= lg.pfnLimit || tables.has(below)) continue;
      tables.add(below);
      gather(below, level - 1);
    }
  };
  gather(top, topLevel(lg));
  for (const page of last) {
    for (const [at, entry] of guestEntriesIn(lg, page, 1)) {
      if (tables.has(ptePfn(entry))) lg.setEntry(at, withoutFlags(entry, PAGE_RW));
    }
  }
}

/** Before a page becomes a table: validate its content. */
const guestEntriesIn = (lg: Lguest, page: Gpfn, level: number): Map<Ptr, Entry> =>
  new Map(Array.from(entriesOf(lg, lg.map.frame(page), level), (at) => [at, lg.entry(at)]));

/**
 * Where in guest memory the host pushes a frame: `guest_pa` of a stack that the guest itself could
 * write; any other stack kills it.
 */
export function directPa(cpu: LgCpu, va: Gva): Gpa | undefined {
  const { lg } = cpu;
  if (cpu.linearPages) return toGpa(va);
  const at = va < lg.host.switcherAddr ? findSpte(cpu, cpu.cpuPgd, va) : NULL;
  const entry = at === NULL ? undefined : lg.entry(at);
  if (entry === undefined || !isPresent(entry) || !(flagsOf(entry) & PAGE_RW)) {
    killGuest(cpu, `bad stack ${hex(va)}`);
    return undefined;
  }
  return toGpa(lg.host.frames.guestPage(toPfn(ptePfn(entry))) * PAGE_SIZE + pageOffset(va));
}

/** When the guest is taken down: release what its tables hold. */
export function freeDirectTables(lg: Lguest): void {
  const cpu = lg.cpus[0]!;
  if (cpu.linearPages) return;
  const { frames } = lg.host;
  for (let page = toGpfn(0); page < lg.pfnLimit; page = toGpfn(page + 1)) {
    const level = levelOf(typeOf(lg, page));
    forgetUses(lg, page);
    if (level < 1) continue;
    const frame = lg.map.frame(page);
    if (level === 1) {
      for (const at of entriesOf(lg, frame, 1)) frames.put(toPfn(ptePfn(lg.entry(at))));
    }
    frames.put(frame);
  }
  lg.pgdirs[0]!.pgdir = NULL;
}
