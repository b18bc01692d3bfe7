/** Requests of one vCPU to flush the TLBs of others. */

import { describe, expect, test } from 'vitest';
import { Counter } from '../../shared/counters.ts';
import { Hypercall } from '../../shared/hypercall.ts';
import { LguestData } from '../../shared/lguest-data.ts';
import { lguestDataOf } from '../../src/guest/kernel/hypercalls.ts';
import { FLUSH_REQUESTS, FLUSHES_ASKED, KERNEL_LOCK } from '../../src/guest/kernel/layout.ts';
import { makeWorkload } from '../../src/guest/workloads/catalogue.ts';
import { Rig } from '../rig.ts';
import { counted, readGuest } from './at-rest.ts';

const rigOf = (vcpus: number, name: string, threads = 2): Rig =>
  new Rig({
    program: makeWorkload({ name, seed: 3, threads }),
    vcpus,
    hostCpus: 2,
    discipline: 'guest-lock',
    defects: [],
  });

const flushes = (rig: Rig) => ({
  asked: readGuest(rig.host, FLUSHES_ASKED),
  done: counted(rig, Counter.Hypercalls + Hypercall.FlushTlb),
});

describe('a request to flush', () => {
  test.each(['mmap-churn', 'fault-storm-shared'])('%s: each is answered once', (name) => {
    const rig = rigOf(4, name, 4);
    rig.runAll(97);
    const { asked, done } = flushes(rig);
    expect(asked).toBeGreaterThan(10);
    expect(done).toBe(asked);
    expect(counted(rig, Counter.Hypercalls + Hypercall.SendIpi)).toBeGreaterThanOrEqual(asked);
  });

  test('is not made on one vCPU', () => {
    const rig = rigOf(1, 'mmap-churn', 4);
    rig.runAll(97);
    expect(flushes(rig)).toEqual({ asked: 0, done: 0 });
  });

  test('is not made to vCPUs that run other processes', () => {
    const rig = rigOf(4, 'fault-storm-separate', 4);
    rig.runAll(97);
    expect(flushes(rig)).toEqual({ asked: 0, done: 0 });
  });

  test('after a change of the kernel mapping is made to all, sleeping ones too', () => {
    const rig = rigOf(4, 'kernel-churn', 1);
    rig.runAll(97);
    expect(rig.reason).toBe('Power down');
    const { asked, done } = flushes(rig);
    // The others have nothing to run: three requests, and four flushes.
    expect(asked).toBeGreaterThan(0);
    expect(done).toBe((asked / 3) * 4);
  });
});

test('a vCPU that spins for the kernel’s lock with interrupts off answers', () => {
  const rig = rigOf(2, 'mmap-churn');
  const request = () => readGuest(rig.host, FLUSH_REQUESTS + 4);
  const interrupts = () => readGuest(rig.host, LguestData.irqEnabled(lguestDataOf(1)));
  const step = (id: number) => {
    const vcpu = rig.vcpu(id, id);
    vcpu.quantum = 5;
    return rig.cpus[id]!.runner.run(vcpu);
  };
  /** vCPU 0 makes a request while it holds the lock, and the other is already spinning for it. */
  const asksTheSpinning = () => {
    for (let turn = 0; turn < 200_000; turn++) {
      const off = interrupts() === 0 && !rig.vcpu(1).halted;
      if (step(0) === 'dead') return false;
      if (request() !== 0 && off) return true;
      if (request() === 0 && step(1) === 'dead') return false;
    }
    return false;
  };
  expect(asksTheSpinning()).toBe(true);
  for (let turn = 0; turn < 20 && request() !== 0; turn++) {
    step(1);
    expect([interrupts(), readGuest(rig.host, KERNEL_LOCK)]).toEqual([0, 1]);
  }
  expect(request()).toBe(0);
});
