/**
 * Entry and exit of a guest of nested paging, and traps that do not leave it. The processor itself
 * loads and saves the registers, and needs no Switcher in the guest's address space.
 *
 * LIMIT: the TLB is empty after every switch, as on processors without VPID. The guest kernel keeps
 * its interrupt flag in lguest_data and reads CR2 there, under every virtualization; here the
 * processor writes them, elsewhere the host.
 */

import { Counter } from '../../../shared/counters.ts';
import * as discipline from '../../../shared/discipline.ts';
import { EventKind } from '../../../shared/events.ts';
import { putUser } from '../../../shared/guest-memory.ts';
import type { Host } from '../../../shared/host.ts';
import { type HostCpu, Reg } from '../../../shared/host-cpu.ts';
import type { LgCpu } from '../../../shared/lg-cpu.ts';
import { Dead, killGuest } from '../../../shared/lguest.ts';
import { LguestData } from '../../../shared/lguest-data.ts';
import { CANNOT_HAPPEN } from '../../../shared/switcher-page.ts';
import { isUserMode, type Processor, Selector, Vector } from '../../guest/processor.ts';
import { errorCodeOf, Fault, isFault, Right } from '../../hardware/access.ts';
import { type Gva, PAGE_SIZE, toGva, toPfn, toPtr } from '../../hardware/address.ts';
import type { Mmu } from '../../mmu/tlb.ts';
import {
  dropNestedPage,
  freeNestedTable,
  initNestedTable,
  repairViolation,
} from '../../nested/table.ts';
import { guestPa } from '../../paging/flush.ts';
import { gateAddress, gateType, isPresentGate } from '../descriptors.ts';
import { readSaved, savedRegister, writeSaved } from '../switcher.ts';
import type { Virtualizer } from './virtualizer.ts';

/** In a violation's error code, the vector that was being delivered is above these bits. */
const DELIVERED_SHIFT = 8;

/** A guest whose top level is not in its memory is killed, and not entered. */
function enter(host: Host, hostCpu: HostCpu, mmu: Mmu, cpu: LgCpu): boolean {
  const { lg } = cpu;
  cpu.cpuPgd = cpu.id;
  lg.pgdirs[cpu.id]!.gpgdir = cpu.cr3;
  writeSaved(cpu, Reg.trapnum, CANNOT_HAPPEN);
  hostCpu.lastVcpu = cpu.number + 1;
  for (;;) {
    discipline.enter(lg, hostCpu.inGuest, cpu.cpuPgd);
    const fault = mmu.loadNested(lg.nestedRoot, cpu.cr3, lg.form, lg.nx, cpu.linearPages);
    if (!isFault(fault)) break;
    outside(host, hostCpu, mmu);
    if (errorCodeOf(fault) & Fault.Nested) repairViolation(cpu, hostCpu.violation, false);
    else killGuest(cpu, 'reserved bits in a PDPTE');
    if (lg.dead !== Dead.Alive) return false;
  }
  hostCpu.nestedReferences = 0;
  host.words.copyRegisters(hostCpu.registers, savedRegister(cpu, 0));
  lg.counters.count(Counter.Entries);
  lg.counters.count(Counter.NestedEntries);
  const eip = host.words.peek(toPtr(hostCpu.registers + Reg.eip));
  host.events.record(EventKind.Entry, cpu.cpuPgd, cpu.cr3, eip);
  return true;
}

function leave(host: Host, hostCpu: HostCpu, mmu: Mmu, cpu: LgCpu): void {
  host.words.copyRegisters(savedRegister(cpu, 0), hostCpu.registers);
  cpu.lg.counters.add(Counter.NestedReferences, hostCpu.nestedReferences);
  outside(host, hostCpu, mmu);
}

function outside(host: Host, hostCpu: HostCpu, mmu: Mmu): void {
  hostCpu.cr3 = toPfn(0);
  mmu.flush();
  discipline.leave(host, hostCpu, hostCpu.inGuest);
}

/** A page fault: the guest's own goes to its kernel, one of the host's table to the host. */
function deliverFault(processor: Processor, cpu: LgCpu, va: Gva, fault: number): void {
  const errorCode = errorCodeOf(fault);
  if (errorCode & Fault.Nested) return processor.trap(Vector.NestedViolation, errorCode);
  const handled = deliverDirectly(processor, cpu, Vector.PageFault, errorCode, () => {
    cpu.lg.counters.count(Counter.DirectFaults);
    cpu.lg.host.events.record(EventKind.FaultPassedOn, va, errorCode, cpu.operations);
    if (!putUser(cpu.lg, LguestData.cr2(cpu.lguestData), va)) killGuest(cpu, 'Writing cr2');
  });
  if (!handled) killGuest(cpu, `unhandled trap 14 (0x${va.toString(16)})`);
}

/** `int n`. */
function deliverInterrupt(processor: Processor, cpu: LgCpu, vector: number): void {
  const handled = deliverDirectly(processor, cpu, vector, undefined, () => {
    cpu.lg.counters.count(Counter.DirectTraps);
  });
  if (!handled) processor.trap(vector, 0);
}

/**
 * Deliver a trap by a gate (SDM 3A 6.12); if the stack is not accessible, nothing is changed and
 * the trap goes to the host. `delivered` is called once it is certain. False if there is no gate.
 */
function deliverDirectly(
  processor: Processor,
  cpu: LgCpu,
  vector: number,
  errorCode: number | undefined,
  delivered: () => void,
): boolean {
  const low = cpu.idt(vector * 2);
  const high = cpu.idt(vector * 2 + 1);
  if (!isPresentGate(high)) return false;
  const fromUser = isUserMode(processor.register(Reg.cs));
  const pushed = [...(fromUser ? [Reg.ss, Reg.esp] : []), Reg.eflags, Reg.cs, Reg.eip];
  const frame = pushed.map((reg) => processor.register(reg));
  if (errorCode !== undefined) frame.push(errorCode);
  const top = fromUser ? cpu.esp1 : processor.register(Reg.esp);
  const places: number[] = [];
  for (const i of frame.keys()) {
    const at = processor.translate(toGva(top - (i + 1) * 4), Right.SupervisorWrite);
    if (isFault(at)) {
      stackFault(processor, vector, errorCodeOf(at));
      return true;
    }
    places.push(at);
  }
  delivered();
  for (const [i, value] of frame.entries()) processor.words.poke(toPtr(places[i]!), value);
  if (fromUser) processor.setRegister(Reg.ss, cpu.ss1);
  processor.setRegister(Reg.esp, top - frame.length * 4);
  processor.setRegister(Reg.cs, Selector.KernelCode);
  processor.setRegister(Reg.eip, gateAddress(low, high));
  cpu.lg.counters.add(Counter.KernelAccesses, frame.length + 4);
  if (gateType(high) === INTERRUPT_GATE) {
    putUser(cpu.lg, LguestData.irqEnabled(cpu.lguestData), 0);
  }
  return true;
}

const INTERRUPT_GATE = 0xe;

/** A fault repeats with its access; an `int n` is already past. */
function stackFault(processor: Processor, vector: number, errorCode: number): void {
  if (!(errorCode & Fault.Nested)) return processor.trap(Vector.DoubleFault, 0);
  const again = vector === Vector.PageFault ? 0 : vector << DELIVERED_SHIFT;
  processor.trap(Vector.NestedViolation, errorCode | again);
}

/** A violation: the host's own table does not map a page of the guest's, or not for writing. */
function repair(cpu: LgCpu, { violation }: HostCpu): number {
  const { lg } = cpu;
  const errorCode = readSaved(cpu, Reg.errcode);
  repairViolation(cpu, violation, (errorCode & Fault.Write) !== 0);
  lg.counters.count(Counter.FaultsFixed);
  const at = violation * PAGE_SIZE;
  lg.host.events.record(EventKind.FaultFixed, at, errorCode & Fault.Write, cpu.operations);
  // IDT-vectoring information (SDM 3C 28.2.4).
  return errorCode >>> DELIVERED_SHIFT;
}

export const NESTED: Virtualizer = {
  initialise: initNestedTable,
  free: freeNestedTable,
  mayDiscard: () => true,
  dropPage: dropNestedPage,
  pageDropped: () => {},
  claimTables: () => true,
  untilTables: () => ({ words: [], holds: () => true }),
  letGoOfTables: () => {},
  enter,
  leave,
  // Faults of the guest's own tables go to its kernel without the host.
  repairFault: () => false,
  ownTrap: (cpu, hostCpu, trapnum) =>
    trapnum === Vector.NestedViolation ? repair(cpu, hostCpu) : undefined,
  deliversFault: (processor, cpu, va, fault) => {
    deliverFault(processor, cpu, va, fault);
    return true;
  },
  deliversInterrupt: (processor, cpu, vector) => {
    deliverInterrupt(processor, cpu, vector);
    return true;
  },
  stackPa: guestPa,
  stackMoved: () => {},
  hypercall: () => false,
};
