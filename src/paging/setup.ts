/**
 * (vii) Setting up the page tables initially, and taking them down at the end.
 */

import { getUser, putUser } from '../../shared/guest-memory.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../shared/lguest.ts';
import { LguestData } from '../../shared/lguest-data.ts';
import { LINEAR } from '../../shared/pgdir.ts';
import { frameOf, hex, NULL, toGva } from '../hardware/address.ts';
import { releaseAllPagetables } from './flush.ts';
import { freePrivateSwitcher } from './private-switcher.ts';
import { newPgdir } from './switch.ts';
import { allocateSwitcherMapping } from './switcher.ts';

/** What init_guest_pagetable returns when there is no memory: −ENOMEM. */
const ENOMEM = -12;

/**
 * page_tables.c:1028 init_guest_pagetable: a first shadow with the Switcher in it. The guest has no
 * tables yet, so faults are answered with a linear mapping. Returns 0, or −12 when
 * there is no memory.
 */
export function initGuestPagetable(lg: Lguest): number {
  const cpu = lg.cpus[0]!;
  // As written 0, which may be the address of another vCPU's first top level.
  if (!lg.isAsWritten) cpu.cr3 = LINEAR;
  const { index, blank = false } = newPgdir(cpu, cpu.cr3);
  cpu.cpuPgd = index;
  if (!blank) return ENOMEM;
  cpu.linearPages = true;
  if (!allocateSwitcherMapping(cpu, index)) {
    releaseAllPagetables(lg);
    return ENOMEM;
  }
  return 0;
}

/**
 * page_tables.c:1051 page_table_guest_data_init: learn where the guest's kernel begins, and tell it
 * how much of the top of its address space the Switcher takes.
 */
export function pageTableGuestDataInit(cpu: LgCpu): void {
  const { lg } = cpu;
  const { switcherAddr } = lg.host;
  const kernelAddress = getUser(lg, LguestData.kernelAddress(cpu.lguestData));
  if (kernelAddress !== undefined) lg.kernelAddress = toGva(kernelAddress);
  if (
    kernelAddress === undefined ||
    !putUser(lg, LguestData.reserveMem(cpu.lguestData), ~switcherAddr + 1)
  ) {
    killGuest(cpu, `bad guest page ${cpu.lguestData.toString(16).padStart(8, '0')}`);
    return;
  }
  // flush_user_mappings stops at the kernel's address and must not reach the Switcher.
  if (lg.kernelAddress >= switcherAddr) {
    killGuest(cpu, `bad kernel address ${hex(lg.kernelAddress)}`);
  }
}

/** page_tables.c:1083 free_guest_pagetable: everything, and then the top levels themselves. */
export function freeGuestPagetable(lg: Lguest): void {
  releaseAllPagetables(lg);
  for (const cpu of lg.cpus) freePrivateSwitcher(cpu);
  for (const pgdir of lg.pgdirs) {
    if (pgdir.pgdir === NULL) continue;
    lg.host.frames.disown(frameOf(pgdir.pgdir));
    pgdir.pgdir = NULL;
  }
}
