/**
 * The page table code, before its seven parts (parts.ts): where entries are, how to find
 * the shadow's and how to release one. References are to lines of lguest's file.
 *
 * The code is lguest's page_tables.c of 2013, as written or repaired: where the two differ, a guest
 * has steps of the one or the other (shared/steps.ts). The locks for several vCPUs are in
 * shared/discipline.ts. The same functions serve both paging forms: `lg.form` says how many
 * levels there are.
 */

import * as events from '../../shared/events.ts';
import * as frames from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../shared/lguest.ts';
import * as errors from '../errors.ts';
import type { Gpa, Gva, Pfn, Ptr } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import type { Entry } from '../hardware/entry.ts';
import * as entries from '../hardware/entry.ts';

const { frameStart, NO_FRAME, NULL, PAGE_SHIFT, toGpa, toPfn, toPtr } = address;
const { bugOn, HostOops } = errors;
const { PageTable } = frames.FrameKind;
const { SpteSet } = events.EventKind;
const { isPresent, makeEntry, PAGE_NX_HIGH, pgdIndex, pmdIndex, pteIndex, ptePfn, tablePfn } =
  entries;

/** page_tables.c:83 spgd_addr: the top-level entry for an address in the i'th shadow. */
export function spgdAddr(cpu: LgCpu, i: number, vaddr: Gva): Ptr {
  const { form, pgdirs } = cpu.lg;
  const { pgdir } = pgdirs[i]!;
  if (pgdir === NULL) noTop();
  return toPtr(pgdir + pgdIndex(form, vaddr) * form.entryWords);
}

/** page_tables.c:97 spmd_addr: from a present top-level entry to the middle-level one. PAE only. */
export function spmdAddr(cpu: LgCpu, spgd: Entry, vaddr: Gva): Ptr {
  const { form } = cpu.lg;
  bugOn(!isPresent(spgd), 'spmd_addr');
  return entryIn(cpu.lg, spgd, pmdIndex(form, vaddr));
}

/** page_tables.c:115 spte_addr: from a present top-level entry down to the last level. */
export function spteAddr(cpu: LgCpu, spgd: Entry, vaddr: Gva): Ptr {
  const { lg } = cpu;
  const table = lg.form.pae ? lg.entry(spmdAddr(cpu, spgd, vaddr)) : spgd;
  bugOn(!isPresent(table), 'spte_addr');
  return entryIn(lg, table, pteIndex(lg.form, vaddr));
}

/** Entry `i` of the table that a shadow entry leads to. */
export const entryIn = (lg: Lguest, entry: Entry, i: number): Ptr =>
  toPtr(frameStart(tableOf(lg, entry)) + i * lg.form.entryWords);

/** The table that a shadow entry leads to. The host dies if it is not a frame. */
export function tableOf(lg: Lguest, entry: Entry): Pfn {
  const pfn = tablePfn(entry);
  if (!lg.host.frames.exists(pfn)) noTable(pfn);
  return toPfn(pfn);
}

function noTop(): never {
  throw new HostOops('null dereference', 'spgd_addr');
}

function noTable(pfn: number): never {
  throw new HostOops('machine check', `table frame ${pfn}`);
}

/**
 * page_tables.c:136 gpgd_addr: the same in the guest's own tables, so the result is a guest
 * address.
 */
export function gpgdAddr(cpu: LgCpu, i: number, vaddr: Gva): Gpa {
  const { form, pgdirs } = cpu.lg;
  return toGpa(pgdirs[i]!.gpgdir + ((pgdIndex(form, vaddr) * form.entryWords) << 2));
}

/** page_tables.c:144 gpmd_addr. PAE only. */
export function gpmdAddr(cpu: LgCpu, gpgd: Entry, vaddr: Gva): Gpa {
  const { form } = cpu.lg;
  bugOn(!isPresent(gpgd), 'gpmd_addr');
  return toGpa((tablePfn(gpgd) << PAGE_SHIFT) + ((pmdIndex(form, vaddr) * form.entryWords) << 2));
}

/** page_tables.c:152 gpte_addr: from the level above it, the middle one with PAE. */
export function gpteAddr(cpu: LgCpu, table: Entry, vaddr: Gva): Gpa {
  const { form } = cpu.lg;
  bugOn(!isPresent(table), 'gpte_addr');
  return toGpa((tablePfn(table) << PAGE_SHIFT) + ((pteIndex(form, vaddr) * form.entryWords) << 2));
}

/**
 * page_tables.c:293 find_spte: walk the i'th shadow to the last-level entry of an address. With
 * flags, the guest's own for each level above, a missing level is allocated; when there is no
 * memory the guest dies. NULL where there is no such entry.
 */
export function findSpte(cpu: LgCpu, i: number, vaddr: Gva, pgdFlags = 0, pmdFlags = 0): Ptr {
  return findBelow(cpu, i, spgdAddr(cpu, i, vaddr), vaddr, pgdFlags, pmdFlags);
}

/** The same by the vCPU's own copy of the upper levels; nothing is allocated. */
export function findInRoot(cpu: LgCpu, vaddr: Gva): Ptr {
  const { root, cpuPgd } = cpu;
  const { form } = cpu.lg;
  const spgd = toPtr(frameStart(root) + pgdIndex(form, vaddr) * form.entryWords);
  return findBelow(cpu, cpuPgd, spgd, vaddr, 0, 0);
}

function findBelow(
  cpu: LgCpu,
  i: number,
  spgd: Ptr,
  vaddr: Gva,
  pgdFlags: number,
  pmdFlags: number,
): Ptr {
  const { lg } = cpu;
  const { form } = lg;
  let table = tableBelow(cpu, i, spgd, pgdFlags, 'pte');
  if (form.pae && table !== NULL) {
    const spmd = toPtr(table + pmdIndex(form, vaddr) * form.entryWords);
    table = tableBelow(cpu, i, spmd, pmdFlags, 'pmd');
  }
  return table === NULL ? NULL : toPtr(table + pteIndex(form, vaddr) * form.entryWords);
}

/**
 * The table of the upper entry at a place; allocated if it is missing and there are flags.
 */
function tableBelow(cpu: LgCpu, pgdir: number, at: Ptr, flags: number, what: string): Ptr {
  const { lg } = cpu;
  for (;;) {
    const found = lg.entry(at);
    if (isPresent(found)) return frameStart(tableOf(lg, found));
    const table = flags === 0 ? NO_FRAME : newTable(cpu, what);
    if (table === NO_FRAME) return NULL;
    if (lg.steps.linkTable(lg, at, found, makeEntry(table, flags))) {
      lg.pgdirs[pgdir]!.countVersion();
      return frameStart(table);
    }
    // Another vCPU has filled it in meanwhile.
    lg.host.frames.disown(table);
  }
}

function newTable(cpu: LgCpu, what: string): Pfn {
  const { lg } = cpu;
  const table = lg.host.frames.getZeroedPage(PageTable, lg.index);
  if (table === NO_FRAME) killGuest(cpu, `out of memory allocating ${what} page`);
  return table;
}

/** Trace event: an entry maps a guest's page from now on, as KVM's mmu_set_spte. */
export function traceSpte(lg: Lguest, at: Ptr, gpte: Entry, spte: Entry): void {
  if (lg.host.events.tap !== undefined) tellSpte(lg.host, at, gpte, spte);
}

function tellSpte(host: Host, at: Ptr, gpte: Entry, spte: Entry): void {
  if (!isPresent(spte)) return;
  const place = at * 4 + (spte.high & PAGE_NX_HIGH ? 1 : 0);
  host.events.trace(SpteSet, ptePfn(gpte), spte.low, place);
}

/** page_tables.c:242 release_pte: put the reference that get_pfn took. */
export function releasePte(lg: Lguest, pte: Entry): void {
  if (isPresent(pte)) putPage(lg, pte);
}

function putPage(lg: Lguest, pte: Entry): void {
  lg.host.frames.put(toPfn(ptePfn(pte)));
}
