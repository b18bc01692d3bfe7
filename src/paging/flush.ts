/**
 * (v) Flushing (throwing away) page tables.
 *
 * What is thrown away faults back in when it is next used. Flushing is also how a
 * changed kernel mapping is dealt with: it is in every page table, so all go.
 */

import type { Gpa, Gva, Ptr } from '../../shared/address.ts';
import { hex, NULL, pageOffset, toGpa, toPtr } from '../../shared/address.ts';
import { shootDown } from '../../shared/discipline.ts';
import type { Entry } from '../../shared/entry.ts';
import { isPresent, NO_ENTRY, pgdIndex, pmdIndex, pteIndex, ptePfn } from '../../shared/entry.ts';
import { lgreadEntry } from '../../shared/guest-memory.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../shared/lguest.ts';
import { entryIn, gpgdAddr, gpmdAddr, gpteAddr, releasePte, tableOf } from './entries.ts';
import { pinStackPages } from './pin.ts';
import { allocateSwitcherMapping } from './switcher.ts';

/** H:450 release_pgd: release all that a top-level entry leads to, then the entry. */
export function releasePgd(lg: Lguest, spgd: Ptr): void {
  const entry = lg.entry(spgd);
  if (!isPresent(entry)) return;
  shootDown(lg);
  if (lg.form.pae) releasePmds(lg, entry, 0, lg.form.ptrsPerPmd);
  else releasePtes(lg, entry, lg.form.ptrsPerPte);
  // R5: freed before the entry is cleared.
  lg.host.frames.disown(tableOf(lg, entry));
  lg.setEntry(spgd, NO_ENTRY);
}

/** H:450 release_pmd. PAE only. */
function releasePmd(lg: Lguest, spmd: Ptr): void {
  const entry = lg.entry(spmd);
  if (!isPresent(entry)) return;
  releasePtes(lg, entry, lg.form.ptrsPerPte);
  lg.host.frames.disown(tableOf(lg, entry));
  lg.setEntry(spmd, NO_ENTRY);
}

function releasePmds(lg: Lguest, spgd: Entry, from: number, to: number): void {
  for (let i = from; i < to; i++) releasePmd(lg, entryIn(lg, spgd, i));
}

/** The first `count` entries of a last-level table. They are left as they are. */
function releasePtes(lg: Lguest, table: Entry, count: number): void {
  for (let i = 0; i < count; i++) releasePte(lg, lg.entry(entryIn(lg, table, i)));
}

/** H:445 flush_user_mappings: everything below the kernel's address. */
export function flushUserMappings(lg: Lguest, idx: number): void {
  const { form, kernelAddress } = lg;
  const top = lg.pgdirs[idx]!.pgdir;
  const end = pgdIndex(form, kernelAddress);
  for (let i = 0; i < end; i++) releasePgd(lg, topEntry(lg, top, i));
  if (!lg.defects.U11) flushBelow(lg, topEntry(lg, top, end), kernelAddress);
}

const topEntry = (lg: Lguest, top: Ptr, i: number): Ptr => toPtr(top + i * lg.form.entryWords);

/** The user part of the top-level entry that user and kernel share. */
function flushBelow(lg: Lguest, spgd: Ptr, kernelAddress: Gva): void {
  const { form } = lg;
  let table = lg.entry(spgd);
  if (!isPresent(table)) return;
  shootDown(lg);
  if (form.pae) {
    releasePmds(lg, table, 0, pmdIndex(form, kernelAddress));
    table = lg.entry(entryIn(lg, table, pmdIndex(form, kernelAddress)));
    if (!isPresent(table)) return;
  }
  const count = pteIndex(form, kernelAddress);
  releasePtes(lg, table, count);
  for (let i = 0; i < count; i++) lg.setEntry(entryIn(lg, table, i), NO_ENTRY);
}

/** H:440 guest_pagetable_flush_user: the user part of the current page table. */
export function guestPagetableFlushUser(cpu: LgCpu): void {
  flushUserMappings(cpu.lg, cpu.cpuPgd);
}

/** What guest_pa answers when it cannot: −1UL. */
const NO_ADDRESS = toGpa(-1);

/** H:440 guest_pa: walk the guest's tables; a missing level kills the guest. */
export function guestPa(cpu: LgCpu, vaddr: Gva): Gpa {
  const { lg } = cpu;
  if (cpu.linearPages) return toGpa(vaddr);
  const missing = (entry: Entry): boolean => {
    if (isPresent(entry)) return false;
    killGuest(cpu, `Bad address ${hex(vaddr)}`);
    return true;
  };
  let table = lgreadEntry(cpu, gpgdAddr(cpu, vaddr));
  if (missing(table)) return NO_ADDRESS;
  if (lg.form.pae) {
    table = lgreadEntry(cpu, gpmdAddr(cpu, table, vaddr));
    if (missing(table) && !lg.defects.U3) return NO_ADDRESS;
  }
  const gpte = lgreadEntry(cpu, gpteAddr(cpu, table, vaddr));
  if (missing(gpte) && !lg.defects.U3) return NO_ADDRESS;
  return toGpa(ptePfn(gpte) * 4096 + pageOffset(vaddr));
}

/** H:470 release_all_pagetables: every entry of every shadow of this guest. */
export function releaseAllPagetables(lg: Lguest): void {
  for (const pgdir of lg.pgdirs) {
    if (pgdir.pgdir === NULL) continue;
    for (let j = 0; j < lg.form.ptrsPerPgd; j++) releasePgd(lg, topEntry(lg, pgdir.pgdir, j));
    pgdir.switcherMapped = false;
    pgdir.lastHostCpu = -1;
  }
}

/**
 * H:470 guest_pagetable_clear_all: throw everything away, then map again what the
 * caller cannot do without.
 */
export function guestPagetableClearAll(cpu: LgCpu): void {
  // R7: the Switcher of every pgdir goes, and the caller's alone comes back.
  releaseAllPagetables(cpu.lg);
  mapNecessities(cpu, true);
}

/**
 * What must be mapped in the current pgdir before the guest can run on it: the Switcher,
 * and the kernel's stack if `stack`.
 */
export function mapNecessities(cpu: LgCpu, stack: boolean): void {
  const { lg } = cpu;
  // U8: the stack first, whose upper levels, shared with the Switcher, get the guest's flags.
  if (stack && lg.defects.U8) pinStackPages(cpu);
  if (!lg.pgdirs[cpu.cpuPgd]!.switcherMapped && !allocateSwitcherMapping(cpu)) {
    killGuest(cpu, 'Cannot populate switcher mapping');
  }
  if (stack && !lg.defects.U8) pinStackPages(cpu);
}
