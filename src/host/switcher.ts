/**
 * Entering and leaving the guest (drivers/lguest/x86/core.c and switcher_32.S).
 *
 * The Switcher is used, not only mapped: registers are loaded and saved at the addresses where the
 * shadow tables map this CPU's two pages. If another vCPU's regs page is mapped there, the guest
 * gets those registers; if nothing is, the host dies.
 *
 * See docs/decisions/switcher-is-used.md.
 */

import * as counters from '../../shared/counters.ts';
import * as discipline from '../../shared/discipline.ts';
import * as events from '../../shared/events.ts';
import type { Host } from '../../shared/host.ts';
import type { HostCpu } from '../../shared/host-cpu.ts';
import * as hostCpus from '../../shared/host-cpu.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import * as lgCpu from '../../shared/lg-cpu.ts';
import * as lguest from '../../shared/lguest.ts';
import * as switcherPage from '../../shared/switcher-page.ts';
import type { Words } from '../../shared/words.ts';
import { HostOops } from '../errors.ts';
import * as processor from '../guest/processor.ts';
import type { Right } from '../hardware/access.ts';
import * as access from '../hardware/access.ts';
import type { Gva, Ptr } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import type { Mmu } from '../mmu/tlb.ts';
import { pinStackPages, stackIsMapped } from '../paging/pin.ts';
import * as privateSwitcher from '../paging/private-switcher.ts';
import * as pagingSwitcher from '../paging/switcher.ts';
import * as descriptors from './descriptors.ts';

const { isFault } = access;
const { SupervisorFetch, SupervisorRead, SupervisorWrite } = access.Right;
const { enter, leave, letGo, lockPgdir } = discipline;
const { copyRoot, mapPrivateSwitcher } = privateSwitcher;
const { mapSwitcherInGuest, percpuPagesAddr } = pagingSwitcher;
const { frameOf, frameStart, PAGE_SIZE, toGva, toPfn, toPtr } = address;
const { Counter } = counters;
const { EventKind } = events;
const { Reg } = hostCpus;
const { CHANGED_ALL, CHANGED_GDT, CHANGED_GDT_TLS, CHANGED_IDT } = lgCpu;
const { GDT_ENTRIES } = lgCpu;
const { Dead } = lguest;
const { CANNOT_HAPPEN, REGS_WORD, StatePage } = switcherPage;
const { DoubleFault, FirstExternal, Hypercall, PageFault, Syscall } = processor.Vector;
const { gateType, isPresentGate } = descriptors;

/** The exceptions that the host must handle, a bit each; it handles all interrupts. */
const HOST_TRAPS = [2, 7, DoubleFault, 13, PageFault, Hypercall].reduce(
  (set, vector) => set | (1 << vector),
  0,
);

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
  cpu.lg.host.words.read(savedRegister(cpu, reg));
export const writeSaved = (cpu: LgCpu, reg: number, value: number): void =>
  cpu.lg.host.words.write(savedRegister(cpu, reg), value);

/**
 * `run_guest_once`, the entry: set up this CPU's two pages for the vCPU, switch to its page table,
 * and load its registers from there.
 */
export function enterGuest(host: Host, hostCpu: HostCpu, mmu: Mmu, cpu: LgCpu): void {
  const { lg } = cpu;
  copyInGuestInfo(host, hostCpu, cpu);
  if (lg.sharesSwitcher) enterShared(hostCpu, cpu);
  else enterPrivate(hostCpu, cpu);
  // An impossible trap number, which stays if the entry itself traps.
  writeSaved(cpu, Reg.trapnum, CANNOT_HAPPEN);

  const top = lg.sharesSwitcher ? frameOf(lg.pgdirs[cpu.cpuPgd]!.pgdir) : cpu.root;
  if (!mmu.loadCr3(top, lg.form, lg.nx)) {
    throw new HostOops('fault in the Switcher', 'loading CR3: reserved bits in a PDPTE');
  }
  const text = reach(mmu, host.switcherAddr, SupervisorFetch);
  if (frameOf(text) !== host.switcherPages[0]) {
    throw new HostOops('fault in the Switcher', `its text is frame ${frameOf(text)}`);
  }
  const base = percpuPagesAddr(lg, hostCpu.index);
  reach(mmu, toGva(base + PAGE_SIZE), SupervisorRead);
  const regs = reach(mmu, toGva(base + REGS_WORD * 4), SupervisorRead);
  host.words.copyRegisters(hostCpu.registers, regs);
  lg.counters.count(Counter.Entries);
  const eip = host.words.peek(toPtr(hostCpu.registers + Reg.eip));
  host.events.record(EventKind.Entry, cpu.cpuPgd, top, eip);
}

/**
 * By the pgdir's own tables, as written: the Switcher's entries in them are this CPU's, and stay so
 * until it is counted as inside.
 */
function enterShared(hostCpu: HostCpu, cpu: LgCpu): void {
  const { lg } = cpu;
  // Another vCPU may be doing the same.
  const taken = lg.steps.locksWayIn() ? lockPgdir(lg, cpu.cpuPgd) : undefined;
  if (!lg.trustsStack) pinStackPages(cpu);
  mapSwitcherInGuest(cpu, hostCpu.index);
  enter(lg, hostCpu.inGuest, cpu.cpuPgd);
  letGo(lg, taken);
}

/** By its own tables. From here on, vCPUs that throw away entries wait for this CPU. */
function enterPrivate(hostCpu: HostCpu, cpu: LgCpu): void {
  const { lg } = cpu;
  mapPrivateSwitcher(cpu, hostCpu.index);
  for (;;) {
    enter(lg, hostCpu.inGuest, cpu.cpuPgd);
    copyRoot(cpu);
    if (lg.trustsStack || stackIsMapped(cpu) || lg.dead !== Dead.Alive) return;
    // Another vCPU has unmapped this one's stack; or it is mapped again, by a table whose linking
    // has not yet incremented the version, so that the copy lacks it.
    leave(lg.host, hostCpu, hostCpu.inGuest);
    if (lg.steps.copiesRootAnew()) cpu.forgetRoot();
    pinStackPages(cpu);
  }
}

/** The exit: save the registers where the entry loaded them, and leave its tables. */
export function leaveGuest(host: Host, hostCpu: HostCpu, mmu: Mmu, cpu: LgCpu): void {
  const { lg } = cpu;
  const base = percpuPagesAddr(lg, hostCpu.index);
  const regs = reach(mmu, toGva(base + REGS_WORD * 4), SupervisorWrite);
  host.words.copyRegisters(regs, hostCpu.registers);
  const state = reach(mmu, toGva(base + PAGE_SIZE), SupervisorRead);
  const hostCr3 = host.words.peek(toPtr(state + StatePage.hostCr3));
  hostCpu.cr3 = toPfn(hostCr3);
  mmu.flush();
  leave(host, hostCpu, hostCpu.inGuest);
  lg.counters.add(Counter.SwitcherAccesses, SWITCHER_ACCESSES);
}

/** A trap here has no handler: the processor shuts down. */
function reach(mmu: Mmu, va: Gva, right: Right): Ptr {
  const at = mmu.translate(va, right);
  if (isFault(at)) unusable(va);
  return toPtr(at);
}

function unusable(va: Gva): never {
  throw new HostOops('fault in the Switcher', `nothing usable at 0x${va.toString(16)}`);
}

/**
 * `copy_in_guest_info`: the state page. Only changes are copied, unless the last vCPU here was
 * another one, or this vCPU ran elsewhere: then everything is.
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
  words.poke(toPtr(state + StatePage.hostCr3), hostCpu.cr3);
  words.poke(toPtr(state + StatePage.sp1), cpu.esp1);
  words.poke(toPtr(state + StatePage.ss1), cpu.ss1);
  const { changed } = cpu;
  if (changed === 0) return;
  const gdt = toPtr(state + StatePage.gdt);
  if (changed & CHANGED_IDT) copyTraps(host, cpu, toPtr(state + StatePage.idt));
  if (changed & CHANGED_GDT) words.move(gdt, cpu.gdtWords, GDT_ENTRIES * 2);
  if (changed & (CHANGED_GDT | CHANGED_GDT_TLS)) {
    words.move(toPtr(gdt + TLS_FIRST * 2), cpu.tlsWords, TLS_WORDS);
  }
  cpu.changed = 0;
}

/**
 * `copy_traps`: system calls and other harmless vectors go straight to the guest's handler, if it
 * leaves interrupts on; for all others the entry stays empty and the host handles the trap.
 */
function copyTraps({ words }: Host, cpu: LgCpu, to: Ptr): void {
  const from = cpu.idtWords;
  for (let vector = 0; vector < FirstExternal; vector++) {
    if (!(HOST_TRAPS & (1 << vector))) copyTrap(words, from, to, vector);
  }
  copyTrap(words, from, to, Syscall);
}

const copyTrap = (words: Words, from: Ptr, to: Ptr, vector: number): void => {
  const word = vector * 2;
  const high = words.peek(toPtr(from + word + 1));
  const direct = isPresentGate(high) && gateType(high) === 0xf;
  words.poke(toPtr(to + word), direct ? words.peek(toPtr(from + word)) : 0);
  words.poke(toPtr(to + word + 1), direct ? high : 0);
};
