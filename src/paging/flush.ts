/**
 * (v) Flushing (throwing away) page tables.
 *
 * What is thrown away faults back in when it is next used. Flushing is also how a
 * changed kernel mapping is dealt with: it is in every page table, so all go.
 */

import type { Gpa, Gva, Ptr } from '../../shared/address.ts';
import { frameStart, hex, pageOffset, toGpa, toPfn, toPtr } from '../../shared/address.ts';
import { isPresent, NO_ENTRY, pgdIndex, ptePfn, tablePfn } from '../../shared/entry.ts';
import { lgreadEntry } from '../../shared/guest-memory.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../shared/lguest.ts';
import { gpgdAddr, gpmdAddr, gpteAddr, releasePte } from './entries.ts';
import { pinStackPages } from './pin.ts';
import { allocateSwitcherMapping } from './switcher.ts';

/** H:450 release_pgd: release all that a top-level entry leads to, then the entry. */
export function releasePgd(lg: Lguest, spgd: Ptr): void {
  const entry = lg.entry(spgd);
  if (!isPresent(entry)) return;
  const table = toPfn(tablePfn(entry));
  if (lg.form.pae) {
    for (let i = 0; i < lg.form.ptrsPerPmd; i++) releasePmd(lg, slot(lg, frameStart(table), i));
  } else {
    releasePtePage(lg, frameStart(table));
  }
  // R5: freed before the entry is cleared.
  lg.host.frames.disown(table);
  lg.setEntry(spgd, NO_ENTRY);
}

/** H:450 release_pmd. PAE only. */
function releasePmd(lg: Lguest, spmd: Ptr): void {
  const entry = lg.entry(spmd);
  if (!isPresent(entry)) return;
  const table = toPfn(tablePfn(entry));
  releasePtePage(lg, frameStart(table));
  lg.host.frames.disown(table);
  lg.setEntry(spmd, NO_ENTRY);
}

function releasePtePage(lg: Lguest, ptes: Ptr): void {
  for (let i = 0; i < lg.form.ptrsPerPte; i++) releasePte(lg, lg.entry(slot(lg, ptes, i)));
}

const slot = (lg: Lguest, table: Ptr, i: number): Ptr => toPtr(table + i * lg.form.entryWords);

/** H:445 flush_user_mappings: every top-level entry below the kernel's address. */
export function flushUserMappings(lg: Lguest, idx: number): void {
  const top = lg.pgdirs[idx]!.pgdir;
  // U11: with PAE an entry that user and kernel share stays.
  const end = pgdIndex(lg.form, lg.kernelAddress);
  for (let i = 0; i < end; i++) releasePgd(lg, slot(lg, top, i));
}

/** H:440 guest_pagetable_flush_user: the user part of the current page table. */
export function guestPagetableFlushUser(cpu: LgCpu): void {
  flushUserMappings(cpu.lg, cpu.cpuPgd);
}

/** H:440 guest_pa: walk the guest's tables; a missing level kills the guest. */
export function guestPa(cpu: LgCpu, vaddr: Gva): Gpa {
  if (cpu.linearPages) return toGpa(vaddr);
  let table = lgreadEntry(cpu, gpgdAddr(cpu, vaddr));
  if (!isPresent(table)) {
    killGuest(cpu, `Bad address ${hex(vaddr)}`);
    return toGpa(-1);
  }
  if (cpu.lg.form.pae) {
    table = lgreadEntry(cpu, gpmdAddr(cpu, table, vaddr));
    // U3: kills, and walks on through the level that is not there.
    if (!isPresent(table)) killGuest(cpu, `Bad address ${hex(vaddr)}`);
  }
  const gpte = lgreadEntry(cpu, gpteAddr(cpu, table, vaddr));
  if (!isPresent(gpte)) killGuest(cpu, `Bad address ${hex(vaddr)}`);
  return toGpa(ptePfn(gpte) * 4096 + pageOffset(vaddr));
}

/** H:470 release_all_pagetables: every entry of every shadow of this guest. */
export function releaseAllPagetables(lg: Lguest): void {
  for (const pgdir of lg.pgdirs) {
    if (pgdir.pgdir === 0) continue;
    for (let j = 0; j < lg.form.ptrsPerPgd; j++) releasePgd(lg, slot(lg, pgdir.pgdir, j));
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
  // U8: the stack before the Switcher, whose top-level entry may then be the guest's.
  pinStackPages(cpu);
  if (!allocateSwitcherMapping(cpu)) killGuest(cpu, 'Cannot populate switcher mapping');
}
