/** Hypercalls, interrupts and traps, applied to a guest that does not run by itself. */

import { beforeEach, describe, expect, test } from 'vitest';
import { Counter } from '../../shared/counters.ts';
import { lgreadWord, lgwriteWord } from '../../shared/guest-memory.ts';
import { Reg } from '../../shared/host-cpu.ts';
import { Hypercall, SHUTDOWN_POWEROFF } from '../../shared/hypercall.ts';
import { CHANGED_GDT_TLS, CHANGED_IDT, type LgCpu } from '../../shared/lg-cpu.ts';
import { Dead } from '../../shared/lguest.ts';
import { EFLAGS_IF, LguestData, RING_SLOTS, SLOT_FREE } from '../../shared/lguest-data.ts';
import { Selector } from '../../src/guest/processor.ts';
import { builtinPrograms } from '../../src/guest/programs.ts';
import { gpfnOf, toGpa, toGva, wordInFrame } from '../../src/hardware/address.ts';
import { doHypercalls } from '../../src/host/hypercalls.ts';
import {
  deliverTrap,
  interruptPending,
  LGUEST_IRQS,
  tryDeliverInterrupt,
} from '../../src/host/interrupts.ts';
import { readSaved, writeSaved } from '../../src/host/switcher.ts';
import { hypercall as makeHypercall } from '../paging/scripted.ts';
import { Rig } from '../rig.ts';

const DATA = toGpa(0x1000);
let cpu: LgCpu;

beforeEach(() => {
  cpu = new Rig({ program: builtinPrograms['touch']!() }).vcpu();
});

const hypercall = (number: number, a = 0, b = 0, c = 0, d = 0): void =>
  makeHypercall(cpu, number, a, b, c, d);

/** LGUEST_INIT with the kernel at 3 GiB and an empty ring. */
function initialise(): void {
  lgwriteWord(cpu, LguestData.kernelAddress(DATA), 0xc000_0000);
  for (let slot = 0; slot < RING_SLOTS; slot++) {
    lgwriteWord(cpu, LguestData.hcallStatus(DATA, slot), SLOT_FREE);
  }
  hypercall(Hypercall.LguestInit, DATA);
}

function put(slot: number, ...values: number[]): void {
  for (const [i, value] of values.entries())
    lgwriteWord(cpu, LguestData.hcall(DATA, slot, i), value);
  lgwriteWord(cpu, LguestData.hcallStatus(DATA, slot), 0);
}

describe('LGUEST_INIT', () => {
  test('must come first', () => {
    hypercall(Hypercall.FlushAsync);
    expect(cpu.lg.reason).toBe('hypercall 0 before INIT');
  });

  test('tells the guest how much address space the Switcher takes', () => {
    initialise();
    expect(lgreadWord(cpu, LguestData.reserveMem(DATA))).toBe(0x40_0000);
    expect(cpu.lg.kernelAddress).toBe(0xc000_0000);
    expect(cpu.lg.dead).toBe(Dead.Alive);
  });

  test('comes once', () => {
    initialise();
    hypercall(Hypercall.LguestInit, DATA);
    expect(cpu.lg.reason).toBe('already have lguest_data');
  });

  test('refuses an address outside the guest', () => {
    hypercall(Hypercall.LguestInit, 0x7fff_f000);
    expect(cpu.lg.reason).toBe('bad guest page 7ffff000');
  });

  test('refuses a kernel inside the Switcher', () => {
    lgwriteWord(cpu, LguestData.kernelAddress(DATA), 0xffc0_0000);
    hypercall(Hypercall.LguestInit, DATA);
    expect(cpu.lg.reason).toBe('bad kernel address 0xffc00000');
  });
});

describe('after LGUEST_INIT', () => {
  beforeEach(initialise);

  test.each([
    [3, 'Bad hypercall 3\n'],
    [11, 'Bad hypercall 11\n'],
    [0xffff_ffff, 'Bad hypercall -1\n'],
    [Hypercall.SetPmd, 'Bad hypercall 13\n'],
  ])('hypercall %i kills', (number, reason) => {
    hypercall(number);
    expect(cpu.lg.reason).toBe(reason);
  });

  test('SHUTDOWN ends the guest with its text', () => {
    lgwriteWord(cpu, toGpa(0x5000), 0x0065_7962);
    hypercall(Hypercall.Shutdown, 0x5000, SHUTDOWN_POWEROFF);
    expect([cpu.lg.dead, cpu.lg.reason]).toEqual([Dead.PoweredOff, 'bye']);
  });

  test('SHUTDOWN for another reason is a crash', () => {
    lgwriteWord(cpu, toGpa(0x5000), 0x0065_7962);
    hypercall(Hypercall.Shutdown, 0x5000);
    expect([cpu.lg.dead, cpu.lg.reason]).toEqual([Dead.Killed, 'CRASH: bye']);
  });

  test.each([
    [0x68, 1, 'bad stack segment 104'],
    [0x69, 3, 'bad stack pages 3'],
  ])('SET_STACK with segment %i and %i pages is refused', (segment, pages, reason) => {
    hypercall(Hypercall.SetStack, segment, 0x8000, pages);
    expect(cpu.lg.reason).toBe(reason);
  });

  test('TS, HALT, SET_CLOCKEVENT and LOAD_IDT_ENTRY are stored with the vCPU', () => {
    cpu.changed = 0;
    hypercall(Hypercall.Ts, 1);
    hypercall(Hypercall.Halt);
    cpu.operations = 100;
    hypercall(Hypercall.SetClockevent, 50);
    hypercall(Hypercall.LoadIdtEntry, 0x80, 1, 2);
    expect([cpu.ts, cpu.halted, cpu.clockDeadline]).toEqual([true, true, 150]);
    expect([cpu.idt(0x100), cpu.idt(0x101), cpu.changed]).toEqual([1, 2, CHANGED_IDT]);
  });

  test('LOAD_TLS reads three descriptors from the guest', () => {
    for (let i = 0; i < 6; i++) lgwriteWord(cpu, toGpa(0x5000 + i * 4), 10 + i);
    cpu.changed = 0;
    hypercall(Hypercall.LoadTls, 0x5000);
    expect([0, 1, 2, 3, 4, 5].map((i) => cpu.tls(i))).toEqual([10, 11, 12, 13, 14, 15]);
    expect(cpu.changed).toBe(CHANGED_GDT_TLS);
  });

  test('LOAD_GDT_ENTRY past the end kills', () => {
    hypercall(Hypercall.LoadGdtEntry, 32, 0, 0);
    expect(cpu.lg.reason).toBe('too many gdt entries 32');
  });

  test('the ring is emptied in order before the call in the registers, and wraps around', () => {
    cpu.nextHcall = 62;
    put(62, Hypercall.SetClockevent, 5);
    put(63, Hypercall.Ts, 1);
    put(0, Hypercall.SetClockevent, 7);
    put(2, Hypercall.Halt);
    hypercall(Hypercall.FlushAsync);
    expect([cpu.clockDeadline, cpu.ts, cpu.halted, cpu.nextHcall]).toEqual([7, true, false, 1]);
    expect(lgreadWord(cpu, LguestData.hcallStatus(DATA, 62))).toBe(SLOT_FREE);
    expect(lgreadWord(cpu, LguestData.hcallStatus(DATA, 2))).toBe(0);
    expect(cpu.lg.counters.get(Counter.AsyncHypercalls)).toBe(3);
  });

  test('a NOTIFY in the ring holds up everything after it until the Launcher has handled it', () => {
    put(0, Hypercall.Notify, 0x1234);
    put(1, Hypercall.Ts, 1);
    hypercall(Hypercall.Halt);
    expect([cpu.pendingNotify, cpu.ts, cpu.halted, cpu.hypercallPending]).toEqual([
      0x1234,
      false,
      false,
      true,
    ]);
    cpu.pendingNotify = toGpa(0);
    doHypercalls(cpu);
    expect([cpu.ts, cpu.halted, cpu.hypercallPending]).toEqual([true, true, false]);
  });
});

describe('interrupts', () => {
  /** A handler at 0xc0003000, and a guest that runs in user mode with its stack at 0x6000. */
  const withHandler = (vector: number, type: number): void => {
    initialise();
    cpu.setIdt(vector * 2, 0x0061_3000);
    cpu.setIdt(vector * 2 + 1, 0xc000_8000 | (type << 8));
    cpu.esp1 = toGva(0x6000);
    cpu.ss1 = Selector.KernelData;
    writeSaved(cpu, Reg.ss, Selector.UserData);
    writeSaved(cpu, Reg.esp, 0xbfff_0000);
    writeSaved(cpu, Reg.cs, Selector.UserCode);
    writeSaved(cpu, Reg.eip, 0x0804_8000);
    writeSaved(cpu, Reg.eflags, 0x202);
  };
  const stack = (i: number): number => {
    const gpa = toGpa(0x6000 - i * 4);
    return cpu.lg.host.words.load(wordInFrame(cpu.lg.map.frame(gpfnOf(gpa)), gpa));
  };

  test("push the processor's frame, and continue in the handler with interrupts off", () => {
    withHandler(32, 0xe);
    lgwriteWord(cpu, LguestData.irqEnabled(DATA), EFLAGS_IF);
    cpu.raiseIrq(0);
    tryDeliverInterrupt(cpu, 0, false);
    expect([1, 2, 3, 4, 5].map(stack)).toEqual([
      Selector.UserData,
      0xbfff_0000,
      0x202,
      Selector.UserCode,
      0x0804_8000,
    ]);
    expect(readSaved(cpu, Reg.esp)).toBe(0x6000 - 20);
    expect(readSaved(cpu, Reg.eip)).toBe(0xc000_3000);
    expect(readSaved(cpu, Reg.cs)).toBe(Selector.KernelCode);
    expect(lgreadWord(cpu, LguestData.irqEnabled(DATA))).toBe(0);
    expect(cpu.irqsPending).toBe(0);
  });

  test('wait while the guest has them off, and set the flag that one is pending', () => {
    withHandler(32, 0xe);
    cpu.raiseIrq(0);
    tryDeliverInterrupt(cpu, 0, false);
    expect(readSaved(cpu, Reg.eip)).toBe(0x0804_8000);
    expect(lgreadWord(cpu, LguestData.irqPending(DATA))).toBe(EFLAGS_IF);
    expect(cpu.irqsPending).toBe(1);
  });

  test('wake a halted vCPU whether it has them off or not', () => {
    withHandler(33, 0xe);
    cpu.halted = true;
    cpu.raiseIrq(1);
    tryDeliverInterrupt(cpu, 1, false);
    expect([cpu.halted, readSaved(cpu, Reg.eip)]).toEqual([false, 0xc000_3000]);
  });

  test('that are blocked are not pending, and the lowest comes first', () => {
    initialise();
    expect(interruptPending(cpu).irq).toBe(LGUEST_IRQS);
    for (const irq of [3, 5, 9]) cpu.raiseIrq(irq);
    lgwriteWord(cpu, LguestData.blockedInterrupts(DATA), 1 << 3);
    expect(interruptPending(cpu)).toEqual({ irq: 5, more: true });
  });

  test('a trap pushes its error code, and one without a handler is not delivered', () => {
    withHandler(14, 0xf);
    writeSaved(cpu, Reg.errcode, 6);
    expect(deliverTrap(cpu, 14)).toBe(true);
    expect(stack(6)).toBe(6);
    expect(deliverTrap(cpu, 13)).toBe(false);
  });
});
