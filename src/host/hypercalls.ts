/** Hypercalls (drivers/lguest/hypercalls.c): what a guest asks of the host. */

import { Counter } from '../../shared/counters.ts';
import { EventKind } from '../../shared/events.ts';
import {
  getUser,
  lgreadText,
  lgreadWord,
  lguestAddressOk,
  putUser,
} from '../../shared/guest-memory.ts';
import { REGISTERS_WORDS, Reg } from '../../shared/host-cpu.ts';
import { Hypercall, SHUTDOWN_POWEROFF } from '../../shared/hypercall.ts';
import {
  CHANGED_GDT,
  CHANGED_GDT_TLS,
  CHANGED_IDT,
  GDT_ENTRIES,
  IDT_ENTRIES,
  type LgCpu,
} from '../../shared/lg-cpu.ts';
import { Dead, killGuest } from '../../shared/lguest.ts';
import { LGUEST_DATA_BYTES, LguestData, RING_SLOTS, SLOT_FREE } from '../../shared/lguest-data.ts';
import { toGpa } from '../hardware/address.ts';
import { guestMappingsChanged } from '../paging/policies/compare.ts';
import { pageTableGuestDataInit } from '../paging/setup.ts';
import { guestSetStack, IPI_IRQ } from './interrupts.ts';
import { readSaved, writeSaved } from './switcher.ts';
import { virtualizerOf } from './virtualization/ways.ts';

/** Longest text that SHUTDOWN takes, with its end. */
const SHUTDOWN_TEXT = 100;

/** TLS descriptors that LOAD_TLS reads, in words. */
const TLS_WORDS = 6;

/** `do_hypercalls`: those in the ring first, then the one in the registers. */
export function doHypercalls(cpu: LgCpu): void {
  const number = readSaved(cpu, Reg.eax);
  const a = readSaved(cpu, Reg.ebx);
  const b = readSaved(cpu, Reg.ecx);
  const c = readSaved(cpu, Reg.edx);
  const d = readSaved(cpu, Reg.esi);
  if (cpu.lguestData === 0) {
    cpu.lg.counters.countHypercall(number);
    initialize(cpu, number, a);
    cpu.hypercallPending = false;
    return;
  }
  doAsyncHcalls(cpu);
  // A NOTIFY in the ring goes to the Launcher first.
  if (cpu.pendingNotify !== 0) return;
  doHcall(cpu, number, a, b, c, d);
  cpu.hypercallPending = false;
}

/** `initialize`: the first hypercall must say where lguest_data is. */
function initialize(cpu: LgCpu, number: number, address: number): void {
  if (number !== Hypercall.LguestInit) {
    killGuest(cpu, `hypercall ${number} before INIT`);
    return;
  }
  if (!lguestAddressOk(cpu.lg, toGpa(address), LGUEST_DATA_BYTES)) {
    killGuest(cpu, `bad guest page ${address.toString(16).padStart(8, '0')}`);
    return;
  }
  cpu.lguestData = toGpa(address);
  pageTableGuestDataInit(cpu);
  // Writing there may have broken copy-on-write under a page already mapped.
  guestMappingsChanged(cpu);
}

/** `do_async_hcalls`: one pass over the ring, from where this vCPU left off. */
function doAsyncHcalls(cpu: LgCpu): void {
  const { lg } = cpu;
  for (let i = 0; i < RING_SLOTS; i++) {
    const slot = cpu.nextHcall;
    const status = LguestData.hcallStatus(cpu.lguestData, slot);
    if ((getUser(lg, status) ?? SLOT_FREE) === SLOT_FREE) return;
    cpu.nextHcall = (slot + 1) % RING_SLOTS;
    const number = argument(cpu, slot, 0);
    const a = argument(cpu, slot, 1);
    const b = argument(cpu, slot, 2);
    const c = argument(cpu, slot, 3);
    const d = argument(cpu, slot, 4);
    if (number < 0 || a < 0 || b < 0 || c < 0 || d < 0) {
      return killGuest(cpu, 'Fetching async hypercalls');
    }
    lg.counters.count(Counter.AsyncHypercalls);
    doHcall(cpu, number, a, b, c, d);
    if (!putUser(lg, status, SLOT_FREE)) {
      return killGuest(cpu, 'Writing result for async hypercall');
    }
    if (cpu.pendingNotify !== 0) return;
  }
}

/** One of a call in the ring; negative where nothing is mapped. */
const argument = (cpu: LgCpu, slot: number, n: number): number =>
  getUser(cpu.lg, LguestData.hcall(cpu.lguestData, slot, n)) ?? -1;

/** `do_hcall` */
function doHcall(cpu: LgCpu, number: number, a: number, b: number, c: number, d: number): void {
  const { lg } = cpu;
  lg.counters.countHypercall(number);
  lg.host.events.record(EventKind.Hypercall, number, a, b);
  switch (number) {
    case Hypercall.FlushAsync:
    case Hypercall.SendInterrupts:
      // Leaving the guest was the purpose.
      return;
    case Hypercall.LguestInit:
      return killGuest(cpu, 'already have lguest_data');
    case Hypercall.Shutdown:
      return shutdown(cpu, a, b);
    case Hypercall.SetStack:
      return guestSetStack(cpu, a, b, c);
    case Hypercall.SetClockevent:
      cpu.clockDeadline = a === 0 ? 0 : (cpu.operations + a) >>> 0 || 1;
      return;
    case Hypercall.Ts:
      cpu.ts = a !== 0;
      return;
    case Hypercall.Halt:
      cpu.halted = true;
      return;
    case Hypercall.Notify:
      cpu.pendingNotify = toGpa(a);
      return;
    case Hypercall.StartCpu:
      return startCpu(cpu, a, b, c);
    case Hypercall.SendIpi:
      return sendIpi(cpu, a);
    case Hypercall.LoadIdtEntry:
      return loadIdtEntry(cpu, a, b, c);
    case Hypercall.LoadGdtEntry:
      return loadGdtEntry(cpu, a, b, c);
    case Hypercall.LoadTls:
      return loadTls(cpu, a);
    default:
      if (virtualizerOf(lg).hypercall(cpu, number, a, b, c, d)) return;
      return killGuest(cpu, `Bad hypercall ${number | 0}\n`);
  }
}

/** Start another vCPU on this one's page table, at `eip` with this stack. */
function startCpu(caller: LgCpu, id: number, eip: number, esp: number): void {
  const cpu = caller.lg.cpus[id];
  if (cpu === undefined) return killGuest(caller, `bad vCPU to start ${id}`);
  const { steps } = caller.lg;
  // Another vCPU may be starting it.
  const isMine = steps.claimsStart() ? cpu.claimStart() : !cpu.started;
  if (!isMine) return killGuest(caller, `bad vCPU to start ${id}`);
  if (steps.takesTables()) {
    cpu.cpuPgd = caller.cpuPgd;
    cpu.linearPages = caller.linearPages;
    cpu.cr3 = caller.cr3;
  }
  cpu.esp1 = caller.esp1;
  for (let reg = 0; reg < REGISTERS_WORDS; reg++) writeSaved(cpu, reg, readSaved(caller, reg));
  for (const [reg, value] of [
    [Reg.eip, eip],
    [Reg.esp, esp],
    [Reg.ebp, esp],
  ] as const) {
    writeSaved(cpu, reg, value);
  }
  cpu.started = true;
  cpu.lg.countWakeUp();
}

function sendIpi(caller: LgCpu, id: number): void {
  const cpu = caller.lg.cpus[id];
  if (cpu === undefined) return killGuest(caller, `bad vCPU to interrupt ${id}`);
  cpu.raiseIrq(IPI_IRQ);
  cpu.lg.countWakeUp();
  cpu.lg.host.events.record(EventKind.InterruptRaised, IPI_IRQ, id);
}

/** The text is the reason of death, of a shutdown as of a crash. */
function shutdown(cpu: LgCpu, text: number, how: number): void {
  const reason = lgreadText(cpu, toGpa(text), SHUTDOWN_TEXT);
  if (how === SHUTDOWN_POWEROFF) cpu.lg.die(Dead.PoweredOff, reason);
  else killGuest(cpu, `CRASH: ${reason}`);
}

/** `load_guest_idt_entry`: a vector that does not exist is ignored. */
function loadIdtEntry(cpu: LgCpu, vector: number, low: number, high: number): void {
  cpu.changed |= CHANGED_IDT;
  if (vector >= IDT_ENTRIES) return;
  cpu.setIdt(vector * 2, low);
  cpu.setIdt(vector * 2 + 1, high);
}

/** `load_guest_gdt_entry` */
function loadGdtEntry(cpu: LgCpu, index: number, low: number, high: number): void {
  if (index >= GDT_ENTRIES) return killGuest(cpu, `too many gdt entries ${index}`);
  cpu.setGdt(index * 2, low);
  cpu.setGdt(index * 2 + 1, high);
  cpu.changed |= CHANGED_GDT;
}

/** `guest_load_tls` */
function loadTls(cpu: LgCpu, address: number): void {
  for (let i = 0; i < TLS_WORDS; i++) cpu.setTls(i, lgreadWord(cpu, toGpa(address + i * 4)));
  cpu.changed |= CHANGED_GDT_TLS;
}
