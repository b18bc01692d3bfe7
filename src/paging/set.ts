/**
 * (iii) Setting up a page table entry when the guest tells us one has changed.
 *
 * The guest writes its own tables and then says so. Since demandPage fills in whatever
 * is missing, the answer can always be to throw the shadow's entry away.
 */

import type { Gpa, Gva } from '../../shared/address.ts';
import { toPtr } from '../../shared/address.ts';
import type { Entry } from '../../shared/entry.ts';
import { flagsOf, isPresent, NO_ENTRY, PAGE_ACCESSED, PAGE_DIRTY } from '../../shared/entry.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../shared/lguest.ts';
import { releasePte, spgdAddr, spmdAddr, spteAddr } from './entries.ts';
import { checkGpte, gpteToSpte } from './fault.ts';
import { guestPagetableClearAll, releasePgd } from './flush.ts';
import { findPgdir } from './switch.ts';
import { allocateSwitcherMapping } from './switcher.ts';

/**
 * H:410 guest_set_pte: a last-level entry has changed. Kernel mappings are in every
 * shadow and are changed in all of them, which is what lets a new pgdir keep them.
 */
export function guestSetPte(cpu: LgCpu, gpgdir: Gpa, vaddr: Gva, gpte: Entry): void {
  const { lg } = cpu;
  if (vaddr >= lg.host.switcherAddr) {
    killGuest(cpu, 'attempt to set pte into Switcher pages');
    return;
  }
  if (vaddr >= lg.kernelAddress) {
    for (const [i, pgdir] of lg.pgdirs.entries()) {
      if (pgdir.pgdir !== 0) doSetPte(cpu, i, vaddr, gpte);
    }
  } else {
    const pgdir = findPgdir(lg, gpgdir);
    if (pgdir < lg.pgdirs.length) doSetPte(cpu, pgdir, vaddr, gpte);
  }
}

/**
 * H:420 do_set_pte: the entry of one shadow. A guest that sets ACCESSED or DIRTY
 * itself gets the new entry at once; otherwise it faults in later.
 */
function doSetPte(cpu: LgCpu, idx: number, vaddr: Gva, gpte: Entry): void {
  const { lg } = cpu;
  const spgd = lg.entry(spgdAddr(cpu, idx, vaddr));
  if (!isPresent(spgd)) return;
  if (lg.form.pae && !isPresent(lg.entry(spmdAddr(cpu, spgd, vaddr)))) return;
  const spte = spteAddr(cpu, spgd, vaddr);
  releasePte(lg, lg.entry(spte));

  // U6: whether the guest's entry is present does not matter here.
  if (flagsOf(gpte) & (PAGE_DIRTY | PAGE_ACCESSED)) {
    // U5: on failure the released entry stays in place.
    if (!checkGpte(cpu, gpte)) return;
    // U4: with ACCESSED alone the entry keeps RW, over a page taken for reading.
    lg.setEntry(spte, gpteToSpte(cpu, gpte, (flagsOf(gpte) & PAGE_DIRTY) !== 0));
  } else {
    lg.setEntry(spte, NO_ENTRY);
  }
}

/**
 * H:400 guest_set_pgd: a top-level entry has changed: what hangs below it is thrown
 * away. An index past the end kills the guest, but see U1.
 */
export function guestSetPgd(lg: Lguest, gpgdir: Gpa, idx: number): void {
  // R8: whichever vCPU called, the first one is meant.
  const cpu = lg.cpus[0]!;
  // U1: the index just past the end is let through.
  if (idx > lg.form.ptrsPerPgd) {
    killGuest(cpu, `Attempt to set pgd ${idx}/${lg.form.ptrsPerPgd}`);
    return;
  }
  const index = findPgdir(lg, gpgdir);
  if (index === lg.pgdirs.length) return;
  const pgdir = lg.pgdirs[index]!;
  releasePgd(lg, toPtr(pgdir.pgdir + idx * lg.form.entryWords));
  // U2: that may have been the Switcher's; the repair goes to the current pgdir.
  if (!allocateSwitcherMapping(cpu)) killGuest(cpu, 'Cannot populate switcher mapping');
  pgdir.lastHostCpu = -1;
}

/** H:400 guest_set_pmd: a middle-level entry has changed: throw everything away. PAE only. */
export function guestSetPmd(lg: Lguest): void {
  guestPagetableClearAll(lg.cpus[0]!);
}
