/**
 * (iii) Setting up a page table entry when the guest tells us one has changed.
 *
 * The guest writes its own tables and then says so. Since demandPage fills in whatever
 * is missing, the answer can always be to throw the shadow's entry away.
 */

import type { Gpa, Gva, Ptr } from '../../shared/address.ts';
import * as address from '../../shared/address.ts';
import * as discipline from '../../shared/discipline.ts';
import type { Entry } from '../../shared/entry.ts';
import * as entry from '../../shared/entry.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../shared/lguest.ts';
import { guestMappingsChanged } from './compare.ts';
import * as entries from './entries.ts';
import { mapNecessities, mapSwitcher, releasePgds } from './flush.ts';
import { checkGpte, gpteToSpte } from './gpte.ts';
import { isOfStack, isWritable, keepsStacks, pinnedSpte } from './stack.ts';
import * as switching from './switch.ts';
import { allocateSwitcherMapping } from './switcher.ts';

const { letGo, lockPgdir, mustHoldPgdir, quiesce } = discipline;
const { findSpte, releasePte, traceSpte } = entries;
const { findPgdir } = switching;
const { NULL, PAGE_SIZE, toGva } = address;
const { flagsOf, isPresent, NO_ENTRY, pgdIndex, withoutFlags } = entry;
const { PAGE_ACCESSED, PAGE_DIRTY, PAGE_RW } = entry;

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
    // One that gets its page only now is filled from the guest's tables as they are now.
    for (let i = 0; i < lg.pgdirs.length; i++) {
      if (lg.pgdirs[i]!.pgdir !== NULL) doSetPte(cpu, i, cpu.cr3, vaddr, gpte);
    }
    return;
  }
  const pgdir = findPgdir(lg, gpgdir);
  if (pgdir === lg.pgdirs.length) return;
  const taken = lockPgdir(lg, pgdir);
  // R17: it may have been given to another top level since it was found. Who gives it away says
  // so first and empties it then, by the same lock, so what is set before does not stay.
  const isStillIts = lg.defects.R17 || lg.pgdirs[pgdir]!.gpgdir === gpgdir;
  if (isStillIts) doSetPte(cpu, pgdir, gpgdir, vaddr, gpte);
  letGo(lg, taken);
}

/**
 * H:420 do_set_pte: the entry of one shadow. A guest that sets ACCESSED or DIRTY
 * itself gets the new entry at once; otherwise it faults in later. `gpgdir`: a top level that has it.
 */
function doSetPte(cpu: LgCpu, idx: number, gpgdir: Gpa, vaddr: Gva, gpte: Entry): void {
  const { lg } = cpu;
  const taken = lockPgdir(lg, idx);
  lg.pgdirs[idx]!.countChange();
  const spte = findSpte(cpu, idx, vaddr);
  const old = spte === NULL ? NO_ENTRY : changeSpte(cpu, spte, gpgdir, vaddr, gpte);
  // Also where there is no entry yet: a fault may be about to make one from the old.
  quiesce(lg, idx);
  releasePte(lg, old);
  letGo(lg, taken);
}

/** Returns what is to be released when nobody can reach it any more. */
function changeSpte(cpu: LgCpu, spte: Ptr, gpgdir: Gpa, vaddr: Gva, gpte: Entry): Entry {
  const { lg } = cpu;
  const old = lg.entry(spte);
  // R3: the page is given back while it is mapped.
  if (lg.defects.R3) releasePte(lg, old);
  let fresh = NO_ENTRY;
  if (mustBeSetNow(cpu, vaddr, gpte)) {
    fresh = pinnedSpte(cpu, gpgdir, vaddr);
  } else if (canBeSetNow(lg, gpte)) {
    if (checkGpte(cpu, gpte)) fresh = spteFor(cpu, gpte);
    // U5: the released entry must not stay.
    else if (lg.defects.U5) return lg.defects.R3 ? NO_ENTRY : old;
  }
  traceSpte(lg, spte, gpte, fresh);
  if (!lg.defects.R3) return lg.exchangeEntry(spte, fresh);
  lg.setEntry(spte, fresh);
  return NO_ENTRY;
}

/** Whether it is of a stack that may be in use, and would go until it is faulted in. */
function mustBeSetNow(cpu: LgCpu, vaddr: Gva, gpte: Entry): boolean {
  if (!keepsStacks(cpu) || !isWritable(gpte)) return false;
  const complete = PAGE_ACCESSED | PAGE_DIRTY;
  const isSet = (flagsOf(gpte) & complete) === complete && !cpu.lg.policy.mapsOnFault;
  return !isSet && isOfStack(cpu.lg, vaddr);
}

/** Whether the guest has set already what the processor would set on the first access. */
function canBeSetNow(lg: Lguest, gpte: Entry): boolean {
  if (lg.policy.mapsOnFault) return false;
  // U6: an entry that is not present says nothing by its other bits.
  if (!isPresent(gpte) && !lg.defects.U6) return false;
  // U4: DIRTY alone does not do: ACCESSED would be set in the shadow only.
  const enough = lg.defects.U4 ? PAGE_ACCESSED | PAGE_DIRTY : PAGE_ACCESSED;
  return (flagsOf(gpte) & enough) !== 0;
}

function spteFor(cpu: LgCpu, gpte: Entry): Entry {
  const { defects } = cpu.lg;
  const dirty = (flagsOf(gpte) & PAGE_DIRTY) !== 0;
  const writable = (flagsOf(gpte) & PAGE_RW) !== 0;
  // U4: a clean page is to fault on the first write, so that DIRTY can be set.
  const shown = dirty || defects.U4 ? gpte : withoutFlags(gpte, PAGE_RW);
  // U12: what cannot be written need not be taken for writing.
  return gpteToSpte(cpu, shown, dirty && (writable || defects.U12));
}

/**
 * H:400 guest_set_pgd: a top-level entry has changed: what hangs below it is thrown
 * away. An index past the end kills the guest, but see U1.
 */
export function guestSetPgd(caller: LgCpu, gpgdir: Gpa, idx: number): void {
  const { lg } = caller;
  const cpu = meant(caller);
  const { ptrsPerPgd } = lg.form;
  // U1: the index just past the end is let through.
  if (lg.defects.U1 ? idx > ptrsPerPgd : idx >= ptrsPerPgd) {
    killGuest(cpu, `Attempt to set pgd ${idx}/${ptrsPerPgd}`);
    return;
  }
  const index = findPgdir(lg, gpgdir);
  if (index === lg.pgdirs.length) return;
  const taken = lockPgdir(lg, index);
  // R17, as above.
  if (lg.defects.R17 || lg.pgdirs[index]!.gpgdir === gpgdir) changePgd(cpu, index, idx);
  letGo(lg, taken);
}

/** What was below entry `idx` of a shadow goes, and what the caller cannot do without comes back. */
function changePgd(cpu: LgCpu, index: number, idx: number): void {
  const { lg } = cpu;
  mustHoldPgdir(lg, index, 'guest_set_pgd');
  const pgdir = lg.pgdirs[index]!;
  releasePgds(lg, index, idx, idx + 1);
  if (lg.defects.U2) {
    // U2: that may have been the Switcher's; the repair goes to the current pgdir.
    if (!allocateSwitcherMapping(cpu, cpu.cpuPgd)) {
      killGuest(cpu, 'Cannot populate switcher mapping');
    }
  } else {
    if (holdsSwitcher(lg, idx)) pgdir.switcherMapped = false;
    mapSwitcher(cpu, index);
    // Another pgdir gets its stack when it becomes the current one.
    if (index === cpu.cpuPgd) mapNecessities(cpu, true);
  }
  pgdir.lastHostCpu = -1;
}

/** Whether any of the Switcher's pages hangs below a top-level entry. */
function holdsSwitcher(lg: Lguest, idx: number): boolean {
  const { switcherAddr, switcherPages } = lg.host;
  const last = toGva(switcherAddr + (switcherPages.length - 1) * PAGE_SIZE);
  return idx >= pgdIndex(lg.form, switcherAddr) && idx <= pgdIndex(lg.form, last);
}

/** H:400 guest_set_pmd: a middle-level entry has changed: throw everything away. PAE only. */
export function guestSetPmd(caller: LgCpu): void {
  guestMappingsChanged(meant(caller));
}

/** R8: as written, whichever vCPU called, the first one is meant. */
const meant = (caller: LgCpu): LgCpu => (caller.lg.defects.R8 ? caller.lg.cpus[0]! : caller);
