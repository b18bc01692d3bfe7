/**
 * (ii) Making sure the guest stack is mapped.
 *
 * System calls trap straight into the guest kernel, and the processor then pushes onto
 * the kernel's stack: nobody could repair a fault there, so the stack is mapped ahead.
 */

import type { Gpa, Gva, Ptr } from '../../shared/address.ts';
import * as address from '../../shared/address.ts';
import { beginFault, letGo } from '../../shared/discipline.ts';
import type { Entry } from '../../shared/entry.ts';
import * as entry from '../../shared/entry.ts';
import { lgcmpxchgEntry, lgreadEntry } from '../../shared/guest-memory.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import * as lgCpu from '../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../shared/lguest.ts';
import { findInRoot, findSpte, gpmdAddr, gpteAddr } from './entries.ts';
import { checkGpte, demandPage, gpteToSpte } from './fault.ts';

const { hex, NULL, PAGE_SHIFT, PAGE_SIZE, toGpa, toGva } = address;
const { flagsOf, isPresent, NO_ENTRY, pgdIndex, withFlags } = entry;
const { PAGE_ACCESSED, PAGE_DIRTY, PAGE_PRESENT, PAGE_RW } = entry;
const { NO_PGDIR } = lgCpu;

/** `pin_stack_pages` of interrupts_and_traps.c: from the top of the stack downwards. */
export function pinStackPages(cpu: LgCpu): void {
  // All shadows are in use by others: it is pinned when there is one for it.
  if (cpu.cpuPgd === NO_PGDIR) return;
  for (let i = 0; i < cpu.stackPages; i++) pinPage(cpu, stackPage(cpu, i));
}

/**
 * Whether all of the stack is mapped already, by the top level that the vCPU goes in with: this
 * may lack a table that is in the shadow. For a CPU that has said it is inside.
 */
export function stackIsMapped(cpu: LgCpu): boolean {
  // D1: in the shadow, which is not where it goes in.
  const find = cpu.lg.defects.D1 ? inShadow : findInRoot;
  for (let i = 0; i < cpu.stackPages; i++) {
    if (!pageWritable(cpu, stackPage(cpu, i), find)) return false;
  }
  return true;
}

/** Whether a vCPU may push onto a page at any moment; in which shadow does not matter. */
export const isOfStack = ({ cpus }: Lguest, vaddr: Gva): boolean =>
  cpus.some((cpu) => {
    const down = (stackPage(cpu, 0) >>> PAGE_SHIFT) - (vaddr >>> PAGE_SHIFT);
    return down >= 0 && down < cpu.stackPages;
  });

/**
 * What pinning would make of the guest's entry for a page, by its top level `gpgdir`; ACCESSED and
 * DIRTY are set in it, and a reference is taken. NO_ENTRY if there is no page that can be written.
 */
export function pinnedSpte(cpu: LgCpu, gpgdir: Gpa, vaddr: Gva): Entry {
  const at = findGpte(cpu, gpgdir, vaddr);
  while (at !== undefined) {
    const gpte = lgreadEntry(cpu, at);
    if (!isWritable(gpte) || !checkGpte(cpu, gpte)) break;
    const wanted = withFlags(gpte, PAGE_ACCESSED | PAGE_DIRTY);
    if (lgcmpxchgEntry(cpu, at, gpte, wanted)) return gpteToSpte(cpu, wanted, true);
    cpu.lg.host.words.relax();
  }
  return NO_ENTRY;
}

/** Where the guest's own entry is; undefined where there is no table for it. */
function findGpte(cpu: LgCpu, gpgdir: Gpa, vaddr: Gva): Gpa | undefined {
  const { form } = cpu.lg;
  let table = lgreadEntry(cpu, toGpa(gpgdir + pgdIndex(form, vaddr) * form.entryWords * 4));
  if (isPresent(table) && form.pae) table = lgreadEntry(cpu, gpmdAddr(cpu, table, vaddr));
  return isPresent(table) ? gpteAddr(cpu, table, vaddr) : undefined;
}

const inShadow = (cpu: LgCpu, vaddr: Gva): Ptr => findSpte(cpu, cpu.cpuPgd, vaddr);

const stackPage = (cpu: LgCpu, i: number): Gva => toGva(cpu.esp1 - 1 - i * PAGE_SIZE);

/** H:360 pin_page: map it for writing unless it is; a stack that cannot be kills the guest. */
export function pinPage(cpu: LgCpu, vaddr: Gva): void {
  // As a fault, since the tables on the way must not be given back meanwhile.
  const taken = beginFault(cpu);
  const mapped = pageWritable(cpu, vaddr, inShadow);
  letGo(cpu.lg, taken);
  if (!mapped && !demandPage(cpu, vaddr, 2)) killGuest(cpu, `bad stack page ${hex(vaddr)}`);
}

/** H:360 page_writable: does the shadow map it, writable? `find` has its entry, or NULL. */
function pageWritable(cpu: LgCpu, vaddr: Gva, find: (cpu: LgCpu, vaddr: Gva) => Ptr): boolean {
  if (vaddr >= cpu.lg.host.switcherAddr) return false;
  const spte = find(cpu, vaddr);
  return spte !== NULL && isWritable(cpu.lg.entry(spte));
}

function isWritable(pte: Entry): boolean {
  const writable = PAGE_PRESENT | PAGE_RW;
  return (flagsOf(pte) & writable) === writable;
}
