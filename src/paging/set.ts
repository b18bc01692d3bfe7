/**
 * (iii) Setting up a page table entry when the guest tells us one has changed.
 *
 * The guest writes its own tables and then says so. Since demandPage fills in whatever
 * is missing, the answer can always be to throw the shadow's entry away.
 */

import * as discipline from '../../shared/discipline.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import type { Lguest } from '../../shared/lguest.ts';
import * as lguest from '../../shared/lguest.ts';
import type { Gpa, Gva, Ptr } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import type { Entry } from '../hardware/entry.ts';
import * as entry from '../hardware/entry.ts';
import * as entries from './entries.ts';
import { releasePgds } from './flush.ts';
import * as gptes from './gpte.ts';
import { guestMappingsChanged } from './policies/compare.ts';
import * as policies from './policies/declared.ts';
import * as stack from './stack.ts';
import * as switching from './switch.ts';

const { letGo, lockPgdir, mustHoldPgdir, quiesce } = discipline;
const { findSpte, releasePte, traceSpte } = entries;
const { checkGpte, gpteToSpte } = gptes;
const { killGuest } = lguest;
const { policyOf } = policies;
const { isOfStack, isWritable, pinnedSpte } = stack;
const { findPgdir } = switching;
const { NULL } = address;
const { flagsOf, NO_ENTRY, PAGE_ACCESSED, PAGE_DIRTY } = entry;

/**
 * page_tables.c:944 guest_set_pte: a last-level entry has changed. Kernel mappings are in every
 * shadow and are changed in all of them, which is what lets a new pgdir keep them.
 */
export function guestSetPte(cpu: LgCpu, gpgdir: Gpa, vaddr: Gva, gpte: Entry): void {
  const { lg } = cpu;
  if (vaddr >= lg.host.switcherAddr) {
    killGuest(cpu, 'attempt to set pte into Switcher pages');
    return;
  }
  if (vaddr >= lg.kernelAddress) {
    setInAll(cpu, vaddr, gpte);
    return;
  }
  const pgdir = findPgdir(lg, gpgdir);
  if (pgdir === lg.pgdirs.length) return;
  const taken = lockPgdir(lg, pgdir);
  // It may have been given to another top level since it was found. That changes the top level
  // first and then empties the pgdir, under the same lock, so what is set before does not stay.
  if (lg.steps.isStillOf(lg, pgdir, gpgdir)) doSetPte(cpu, pgdir, gpgdir, vaddr, gpte);
  letGo(lg, taken);
}

/** A pgdir that gets its page only now is filled from the guest's tables as they are now. */
function setInAll(cpu: LgCpu, vaddr: Gva, gpte: Entry): void {
  const { pgdirs } = cpu.lg;
  for (let i = 0; i < pgdirs.length; i++) {
    if (pgdirs[i]!.pgdir !== NULL) doSetPte(cpu, i, cpu.cr3, vaddr, gpte);
  }
}

/**
 * page_tables.c:888 do_set_pte: the entry of one shadow. A guest that sets ACCESSED or DIRTY
 * itself gets the new entry at once; otherwise it faults in later. `gpgdir`: a top level that has
 * it.
 */
function doSetPte(cpu: LgCpu, idx: number, gpgdir: Gpa, vaddr: Gva, gpte: Entry): void {
  const { lg } = cpu;
  const taken = lockPgdir(lg, idx);
  lg.pgdirs[idx]!.countChange();
  const spte = findSpte(cpu, idx, vaddr);
  const old = spte === NULL ? NO_ENTRY : changeSpte(cpu, spte, gpgdir, vaddr, gpte);
  // Also where there is no entry yet: a fault may be making one from the old guest entry.
  quiesce(lg, idx);
  releasePte(lg, old);
  letGo(lg, taken);
}

/** Returns what to release when no CPU can reach it any more. */
function changeSpte(cpu: LgCpu, spte: Ptr, gpgdir: Gpa, vaddr: Gva, gpte: Entry): Entry {
  const { lg } = cpu;
  const { steps } = lg;
  const old = steps.beginReplacing(lg, lg.entry(spte));
  let fresh = NO_ENTRY;
  if (mustBeSetNow(cpu, vaddr, gpte)) {
    fresh = pinnedSpte(cpu, gpgdir, vaddr);
  } else if (canBeSetNow(lg, gpte)) {
    if (checkGpte(cpu, gpte)) fresh = spteFor(cpu, gpte);
    else if (steps.keepsRefused()) return old;
  }
  traceSpte(lg, spte, gpte, fresh);
  return steps.replace(lg, spte, fresh);
}

/** Whether it maps a stack that may be in use, which would be unmapped until the next fault. */
function mustBeSetNow(cpu: LgCpu, vaddr: Gva, gpte: Entry): boolean {
  return cpu.lg.steps.keepsStacks(cpu) && isStackLost(cpu, vaddr, gpte);
}

function isStackLost(cpu: LgCpu, vaddr: Gva, gpte: Entry): boolean {
  if (!isWritable(gpte)) return false;
  const complete = PAGE_ACCESSED | PAGE_DIRTY;
  const isSet = (flagsOf(gpte) & complete) === complete && !policyOf(cpu.lg).setPte['on-fault'];
  return !isSet && isOfStack(cpu.lg, vaddr);
}

/** Whether the guest has set already what the processor would set on the first access. */
function canBeSetNow(lg: Lguest, gpte: Entry): boolean {
  return !policyOf(lg).setPte['on-fault'] && lg.steps.isMeant(gpte) && lg.steps.isUsed(gpte);
}

function spteFor(cpu: LgCpu, gpte: Entry): Entry {
  const { steps } = cpu.lg;
  return gpteToSpte(cpu, steps.shown(gpte), steps.forWriting(gpte));
}

/**
 * page_tables.c:985 guest_set_pgd: a top-level entry has changed: throw away what is below it. An
 * index past the end kills the guest.
 */
export function guestSetPgd(caller: LgCpu, gpgdir: Gpa, idx: number): void {
  const { lg } = caller;
  const cpu = lg.steps.actFor(caller);
  if (!lg.steps.isPgdIndex(lg, idx)) {
    killGuest(cpu, `Attempt to set pgd ${idx}/${lg.form.ptrsPerPgd}`);
    return;
  }
  const index = findPgdir(lg, gpgdir);
  if (index === lg.pgdirs.length) return;
  const taken = lockPgdir(lg, index);
  if (lg.steps.isStillOf(lg, index, gpgdir)) changePgd(cpu, index, idx);
  letGo(lg, taken);
}

/**
 * Remove what is below entry `idx` of a shadow, and map again what the caller needs.
 */
function changePgd(cpu: LgCpu, index: number, idx: number): void {
  const { lg } = cpu;
  mustHoldPgdir(lg, index, 'guest_set_pgd');
  releasePgds(lg, index, idx, idx + 1);
  lg.steps.mapBack(cpu, index, idx);
  lg.pgdirs[index]!.lastHostCpu = -1;
}

/**
 * page_tables.c:1011 guest_set_pmd: a middle-level entry has changed: throw everything away. PAE
 * only.
 */
export function guestSetPmd(caller: LgCpu): void {
  guestMappingsChanged(caller.lg.steps.actFor(caller));
}
