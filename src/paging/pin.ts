/**
 * (ii) Making sure the guest stack is mapped.
 *
 * System calls trap straight into the guest kernel, and the processor then pushes onto
 * the kernel's stack: nobody could repair a fault there, so the stack is mapped ahead.
 */

import type { Gva, Ptr } from '../../shared/address.ts';
import * as address from '../../shared/address.ts';
import { beginFault, letGo } from '../../shared/discipline.ts';
import * as entry from '../../shared/entry.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest } from '../../shared/lguest.ts';
import { findInRoot, findSpte } from './entries.ts';
import { demandPage } from './fault.ts';

const { hex, NULL, PAGE_SIZE, toGva } = address;
const { flagsOf, PAGE_PRESENT, PAGE_RW } = entry;

/** `pin_stack_pages` of interrupts_and_traps.c: from the top of the stack downwards. */
export function pinStackPages(cpu: LgCpu): void {
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
  if (spte === NULL) return false;
  const writable = PAGE_PRESENT | PAGE_RW;
  return (flagsOf(cpu.lg.entry(spte)) & writable) === writable;
}
