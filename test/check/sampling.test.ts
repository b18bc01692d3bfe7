/** Real workers, paused at safe points while they run, and resumed. */

import { describe, expect, test } from 'vitest';
import { Counter } from '../../shared/counters.ts';
import type { Host } from '../../shared/host.ts';
import { Stop } from '../../shared/machine-record.ts';
import { runChecked } from '../../src/check/checked-run.ts';
import { insiders, tlbEntries } from '../../src/check/host-cpus.ts';
import { checkAll } from '../../src/check/invariants.ts';
import { watchRun } from '../../src/check/sampling.ts';
import { violation } from '../../src/check/violation.ts';
import { pause, resume, Standing, standing } from '../../src/host/safe-point.ts';
import { type GuestSpec, Machine, type MachineSpec } from '../../src/machine.ts';
import { SLOW } from '../slow.ts';

const PARALLEL: GuestSpec = {
  name: 'parallel',
  pages: 1024,
  paging: 'nonpae',
  vcpus: 4,
  program: { kind: 'builtin', name: 'parallel' },
};

const boot = (spec: Partial<MachineSpec> = {}): Promise<Machine> =>
  Machine.boot({
    hostCpus: 4,
    guests: [PARALLEL],
    policy: 'random',
    quantum: { least: 50, most: 900 },
    seed: 1,
    discipline: 'guest-lock',
    defects: [],
    ...spec,
  });

const operations = (host: Host): number =>
  host.cpus.reduce((n, { index }) => n + host.counters(index, 0).get(Counter.Operations), 0);

const textsOf = (host: Host): string[] => checkAll(host).map(({ text }) => text);

/** Pauses per machine; three times as many with UMBRA_SLOW. */
const PAUSES = SLOW ? 99 : 33;

test(`${PAUSES} pauses: no CPU moves meanwhile, all invariants hold, and the end is the same`, async () => {
  const alone = (await runChecked(await boot())).guests[0]!.memory.user;
  let pauses = 0;
  let inside = 0;
  let cached = 0;
  // The program may end first: then another one is paused.
  while (pauses < PAUSES) {
    const machine = await boot();
    const { host } = machine;
    const run = runChecked(machine);
    for (let last = -1; pauses < PAUSES && (await pause(host)); last = operations(host)) {
      const before = operations(host);
      expect(before).toBeGreaterThanOrEqual(last);
      // Checking all of it takes as long as four pauses.
      expect(pauses % 4 === 0 ? textsOf(host) : []).toEqual([]);
      inside += insiders(host).length;
      for (const cpu of host.cpus) cached += tlbEntries(host, cpu).length;
      for (const { index } of host.cpus) expect(standing(host, index)).not.toBe(Standing.No);
      expect(operations(host)).toBe(before);
      pauses++;
      resume(host);
    }
    const { ending, violations, guests } = await run;
    expect([ending.kind, violations]).toEqual(['done', []]);
    expect(guests[0]!.memory.user).toBe(alone);
  }
  expect(inside).toBeGreaterThan(PAUSES / 10);
  expect(cached).toBeGreaterThan(PAUSES);
});

test('idle CPUs stop as well', async () => {
  const machine = await boot({ policy: 'pinned', guests: [{ ...PARALLEL, vcpus: 1 }] });
  const run = runChecked(machine);
  expect(await pause(machine.host)).toBe(true);
  const where = machine.host.cpus.map(({ index }) => standing(machine.host, index));
  expect(where.slice(1)).toEqual([Standing.Idle, Standing.Idle, Standing.Idle]);
  resume(machine.host);
  const { ending, violations } = await run;
  expect([ending.kind, violations]).toEqual(['done', []]);
});

/** End the workers of a machine that never ran. */
async function stopped(machine: Machine): Promise<void> {
  const run = machine.run();
  machine.interrupt();
  await run;
}

describe('a pause', () => {
  test('ends with an interrupt of the machine, and is impossible afterwards', async () => {
    const machine = await boot();
    const run = runChecked(machine);
    expect(await pause(machine.host)).toBe(true);
    machine.interrupt();
    const { ending, violations } = await run;
    expect([ending.kind, violations]).toEqual(['interrupted', []]);
    expect(await pause(machine.host)).toBe(false);
  });

  test('ends with the death of a host CPU', async () => {
    const machine = await boot();
    const run = runChecked(machine);
    expect(await pause(machine.host)).toBe(true);
    await machine.killHostCpu(1);
    expect((await run).ending).toMatchObject({ kind: 'cpu died', hostCpu: 1 });
  });

  test('is given up when the caller cancels it', async () => {
    // No worker runs it, so none reaches a safe point.
    const machine = await boot();
    let looks = 0;
    expect(await pause(machine.host, () => ++looks > 3)).toBe(false);
    expect(standing(machine.host, 0)).toBe(Standing.No);
    await stopped(machine);
  });
});

const WATCHING = { sampleEveryMs: 1, patienceMs: 10_000 };

describe('sampling', () => {
  test('checks over and over, and the run ends as without it', async () => {
    const run = await runChecked(await boot(), { sampleEveryMs: 40 });
    expect([run.ending.kind, run.violations]).toEqual(['done', []]);
    expect(run.samples).toBeGreaterThan(2);
    expect(run.events.length).toBeGreaterThan(4);
  });

  test('stops the machine at the first violation', async () => {
    const machine = await boot();
    const { host } = machine;
    const run = machine.run();
    let looks = 0;
    const check = () => [
      ...checkAll(host),
      ...(++looks < 3 ? [] : [violation(1, 'made up', { hostCpu: 2 }, 'this', 'that')]),
    ];
    const found = await watchRun(machine, run, check, WATCHING);
    expect(found.violations.map(({ text }) => text)).toEqual([
      'made up, host CPU 2: expected this, found that',
    ]);
    expect([found.passed, looks]).toEqual([2, 3]);
    expect(found.events.length).toBeGreaterThan(0);
    expect((await run).ending.kind).toBe('interrupted');
    expect(host.machine.stop).toBe(Stop.Interrupted);
  });

  test('finds a reference taken from outside the machine', async () => {
    const machine = await boot();
    const { host } = machine;
    const check = () => {
      host.frames.get(host.zeroPage);
      return checkAll(host);
    };
    const run = machine.run();
    const found = await watchRun(machine, run, check, WATCHING);
    expect(found.violations.map(({ title }) => title)).toEqual(['a wrong count of references']);
    await run;
  });
});
