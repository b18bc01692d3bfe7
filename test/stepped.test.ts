/** A machine run step by step. */

import { expect, test } from 'vitest';
import { type Scenario, stepMachine, UserError } from '../src/index.ts';

const sharing: Scenario = {
  cpus: 2,
  discipline: 'lock-free',
  guests: [{ program: { workload: 'false-sharing' }, vcpus: 2 }],
};

test('the same scenario takes the same steps, to the end of its guests, without violations', () => {
  const [first, second] = [1, 2].map(() => {
    using machine = stepMachine(sharing);
    const steps = [...machine];
    expect(machine.violations()).toEqual([]);
    expect(machine.died).toBeUndefined();
    expect(machine.inspect(['guests'])[0]!.lines[0]!.text).toMatch(/^powered off/);
    const entries = steps.flatMap(({ events }) => events.filter(({ kind }) => kind === 'Entry'));
    expect(machine.counts.entries).toBe(entries.length);
    expect(machine.step()).toBeUndefined();
    return steps;
  });
  expect(first!.length).toBeGreaterThan(1000);
  expect(second).toEqual(first);
});

test('a CPU that waits for another inside the guest has it exit within the step', () => {
  using machine = stepMachine(sharing);
  const waited = [...machine].find(({ events }) =>
    events.some(({ kind }) => kind === 'ShootdownSent'),
  )!;
  const left = waited.events.find(({ kind, cpu }) => kind === 'Exit' && cpu !== waited.cpu);
  expect(left?.text).toMatch(/^guest 0 vCPU \d: out of the guest/);
});

test('a named CPU takes the step; refuses an unknown one', () => {
  using machine = stepMachine({ ...sharing, policy: 'pinned' });
  const taken = machine.step(1)!;
  expect(taken).toEqual({
    cpu: 1,
    events: [{ cpu: 1, kind: 'TakenUp', text: 'guest 0 vCPU 1: taken in hand' }],
  });
  // The second vCPU waits to be started.
  expect(machine.step(1)?.events.map(({ kind }) => kind)).toEqual(['PutDown']);
  expect(machine.step(1)).toBeUndefined();
  expect(machine.step()?.cpu).toBe(0);
  expect(() => machine.step(2)).toThrow(UserError);
  expect(machine.inspect().map(({ title }) => title)).toContain('host CPU 1');
});

test('refuses an unknown view, and a step of a closed machine', () => {
  const machine = stepMachine(sharing);
  for (const view of ['cpu', 'stores']) {
    expect(() => machine.inspect([view as 'cpus'])).toThrow(UserError);
  }
  expect(() => machine.inspect(['cpu' as 'cpus'])).toThrow(
    'found view "cpu", expected one of cpus, guests, pgdirs, tables, switcher, frames; did you mean cpus?',
  );
  machine[Symbol.dispose]();
  for (const step of [() => machine.step(), () => machine.step(0), () => [...machine]]) {
    expect(step).toThrow('this machine is disposed of: make another one');
  }
  expect(machine.inspect(['cpus'])).toHaveLength(2);
});

test('a host that has died takes no more steps', () => {
  using machine = stepMachine({ ...sharing, discipline: 'as-written' });
  expect([...machine].length).toBeGreaterThan(100);
  expect(machine.died).toBe('BUG_ON in map_switcher_in_guest');
  expect(machine.step(0)).toBeUndefined();
});
