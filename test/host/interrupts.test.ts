/** Whether some vCPU may wake a halted one, while that changes. */

import { describe, expect, test } from 'vitest';
import { Hypercall } from '../../shared/hypercall.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { toGpa } from '../../src/hardware/address.ts';
import { IPI_IRQ, someMayWake, tryDeliverInterrupt } from '../../src/host/interrupts.ts';
import { hypercall, Scripted } from '../paging/scripted.ts';

/** Two vCPUs, of which the first is halted. */
function machine() {
  const m = Scripted.booted({ vcpus: 2, hostCpus: 2, discipline: 'guest-lock', defects: [] });
  for (const cpu of m.lg.cpus) {
    cpu.started = true;
    cpu.lguestData = toGpa(0x7000 + cpu.id * 0x1000);
  }
  m.cpu(0).halted = true;
  return m;
}

/** The first read of a field of a vCPU returns its value from before `body`, which then runs. */
function justBefore(cpu: LgCpu, field: 'irqsPending' | 'halted', body: () => void): () => boolean {
  let fired = false;
  Object.defineProperty(cpu, field, {
    configurable: true,
    get: () => {
      delete (cpu as unknown as Record<string, unknown>)[field];
      const before = cpu[field];
      body();
      fired = true;
      return before;
    },
  });
  return () => fired;
}

describe('of two vCPUs', () => {
  test('a running one may wake the other, and two halted ones wake none', () => {
    const m = machine();
    expect(someMayWake(m.lg)).toBe(true);
    m.cpu(1).halted = true;
    expect(someMayWake(m.lg)).toBe(false);
    m.cpu(0).raiseIrq(IPI_IRQ);
    expect(someMayWake(m.lg)).toBe(true);
  });

  test('one that interrupts the other and halts has woken it, at any moment of the check', () => {
    const m = machine();
    const fired = justBefore(m.cpu(0), 'irqsPending', () => {
      hypercall(m.cpu(1), Hypercall.SendIpi, 0);
      hypercall(m.cpu(1), Hypercall.Halt);
    });
    expect(someMayWake(m.lg)).toBe(true);
    expect([fired(), m.cpu(1).halted]).toEqual([true, true]);
  });

  test('one that takes its interrupt is never seen halted without one', () => {
    const m = machine();
    m.cpu(1).halted = true;
    m.cpu(0).raiseIrq(IPI_IRQ);
    m.cpu(0).setIdt((32 + IPI_IRQ) * 2, 0);
    m.cpu(0).setIdt((32 + IPI_IRQ) * 2 + 1, 0x8e00);
    // If halted were read first, the interrupt would be gone by then.
    justBefore(m.cpu(0), 'halted', () => tryDeliverInterrupt(m.cpu(0), IPI_IRQ, false));
    expect(someMayWake(m.lg)).toBe(true);
  });
});
