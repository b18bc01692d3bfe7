import { expect, test } from 'vitest';
import { COUNTERS_WORDS, Counter, Counters } from '../../shared/counters.ts';
import { Stop } from '../../shared/machine-record.ts';
import { toPtr } from '../../src/hardware/address.ts';
import { smallMachine } from './machine.ts';

test('CPUs leave their loops for the first reason given', () => {
  const { machine } = smallMachine().host;
  expect(machine.stop).toBe(Stop.Running);
  machine.requestStop(Stop.Failed);
  machine.requestStop(Stop.Done);
  expect(machine.stop).toBe(Stop.Failed);
});

test('the last vCPU to retire learns that it is', () => {
  const { machine } = smallMachine().host;
  machine.aliveVcpus = 2;
  expect([machine.retireVcpu(), machine.retireVcpu()]).toEqual([1, 0]);
});

test('counters count beyond 32 bits, and hypercalls by kind', () => {
  const memory = new SharedArrayBuffer(COUNTERS_WORDS * 4);
  const counters = new Counters(memory, toPtr(0));
  counters.add(Counter.Walks, 2 ** 40);
  counters.count(Counter.Walks);
  counters.countHypercall(14);
  counters.countHypercall(29);
  counters.countHypercall(30);
  counters.countHypercall(0xffff_ffff);
  expect(counters.get(Counter.Walks)).toBe(2 ** 40 + 1);
  expect(counters.get(Counter.Hypercalls + 14)).toBe(1);
  expect(new Float64Array(memory).reduce((sum, n) => sum + n)).toBe(2 ** 40 + 3);
});

test('each time slice is begun by one CPU', () => {
  const { machine } = smallMachine().host;
  expect([machine.beginSlice(0), machine.beginSlice(0), machine.beginSlice(1)]).toEqual([
    true,
    false,
    true,
  ]);
  expect(machine.slices).toBe(2);
});

test('the most recently offered idle CPU is taken once', () => {
  const { machine } = smallMachine({ hostCpus: 2 }).host;
  expect(machine.takeIdleCpu()).toBe(-1);
  machine.offerIdleCpu(0);
  machine.offerIdleCpu(1);
  expect([machine.takeIdleCpu(), machine.takeIdleCpu()]).toEqual([1, -1]);
});
