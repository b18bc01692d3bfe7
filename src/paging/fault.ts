/**
 * (i) Looking up a page table entry when the guest faults.
 *
 * Shadow tables are filled lazily: most faults are an entry that is not there yet.
 * demandPage looks in the guest's own tables, and if they allow the access it puts the
 * entry into the shadow and the guest never knows.
 */

import type { Gva, Ptr } from '../../shared/address.ts';
import * as address from '../../shared/address.ts';
import * as discipline from '../../shared/discipline.ts';
import type { Entry } from '../../shared/entry.ts';
import * as entry from '../../shared/entry.ts';
import * as guestMemory from '../../shared/guest-memory.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../shared/lguest.ts';
import * as entries from './entries.ts';
import { checkGpte, gpteToSpte } from './gpte.ts';
import { prefault } from './prefault.ts';
import { keptWritable, takeBack } from './stack.ts';

const { beginFault, letGo, mustBeInFault, shootDown } = discipline;
const { lgcmpxchgEntry, lgreadEntry, lgwriteEntry } = guestMemory;
const { findSpte, gpgdAddr, gpmdAddr, gpteAddr, releasePte, traceSpte } = entries;
const { NULL, pageStart } = address;
const { PAGE_ACCESSED, PAGE_DIRTY, PAGE_NX_HIGH, PAGE_PRESENT } = entry;
const { PAGE_RW, PAGE_TABLE, PAGE_USER } = entry;
const { flagsOf, isPresent, makeEntry, ptePfn, sameEntry, tablePfn } = entry;
const { withFlags, withoutFlags } = entry;

/** Bits of a page fault's error code that matter here (SDM 3A 4.7). */
const FAULT_WRITE = 2;
const FAULT_USER = 4;
const FAULT_FETCH = 16;

/**
 * H:330 demand_page: true when the fault is fixed and the guest can go on, false when
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

/** The attempt comes to nothing: something changed under it, which as written nobody looks for. */
const AGAIN = undefined;

/** What a middle level would be while the guest has no tables, or without PAE. */
const NO_MIDDLE = makeEntry(0, PAGE_TABLE);

/** The shadow's count of changes, where it is the same to the fault what changed under it. */
const NOT_LOOKED_AT = 0;

/** R1, R3: the shadow's entry is read, then written, whatever happens between. */
const replacesUnseen = ({ defects }: Lguest): boolean => defects.R1 || defects.R3;

/** One walk. */
function tryDemandPage(cpu: LgCpu, vaddr: Gva, errorCode: number): boolean | typeof AGAIN {
  const { lg } = cpu;
  mustBeInFault(cpu, 'demand_page');
  const { defects, form } = lg;
  const { cpuPgd } = cpu;
  const changes = replacesUnseen(lg) ? NOT_LOOKED_AT : lg.pgdirs[cpuPgd]!.changes;
  const linear = cpu.linearPages;
  if (vaddr >= lg.host.switcherAddr) return false;

  // The levels above: made up while the guest has no tables.
  const gpgd = linear ? form.linearGpgd : lgreadEntry(cpu, gpgdAddr(cpu, cpuPgd, vaddr));
  if (!isPresent(gpgd)) return false;
  if (!linear && !checkGpgd(cpu, gpgd)) return false;
  const middle = form.pae && !linear;
  const gpmd = middle ? lgreadEntry(cpu, gpmdAddr(cpu, gpgd, vaddr)) : NO_MIDDLE;
  if (!isPresent(gpmd)) return false;
  if (middle && !checkGpmd(cpu, gpmd)) return false;
  const gptePtr = gpteAddr(cpu, form.pae ? gpmd : gpgd, vaddr);
  const before = linear
    ? new entry.Entry(pageStart(vaddr) | PAGE_RW | PAGE_PRESENT, 0)
    : lgreadEntry(cpu, gptePtr);
  if (!isPresent(before)) return false;

  const write = (errorCode & FAULT_WRITE) !== 0;
  // U7: the upper levels' rights count as well.
  const allows = defects.U7 ? flagsOf(before) : flagsOf(before) & upperFlags(lg, gpgd, gpmd);
  if (write && !(allows & PAGE_RW)) return false;
  if (errorCode & FAULT_USER && !(allows & PAGE_USER)) return false;
  // U13: without NX in the shadow no fetch faults for it.
  const forbidden = lg.nx && (before.high & PAGE_NX_HIGH) !== 0 && !defects.U13;
  if (errorCode & FAULT_FETCH && forbidden) return false;
  if (!checkGpte(cpu, before)) return false;

  const gpte = withFlags(before, write ? PAGE_ACCESSED | PAGE_DIRTY : PAGE_ACCESSED);

  const spte = findSpte(cpu, cpuPgd, vaddr, flagsOf(gpgd), flagsOf(gpmd));
  if (spte === NULL) return false;

  // R2: as written the guest's entry is written back at the end, over whatever another
  // vCPU wrote there since it was read. Repaired, it must not have changed.
  const checked = !defects.R2 && !linear;
  if (checked && !lgcmpxchgEntry(cpu, gptePtr, before, gpte)) return AGAIN;

  // A clean page is mapped read-only, so that the first write faults and can be seen.
  const dirty = (flagsOf(gpte) & PAGE_DIRTY) !== 0;
  const shown = withoutFlags(gpte, dirty ? 0 : PAGE_RW);
  // U12: a page that the guest made read-only need not be taken for writing.
  const forWriting = dirty && ((flagsOf(gpte) & PAGE_RW) !== 0 || defects.U12);
  if (!replaceSpte(cpu, { vaddr, spte, gpte: shown, write: forWriting, changes })) return AGAIN;

  // M:007: those beside it, too.
  if (lg.policy.prefault > 1 && !linear) {
    const seen = replacesUnseen(lg) ? undefined : changes;
    prefault(cpu, { vaddr, gpte: gptePtr, spte, changes: seen });
  }
  if (!linear) {
    if (!checked) lgwriteEntry(cpu, gptePtr, gpte);
    if (!defects.U7) setUpperAccessed(cpu, vaddr, gpgd, gpmd);
  }
  return true;
}

interface Replacement {
  readonly vaddr: Gva;
  readonly spte: Ptr;
  /** The guest's entry, as it is to be shown. */
  readonly gpte: Entry;
  readonly write: boolean;
  /** The shadow's count of changes when the fault began. */
  readonly changes: number;
}

/**
 * Put the entry for a guest's where there may be one already: a read-only one, say, of a page
 * that is now written. False when what it was made from may have changed since the fault began,
 * or the shadow's entry has: then nothing is left of it.
 */
function replaceSpte(cpu: LgCpu, replacement: Replacement): boolean {
  const { lg } = cpu;
  const { vaddr, spte, gpte, write, changes } = replacement;
  if (replacesUnseen(lg)) return replaceUnseen(cpu, spte, gpte, write);
  const old = lg.entry(spte);
  const fresh = keptWritable(cpu, vaddr, old, gpteToSpte(cpu, gpte, write));
  if (sameEntry(old, fresh)) {
    // Another vCPU was here first; or this one's own top level lacks the table, whose maker
    // has not counted the version on yet and may be a long time about it.
    cpu.forgetRoot();
    releasePte(lg, fresh);
    return true;
  }
  if (!lg.compareExchangeEntry(spte, old, fresh)) {
    releasePte(lg, fresh);
    return false;
  }
  traceSpte(lg, spte, gpte, fresh);
  // The same page with more rights needs no shootdown: a TLB that lacks them asks again.
  if (isPresent(old) && ptePfn(old) !== ptePfn(fresh)) shootDown(lg, cpu.cpuPgd);
  releasePte(lg, old);
  if (lg.pgdirs[cpu.cpuPgd]!.changes === changes) return true;
  takeBack(cpu, spte, vaddr, fresh);
  return false;
}

/** As written: read, then written, whatever happens between. */
function replaceUnseen(cpu: LgCpu, spte: Ptr, gpte: Entry, write: boolean): true {
  const { lg } = cpu;
  const old = lg.entry(spte);
  // R3: the page is given back while it is mapped.
  if (lg.defects.R3) releasePte(lg, old);
  const fresh = gpteToSpte(cpu, gpte, write);
  // R1: another vCPU may have done the same since, and released the same page.
  lg.setEntry(spte, fresh);
  traceSpte(lg, spte, gpte, fresh);
  if (lg.defects.R3) return true;
  if (isPresent(old)) shootDown(lg, cpu.cpuPgd);
  releasePte(lg, old);
  return true;
}

/** What the level above allows. A PAE top-level entry allows everything (SDM 3A 4.4.1). */
function upperFlags(lg: Lguest, gpgd: Entry, gpmd: Entry): number {
  return lg.form.pae ? flagsOf(gpmd) : flagsOf(gpgd);
}

/**
 * As the processor does on its way down. A PAE top-level entry has no such bit. An entry
 * that has changed since it was read is left as it is now.
 */
function setUpperAccessed(cpu: LgCpu, vaddr: Gva, gpgd: Entry, gpmd: Entry): void {
  if (upperFlags(cpu.lg, gpgd, gpmd) & PAGE_ACCESSED) return;
  const upper = cpu.lg.form.pae ? gpmd : gpgd;
  const at = cpu.lg.form.pae ? gpmdAddr(cpu, gpgd, vaddr) : gpgdAddr(cpu, cpu.cpuPgd, vaddr);
  lgcmpxchgEntry(cpu, at, upper, withFlags(upper, PAGE_ACCESSED));
}

/** H:340 check_gpgd */
function checkGpgd(cpu: LgCpu, gpgd: Entry): boolean {
  if (flagsOf(gpgd) & ~cpu.lg.form.checkGpgdMask || tablePfn(gpgd) >= cpu.lg.pfnLimit) {
    killGuest(cpu, 'bad page directory entry');
    return false;
  }
  return true;
}

/** H:340 check_gpmd. PAE only. */
function checkGpmd(cpu: LgCpu, gpmd: Entry): boolean {
  if (flagsOf(gpmd) & ~PAGE_TABLE || tablePfn(gpmd) >= cpu.lg.pfnLimit) {
    killGuest(cpu, 'bad page middle directory entry');
    return false;
  }
  return true;
}
