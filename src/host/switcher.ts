/**
 * Entering and leaving the guest (drivers/lguest/x86/core.c and switcher_32.S).
 *
 * The Switcher is used, not only mapped: registers are loaded and saved at the
 * addresses where the shadow tables show this CPU's two pages. If another vCPU's regs
 * page is there, those are the registers the guest gets; if nothing is, the host dies.
 */

import { isFault, Right } from '../../shared/access.ts';
import type { Gva } from '../../shared/address.ts';
import {
  frameOf,
  frameStart,
  PAGE_SIZE,
  type Ptr,
  toGva,
  toPfn,
  toPtr,
} from '../../shared/address.ts';
import { Counter } from '../../shared/counters.ts';
import { enter, leave, withPgdir } from '../../shared/discipline.ts';
import { HostOops } from '../../shared/errors.ts';
import { EventKind } from '../../shared/events.ts';
import type { Host } from '../../shared/host.ts';
import { type HostCpu, REGISTERS_WORDS, Reg } from '../../shared/host-cpu.ts';
import {
  CHANGED_ALL,
  CHANGED_GDT,
  CHANGED_GDT_TLS,
  CHANGED_IDT,
  GDT_ENTRIES,
  IDT_ENTRIES,
  type LgCpu,
} from '../../shared/lg-cpu.ts';
import { Dead } from '../../shared/lguest.ts';
import { CANNOT_HAPPEN, REGS_WORD, StatePage } from '../../shared/switcher-page.ts';
import { Vector } from '../guest/processor.ts';
import type { Mmu } from '../mmu/tlb.ts';
import { pinStackPages, stackIsMapped } from '../paging/pin.ts';
import { copyRoot, mapPrivateSwitcher } from '../paging/private-switcher.ts';
import { mapSwitcherInGuest, percpuPagesAddr } from '../paging/switcher.ts';
import { gateType, isPresentGate } from './descriptors.ts';

/** GDT entries of thread-local storage. */
const TLS_FIRST = 6;
const TLS_WORDS = 6;

/** Accesses of the Switcher on the way in and out: text, state page, registers, and back. */
const SWITCHER_ACCESSES = 5;

/** A vCPU's registers while it is not running: at the end of its regs page. */
export const savedRegister = (cpu: LgCpu, reg: number): Ptr =>
  toPtr(frameStart(cpu.regsPage) + REGS_WORD + reg);

/** `cpu->regs->x` */
export const readSaved = (cpu: LgCpu, reg: number): number =>
  cpu.lg.host.words.load(savedRegister(cpu, reg));
export const writeSaved = (cpu: LgCpu, reg: number, value: number): void =>
  cpu.lg.host.words.store(savedRegister(cpu, reg), value);

/**
 * `run_guest_once`, the way in: make this CPU's two pages right for the vCPU, switch
 * to its page table, and take its registers from there.
 */
export function enterGuest(host: Host, hostCpu: HostCpu, mmu: Mmu, cpu: LgCpu): void {
  const { lg } = cpu;
  copyInGuestInfo(host, hostCpu, cpu);
  if (lg.sharesSwitcher) enterShared(hostCpu, cpu);
  else enterPrivate(hostCpu, cpu);
  // A trap number that cannot happen: to be seen if the way in itself traps.
  writeSaved(cpu, Reg.trapnum, CANNOT_HAPPEN);

  const top = lg.sharesSwitcher ? frameOf(lg.pgdirs[cpu.cpuPgd]!.pgdir) : cpu.root;
  if (!mmu.loadCr3(top, lg.form, lg.nx)) {
    throw new HostOops('fault in the Switcher', 'loading CR3: reserved bits in a PDPTE');
  }
  const text = reach(mmu, host.switcherAddr, Right.SupervisorFetch);
  if (frameOf(text) !== host.switcherPages[0]) {
    throw new HostOops('fault in the Switcher', `its text is frame ${frameOf(text)}`);
  }
  const base = percpuPagesAddr(lg, hostCpu.index);
  reach(mmu, toGva(base + PAGE_SIZE), Right.SupervisorRead);
  const regs = reach(mmu, toGva(base + REGS_WORD * 4), Right.SupervisorRead);
  host.words.copy(hostCpu.registers, regs, REGISTERS_WORDS);
  lg.counters.count(Counter.Entries);
  host.events.record(EventKind.Entry, cpu.cpuPgd, top);
}

/**
 * By the pgdir's own tables, as written: the Switcher's entries in them are this CPU's,
 * and stay so until it has said that it is inside.
 */
function enterShared(hostCpu: HostCpu, cpu: LgCpu): void {
  const { lg } = cpu;
  const prepare = (): void => {
    if (!lg.trustsStack) pinStackPages(cpu);
    mapSwitcherInGuest(cpu, hostCpu.index);
    enter(lg, hostCpu.inGuest, cpu.cpuPgd);
  };
  // R13: another vCPU may do the same meanwhile.
  if (lg.defects.R13) prepare();
  else withPgdir(lg, cpu.cpuPgd, prepare);
}

/** By tables of its own. What another vCPU throws away from here on, it waits for this CPU. */
function enterPrivate(hostCpu: HostCpu, cpu: LgCpu): void {
  const { lg } = cpu;
  mapPrivateSwitcher(cpu, hostCpu.index);
  for (;;) {
    enter(lg, hostCpu.inGuest, cpu.cpuPgd);
    copyRoot(cpu);
    if (lg.trustsStack || stackIsMapped(cpu) || lg.dead !== Dead.Alive) return;
    // Another vCPU has thrown away the mapping of this one's stack.
    leave(lg.host, hostCpu, hostCpu.inGuest);
    pinStackPages(cpu);
  }
}

/** The way out: save the registers where the way in found them, and leave its tables. */
export function leaveGuest(host: Host, hostCpu: HostCpu, mmu: Mmu, cpu: LgCpu): void {
  const { lg } = cpu;
  const base = percpuPagesAddr(lg, hostCpu.index);
  const regs = reach(mmu, toGva(base + REGS_WORD * 4), Right.SupervisorWrite);
  host.words.copy(regs, hostCpu.registers, REGISTERS_WORDS);
  const state = reach(mmu, toGva(base + PAGE_SIZE), Right.SupervisorRead);
  const hostCr3 = host.words.peek(toPtr(state + StatePage.hostCr3));
  hostCpu.cr3 = toPfn(hostCr3);
  mmu.flush();
  leave(host, hostCpu, hostCpu.inGuest);
  lg.counters.add(Counter.SwitcherAccesses, SWITCHER_ACCESSES);
}

/** A trap here finds nobody to handle it: the processor shuts down. */
function reach(mmu: Mmu, va: Gva, right: Right): Ptr {
  const at = mmu.translate(va, right);
  if (isFault(at)) {
    throw new HostOops('fault in the Switcher', `nothing usable at 0x${va.toString(16)}`);
  }
  return toPtr(at);
}

/**
 * `copy_in_guest_info`: the state page. Only
 * what has changed is copied, unless the last vCPU here was another one or the vCPU was
 * elsewhere: then everything has.
 */
function copyInGuestInfo(host: Host, hostCpu: HostCpu, cpu: LgCpu): void {
  const { words } = host;
  if (hostCpu.lastVcpu !== cpu.number + 1 || cpu.lastPages !== hostCpu.index) {
    hostCpu.lastVcpu = cpu.number + 1;
    cpu.lastPages = hostCpu.index;
    cpu.changed = CHANGED_ALL;
    cpu.lg.counters.count(Counter.CopiesAll);
  }
  const state = frameStart(host.switcherPages[1 + hostCpu.index * 2 + 1]!);
  const put = (word: number, value: number): void => words.poke(toPtr(state + word), value);
  put(StatePage.hostCr3, hostCpu.cr3);
  put(StatePage.sp1, cpu.esp1);
  put(StatePage.ss1, cpu.ss1);
  if (cpu.changed & CHANGED_IDT) copyTraps(cpu, put);
  if (cpu.changed & CHANGED_GDT) {
    for (let i = 0; i < GDT_ENTRIES * 2; i++) put(StatePage.gdt + i, cpu.gdt(i));
  }
  if (cpu.changed & (CHANGED_GDT | CHANGED_GDT_TLS)) {
    for (let i = 0; i < TLS_WORDS; i++) put(StatePage.gdt + TLS_FIRST * 2 + i, cpu.tls(i));
  }
  cpu.changed = 0;
}

/**
 * `copy_traps`: system calls and other harmless vectors may go straight to the guest's
 * handler, if it leaves interrupts on; for all others the entry is empty and the host's
 * own handler takes the trap.
 */
function copyTraps(cpu: LgCpu, put: (word: number, value: number) => void): void {
  for (let vector = 0; vector < IDT_ENTRIES; vector++) {
    const high = cpu.idt(vector * 2 + 1);
    const direct = mayGoDirect(vector) && isPresentGate(high) && gateType(high) === 0xf;
    put(StatePage.idt + vector * 2, direct ? cpu.idt(vector * 2) : 0);
    put(StatePage.idt + vector * 2 + 1, direct ? high : 0);
  }
}

/** `direct_trap`: neither interrupts, which are the host's, nor the traps it must see itself. */
function mayGoDirect(vector: number): boolean {
  if (vector >= Vector.FirstExternal && vector !== Vector.Syscall) return false;
  const mustSee: readonly number[] = [
    2,
    7,
    Vector.DoubleFault,
    13,
    Vector.PageFault,
    Vector.Hypercall,
  ];
  return !mustSee.includes(vector);
}
