/**
 * (i) Looking up a page table entry when the guest faults.
 *
 * Shadow tables are filled lazily: most faults are an entry that is not there yet.
 * demandPage looks in the guest's own tables, and if they allow the access it puts the
 * entry into the shadow and the guest never knows.
 */

import * as discipline from '../../shared/discipline.ts';
import { lgreadEntry } from '../../shared/guest-memory.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest } from '../../shared/lguest.ts';
import type { Gva } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import type { Entry } from '../hardware/entry.ts';
import * as entry from '../hardware/entry.ts';
import * as entries from './entries.ts';
import { checkGpte } from './gpte.ts';
import { policyOf } from './policies/declared.ts';
import { prefault } from './policies/prefault.ts';

const { beginFault, letGo, mustBeInFault } = discipline;
const { findSpte, gpgdAddr, gpmdAddr, gpteAddr } = entries;
const { NULL, pageStart } = address;
const { PAGE_ACCESSED, PAGE_DIRTY, PAGE_PRESENT, PAGE_RW, PAGE_TABLE, PAGE_USER } = entry;
const { flagsOf, isPresent, makeEntry, tablePfn, withFlags, withoutFlags } = entry;

/** Bits of a page fault's error code that matter here (SDM 3A 4.7). */
const FAULT_WRITE = 2;
const FAULT_USER = 4;
const FAULT_FETCH = 16;

/**
 * page_tables.c:378 demand_page: true when the fault is fixed and the guest can go on, false when
 * it is the guest's own. The error code is the hardware's.
 */
export function demandPage(cpu: LgCpu, vaddr: Gva, errorCode: number): boolean {
  for (;;) {
    const taken = beginFault(cpu);
    const fixed = tryDemandPage(cpu, vaddr, errorCode);
    letGo(cpu.lg, taken);
    if (fixed !== AGAIN) return fixed;
    cpu.lg.host.words.relax();
  }
}

/** The attempt failed: something changed meanwhile, which the code as written does not check. */
const AGAIN = undefined;

/** Stands for a middle level while the guest has no tables, or without PAE. */
const NO_MIDDLE = makeEntry(0, PAGE_TABLE);

/** One walk. */
function tryDemandPage(cpu: LgCpu, vaddr: Gva, errorCode: number): boolean | typeof AGAIN {
  const { lg, cpuPgd } = cpu;
  const { form, steps } = lg;
  mustBeInFault(cpu, 'demand_page');
  const changes = steps.changesOf(lg, cpuPgd);
  const linear = cpu.linearPages;
  // We never demand page the Switcher.
  if (vaddr >= lg.host.switcherAddr) return false;

  // First step: the guest's top level, or a made-up entry while it has no tables.
  const gpgd = linear ? form.linearGpgd : lgreadEntry(cpu, gpgdAddr(cpu, cpuPgd, vaddr));
  if (!isPresent(gpgd)) return false;
  if (!linear && !checkGpgd(cpu, gpgd)) return false;

  // The middle level, with PAE.
  const middle = form.pae && !linear;
  const gpmd = middle ? lgreadEntry(cpu, gpmdAddr(cpu, gpgd, vaddr)) : NO_MIDDLE;
  if (!isPresent(gpmd)) return false;
  if (middle && !checkGpmd(cpu, gpmd)) return false;

  // The last one; its address is kept, because it is updated later.
  const gptePtr = gpteAddr(cpu, form.pae ? gpmd : gpgd, vaddr);
  const before = linear
    ? new entry.Entry(pageStart(vaddr) | PAGE_RW | PAGE_PRESENT, 0)
    : lgreadEntry(cpu, gptePtr);
  if (!isPresent(before)) return false;

  // A write to what is read-only, a user's access to the kernel's, a fetch of data?
  const write = (errorCode & FAULT_WRITE) !== 0;
  const rights = steps.rights(lg, gpgd, gpmd, before);
  if (write && !(rights & PAGE_RW)) return false;
  if (errorCode & FAULT_USER && !(rights & PAGE_USER)) return false;
  if (errorCode & FAULT_FETCH && steps.noExecute(lg, before)) return false;
  if (!checkGpte(cpu, before)) return false;

  // ACCESSED, and for a write DIRTY.
  const gpte = withFlags(before, write ? PAGE_ACCESSED | PAGE_DIRTY : PAGE_ACCESSED);

  // The shadow's entry that is going to be set.
  const spte = findSpte(cpu, cpuPgd, vaddr, flagsOf(gpgd), flagsOf(gpmd));
  if (spte === NULL) return false;

  if (!linear && !steps.markGuestEntry(cpu, gptePtr, before, gpte)) return AGAIN;

  // A clean page is mapped read-only, so that the first write faults and DIRTY can be set.
  const shown = flagsOf(gpte) & PAGE_DIRTY ? gpte : withoutFlags(gpte, PAGE_RW);
  const forWriting = steps.forWriting(gpte);
  if (!steps.publish(cpu, { vaddr, spte, gpte: shown, write: forWriting, changes })) return AGAIN;

  // M:007: those beside it, too.
  if (policyOf(lg).prefault > 1 && !linear) prefault(cpu, { vaddr, gpte: gptePtr, spte, changes });

  // Finally the guest's entry is written back.
  if (!linear) {
    steps.writeBack(cpu, gptePtr, gpte);
    steps.markUpper(cpu, vaddr, gpgd, gpmd);
  }
  return true;
}

/** page_tables.c:263 check_gpgd */
function checkGpgd(cpu: LgCpu, gpgd: Entry): boolean {
  if (flagsOf(gpgd) & ~cpu.lg.form.checkGpgdMask || tablePfn(gpgd) >= cpu.lg.pfnLimit) {
    killGuest(cpu, 'bad page directory entry');
    return false;
  }
  return true;
}

/** page_tables.c:274 check_gpmd. PAE only. */
function checkGpmd(cpu: LgCpu, gpmd: Entry): boolean {
  if (flagsOf(gpmd) & ~PAGE_TABLE || tablePfn(gpmd) >= cpu.lg.pfnLimit) {
    killGuest(cpu, 'bad page middle directory entry');
    return false;
  }
  return true;
}
