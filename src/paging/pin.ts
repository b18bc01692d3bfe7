/**
 * (ii) Making sure the guest stack is mapped.
 *
 * System calls trap straight into the guest kernel, and the processor then pushes onto
 * the kernel's stack: a fault there could not be repaired, so the stack is mapped ahead.
 */

import { beginFault, letGo } from '../../shared/discipline.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import * as lgCpu from '../../shared/lg-cpu.ts';
import { killGuest } from '../../shared/lguest.ts';
import type { Gva, Ptr } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import { findSpte } from './entries.ts';
import { demandPage } from './fault.ts';
import { isWritable, stackPage } from './stack.ts';

const { hex, NULL } = address;
const { NO_PGDIR } = lgCpu;

/** `pin_stack_pages` of interrupts_and_traps.c: from the top of the stack downwards. */
export function pinStackPages(cpu: LgCpu): void {
  // Other vCPUs use all shadows: it is pinned when this vCPU gets one.
  if (cpu.cpuPgd === NO_PGDIR) return;
  for (let i = 0; i < cpu.stackPages; i++) pinPage(cpu, stackPage(cpu, i));
}

/** The guest sets the place of its stack. */
export function stackMoved(cpu: LgCpu): void {
  // A CPU that checked its entry before this would remove it while the vCPU is inside.
  cpu.lg.steps.awaitStackLookups(cpu.lg);
  pinStackPages(cpu);
}

/**
 * Whether all of the stack is mapped, by the vCPU's own top level, which may lack a table that is
 * in the shadow. For a CPU that is counted as inside.
 */
export function stackIsMapped(cpu: LgCpu): boolean {
  for (let i = 0; i < cpu.stackPages; i++) {
    if (!pageWritable(cpu, stackPage(cpu, i), cpu.lg.steps.findStackSpte)) return false;
  }
  return true;
}

const inShadow = (cpu: LgCpu, vaddr: Gva): Ptr => findSpte(cpu, cpu.cpuPgd, vaddr);

/**
 * page_tables.c:554 pin_page: map it for writing unless it is; a stack that cannot be kills the
 * guest.
 */
export function pinPage(cpu: LgCpu, vaddr: Gva): void {
  // As a fault, since the tables on the way must not be freed meanwhile.
  const taken = beginFault(cpu);
  const mapped = pageWritable(cpu, vaddr, inShadow);
  letGo(cpu.lg, taken);
  if (!mapped && !demandPage(cpu, vaddr, 2)) killGuest(cpu, `bad stack page ${hex(vaddr)}`);
}

/**
 * page_tables.c:527 page_writable: does the shadow map it, writable? `find` has its entry, or NULL.
 */
function pageWritable(cpu: LgCpu, vaddr: Gva, find: (cpu: LgCpu, vaddr: Gva) => Ptr): boolean {
  if (vaddr >= cpu.lg.host.switcherAddr) return false;
  const spte = find(cpu, vaddr);
  return spte !== NULL && isWritable(cpu.lg.entry(spte));
}
