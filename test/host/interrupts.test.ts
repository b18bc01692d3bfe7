/** Whether a halted vCPU has somebody who may wake it, looked at while that changes. */

import { describe, expect, test } from 'vitest';
import { Hypercall } from '../../shared/hypercall.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { toGpa } from '../../src/hardware/address.ts';
import { doHypercalls } from '../../src/host/hypercalls.ts';
import { IPI_IRQ, someMayWake, tryDeliverInterrupt } from '../../src/host/interrupts.ts';
import { writeSaved } from '../../src/host/switcher.ts';
import { Scripted } from '../paging/scripted.ts';

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

function hypercall(cpu: LgCpu, ...values: number[]): void {
  for (const [i, value] of values.entries()) writeSaved(cpu, i, value);
  cpu.hypercallPending = true;
  doHypercalls(cpu);
}

/** What is read of a vCPU the first time is what was there before `body`. */
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
  test('one that runs may wake the other, and two that are halted nobody', () => {
    const m = machine();
    expect(someMayWake(m.lg)).toBe(true);
    m.cpu(1).halted = true;
    expect(someMayWake(m.lg)).toBe(false);
    m.cpu(0).raiseIrq(IPI_IRQ);
    expect(someMayWake(m.lg)).toBe(true);
  });

  test('one that interrupts the other and halts has woken it, whenever that is looked at', () => {
    const m = machine();
    const fired = justBefore(m.cpu(0), 'irqsPending', () => {
      hypercall(m.cpu(1), Hypercall.SendIpi, 0);
      hypercall(m.cpu(1), Hypercall.Halt);
    });
    expect(someMayWake(m.lg)).toBe(true);
    expect([fired(), m.cpu(1).halted]).toEqual([true, true]);
  });

  test('one that takes its interrupt is never seen asleep without one', () => {
    const m = machine();
    m.cpu(1).halted = true;
    m.cpu(0).raiseIrq(IPI_IRQ);
    m.cpu(0).setIdt((32 + IPI_IRQ) * 2, 0);
    m.cpu(0).setIdt((32 + IPI_IRQ) * 2 + 1, 0x8e00);
    // Were it looked at first whether it is halted, the interrupt would be gone by then.
    justBefore(m.cpu(0), 'halted', () => tryDeliverInterrupt(m.cpu(0), IPI_IRQ, false));
    expect(someMayWake(m.lg)).toBe(true);
  });
});
