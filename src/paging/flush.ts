/**
 * (v) Flushing (throwing away) page tables.
 *
 * What is thrown away faults back in when it is next used. Flushing is also how a
 * changed kernel mapping is dealt with: it is in every page table, so all go.
 */

import * as discipline from '../../shared/discipline.ts';
import { lgreadEntry } from '../../shared/guest-memory.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import * as lgCpu from '../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../shared/lguest.ts';
import type { Gpa, Gva, Ptr } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import type { Entry } from '../hardware/entry.ts';
import * as entry from '../hardware/entry.ts';
import * as entries from './entries.ts';
import { allocateSwitcherMapping } from './switcher.ts';

const { letGo, lockPgdir, mustHoldPgdir } = discipline;
const { entryIn, gpgdAddr, gpmdAddr, gpteAddr, releasePte, tableOf } = entries;
const { hex, NULL, pageOffset, toGpa, toPtr } = address;
const { isPresent, NO_ENTRY, pgdIndex, ptePfn } = entry;
const { NO_PGDIR } = lgCpu;

/**
 * page_tables.c:578 release_pgd, for top-level entries `from` … `to` − 1 of a shadow: remove them
 * and free what they lead to.
 */
export function releasePgds(lg: Lguest, pgdir: number, from: number, to: number): void {
  mustHoldPgdir(lg, pgdir, 'release_pgd');
  lg.pgdirs[pgdir]!.countChange();
  lg.steps.releasePgds(lg, pgdir, from, to);
}

export const topEntry = (lg: Lguest, pgdir: number, i: number): Ptr =>
  toPtr(lg.pgdirs[pgdir]!.pgdir + i * lg.form.entryWords);

/** The table that a top-level entry led to, and all below it. */
export function releaseTable(lg: Lguest, spgd: Entry): void {
  if (lg.form.pae) releasePmds(lg, spgd, 0, lg.form.ptrsPerPmd);
  else releasePtes(lg, spgd, lg.form.ptrsPerPte);
  lg.host.frames.disown(tableOf(lg, spgd));
}

/** page_tables.c:562 release_pmd, for the first entries of a middle level. PAE only. */
function releasePmds(lg: Lguest, spgd: Entry, from: number, to: number): void {
  for (const spmd of lg.presentEntries(entryIn(lg, spgd, 0), from, to)) {
    const table = lg.entry(spmd);
    releaseLastLevel(lg, table);
    lg.setEntry(spmd, NO_ENTRY);
  }
}

/** A last-level table, by the entry that led to it, and the pages in it. */
export function releaseLastLevel(lg: Lguest, table: Entry): void {
  releasePtes(lg, table, lg.form.ptrsPerPte);
  lg.host.frames.disown(tableOf(lg, table));
}

/**
 * Release the first `count` entries of a last-level table, without clearing them. No generator is
 * used, which would cost as much as the rest: a flush runs this for each page.
 */
function releasePtes(lg: Lguest, spmd: Entry, count: number): void {
  const { entryWords } = lg.form;
  const table = entryIn(lg, spmd, 0);
  let i = lg.nextPresent(table, 0, count);
  for (; i < count; i = lg.nextPresent(table, i + 1, count)) {
    releasePte(lg, lg.entry(toPtr(table + i * entryWords)));
  }
}

/** page_tables.c:628 flush_user_mappings: everything below the kernel's address. */
export function flushUserMappings(lg: Lguest, idx: number): void {
  const taken = lockPgdir(lg, idx);
  const end = pgdIndex(lg.form, lg.kernelAddress);
  releasePgds(lg, idx, 0, end);
  lg.steps.flushShared(lg, idx, end);
  letGo(lg, taken);
}

/** page_tables.c:642 guest_pagetable_flush_user: the user part of the current page table. */
export function guestPagetableFlushUser(cpu: LgCpu): void {
  if (cpu.cpuPgd !== NO_PGDIR) flushUserMappings(cpu.lg, cpu.cpuPgd);
}

/** What guest_pa answers when it cannot: −1UL. */
const NO_ADDRESS = toGpa(-1);

/** page_tables.c:650 guest_pa: walk the guest's tables; a missing level kills the guest. */
export function guestPa(cpu: LgCpu, vaddr: Gva): Gpa {
  const { lg } = cpu;
  if (cpu.linearPages) return toGpa(vaddr);
  const missing = (found: Entry): boolean => {
    if (isPresent(found)) return false;
    killGuest(cpu, `Bad address ${hex(vaddr)}`);
    return true;
  };
  let table = lgreadEntry(cpu, gpgdAddr(cpu, cpu.cpuPgd, vaddr));
  if (missing(table)) return NO_ADDRESS;
  if (lg.form.pae) {
    table = lgreadEntry(cpu, gpmdAddr(cpu, table, vaddr));
    if (missing(table) && lg.steps.stopsAtHoles()) return NO_ADDRESS;
  }
  const gpte = lgreadEntry(cpu, gpteAddr(cpu, table, vaddr));
  if (missing(gpte) && lg.steps.stopsAtHoles()) return NO_ADDRESS;
  return toGpa(ptePfn(gpte) * 4096 + pageOffset(vaddr));
}

/** page_tables.c:783 release_all_pagetables: every entry of every shadow of this guest. */
export function releaseAllPagetables(lg: Lguest): void {
  for (const i of lg.pgdirs.keys()) flushAllMappings(lg, i);
}

/** Everything that one shadow maps. */
export function flushAllMappings(lg: Lguest, i: number): void {
  const taken = lockPgdir(lg, i);
  releasePagetable(lg, i);
  letGo(lg, taken);
}

function releasePagetable(lg: Lguest, i: number): void {
  mustHoldPgdir(lg, i, 'release_all_pagetables');
  const pgdir = lg.pgdirs[i]!;
  if (pgdir.pgdir === NULL) return;
  releasePgds(lg, i, 0, lg.form.ptrsPerPgd);
  pgdir.switcherMapped = false;
  pgdir.lastHostCpu = -1;
}

/**
 * page_tables.c:806 guest_pagetable_clear_all: throw everything away, then map again what the
 * caller needs.
 */
export function guestPagetableClearAll(cpu: LgCpu): void {
  const { lg } = cpu;
  for (const i of lg.pgdirs.keys()) {
    const taken = lockPgdir(lg, i);
    releasePagetable(lg, i);
    // The Switcher of every pgdir is gone, not only that of the caller's.
    lg.steps.mapCleared(cpu, i);
    letGo(lg, taken);
  }
  mapNecessities(cpu, true);
}

/**
 * What must be mapped in the current pgdir before the guest can run on it: the Switcher,
 * and the kernel's stack if `stack`.
 */
export function mapNecessities(cpu: LgCpu, stack: boolean): void {
  if (cpu.cpuPgd !== NO_PGDIR) cpu.lg.steps.mapWayIn(cpu, stack);
}

/** Unless it is mapped in that shadow, or each vCPU has it for itself. */
export function mapSwitcher(cpu: LgCpu, i: number): void {
  const { lg } = cpu;
  if (!lg.sharesSwitcher) return;
  const taken = lockPgdir(lg, i);
  const { pgdir, switcherMapped } = lg.pgdirs[i]!;
  if (pgdir !== NULL && !switcherMapped && !allocateSwitcherMapping(cpu, i)) {
    killGuest(cpu, 'Cannot populate switcher mapping');
  }
  letGo(lg, taken);
}
