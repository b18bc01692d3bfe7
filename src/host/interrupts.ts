/**
 * Interrupts and traps into the guest (drivers/lguest/interrupts_and_traps.c): the host
 * pushes the frame onto the guest's stack by hand, and the guest finds itself in its
 * handler when it runs next.
 */

import { Counter } from '../../shared/counters.ts';
import { EventKind } from '../../shared/events.ts';
import { getUser, lgwriteWord, putUser } from '../../shared/guest-memory.ts';
import { Reg } from '../../shared/host-cpu.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { killGuest, type Lguest } from '../../shared/lguest.ts';
import { EFLAGS_IF, LguestData } from '../../shared/lguest-data.ts';
import { bugOn } from '../errors.ts';
import { Selector, Vector } from '../guest/processor.ts';
import { type Gva, hex, toGpa, toGva } from '../hardware/address.ts';
import { gateAddress, gateType, isPresentGate } from './descriptors.ts';
import { readSaved, writeSaved } from './switcher.ts';
import { virtualizerOf } from './virtualization/ways.ts';

/** LGUEST_IRQS: interrupt numbers are below it; it stands for "none". */
export const LGUEST_IRQS = 32;
export const TIMER_IRQ = 0;
export const IPI_IRQ = 1;

/** The ring that guest kernels run in. */
const GUEST_PL = 1;

/** `interrupt_pending`: the first that is neither blocked nor absent, and whether more are. */
export function interruptPending(cpu: LgCpu): { irq: number; more: boolean } {
  const data = cpu.lguestData;
  if (data === 0) return { irq: LGUEST_IRQS, more: false };
  const blocked = getUser(cpu.lg, LguestData.blockedInterrupts(data)) ?? ~0;
  const ready = cpu.irqsPending & ~blocked;
  if (ready === 0) return { irq: LGUEST_IRQS, more: false };
  return { irq: 31 - Math.clz32(ready & -ready), more: (ready & (ready - 1)) !== 0 };
}

/** `try_deliver_interrupt`: if the guest has them off, only mark one as pending. */
export function tryDeliverInterrupt(cpu: LgCpu, irq: number, more: boolean): void {
  bugOn(irq >= LGUEST_IRQS, 'try_deliver_interrupt');
  const { lg } = cpu;
  if (cpu.halted) {
    if (!putUser(lg, LguestData.irqEnabled(cpu.lguestData), EFLAGS_IF)) {
      killGuest(cpu, 'Re-enabling interrupts');
    }
    cpu.halted = false;
  } else if ((getUser(lg, LguestData.irqEnabled(cpu.lguestData)) ?? 0) === 0) {
    putUser(lg, LguestData.irqPending(cpu.lguestData), EFLAGS_IF);
    return;
  }
  const vector = Vector.FirstExternal + irq;
  if (isPresentGate(cpu.idt(vector * 2 + 1))) {
    cpu.clearIrq(irq);
    lg.counters.count(Counter.Interrupts);
    lg.host.events.record(EventKind.InterruptDelivered, irq);
    setGuestInterrupt(cpu, vector, false);
  }
  if (!more) putUser(lg, LguestData.irqPending(cpu.lguestData), 0);
}

/**
 * Whether any vCPU may interrupt another. A vCPU seen asleep may have been woken since, by one that
 * was asleep when it was checked: wake-ups are counted, and if the count has changed, assume so.
 */
export function someMayWake(lg: Lguest): boolean {
  const { wakeUps } = lg;
  return lg.cpus.some(mayWake) || lg.wakeUps !== wakeUps;
}

/** Read the interrupts first: a vCPU that takes one clears `halted` before the interrupt. */
const mayWake = (cpu: LgCpu): boolean =>
  cpu.started && (cpu.irqsPending !== 0 || !cpu.halted || cpu.clockDeadline !== 0);

/** `deliver_trap`: false when the guest has no handler. */
export function deliverTrap(cpu: LgCpu, vector: number): boolean {
  if (vector >= 256 || !isPresentGate(cpu.idt(vector * 2 + 1))) return false;
  setGuestInterrupt(cpu, vector, hasErrorCode(vector));
  return true;
}

/** `has_err`: the processor pushes an error code for these. */
const hasErrorCode = (vector: number): boolean =>
  vector === 8 || (vector >= 10 && vector <= 14) || vector === 17;

/** `set_guest_interrupt`: what the processor would push, and on to the handler. */
function setGuestInterrupt(cpu: LgCpu, vector: number, withError: boolean): void {
  const { lg } = cpu;
  const low = cpu.idt(vector * 2);
  const high = cpu.idt(vector * 2 + 1);
  let virtstack: Gva;
  let ss: number;
  const frame: number[] = [];
  if ((readSaved(cpu, Reg.ss) & 3) !== GUEST_PL) {
    virtstack = cpu.esp1;
    ss = cpu.ss1;
    frame.push(readSaved(cpu, Reg.ss), readSaved(cpu, Reg.esp));
  } else {
    virtstack = toGva(readSaved(cpu, Reg.esp));
    ss = readSaved(cpu, Reg.ss);
  }
  const stack = virtualizerOf(lg).stackPa(cpu, virtstack);
  if (stack === undefined) return;
  const enabled = getUser(lg, LguestData.irqEnabled(cpu.lguestData)) ?? EFLAGS_IF;
  const eflags = readSaved(cpu, Reg.eflags);
  frame.push(enabled & EFLAGS_IF ? eflags : eflags & ~EFLAGS_IF);
  frame.push(readSaved(cpu, Reg.cs), readSaved(cpu, Reg.eip));
  if (withError) frame.push(readSaved(cpu, Reg.errcode));
  for (let i = 0; i < frame.length; i++) lgwriteWord(cpu, toGpa(stack - (i + 1) * 4), frame[i]!);

  writeSaved(cpu, Reg.ss, ss);
  writeSaved(cpu, Reg.esp, virtstack - frame.length * 4);
  writeSaved(cpu, Reg.cs, Selector.KernelCode);
  writeSaved(cpu, Reg.eip, gateAddress(low, high));
  if (gateType(high) === 0xe && !putUser(lg, LguestData.irqEnabled(cpu.lguestData), 0)) {
    killGuest(cpu, 'Disabling interrupts');
  }
}

/** `guest_set_stack`: the stack for traps straight into the kernel, mapped ahead. */
export function guestSetStack(cpu: LgCpu, segment: number, esp: number, pages: number): void {
  if ((segment & 3) !== GUEST_PL) killGuest(cpu, `bad stack segment ${segment}`);
  if (pages > 2) {
    killGuest(cpu, `bad stack pages ${pages}`);
    if (!cpu.lg.steps.takesAnyStack()) return;
  }
  cpu.ss1 = segment;
  cpu.esp1 = toGva(esp);
  cpu.stackPages = pages;
  virtualizerOf(cpu.lg).stackMoved(cpu);
}

/** The text of kill_guest for an unhandled trap. */
export function unhandledTrap(cpu: LgCpu, cr2: Gva): string {
  const trapnum = readSaved(cpu, Reg.trapnum);
  const detail = trapnum === Vector.PageFault ? cr2 : readSaved(cpu, Reg.errcode);
  return `unhandled trap ${trapnum} at ${hex(readSaved(cpu, Reg.eip))} (${hex(detail)})`;
}
