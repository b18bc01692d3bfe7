/** Real workers, stopped at safe points while they run, and let go again. */

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

/** Of machines, and with UMBRA_SLOW three times as many. */
const PAUSES = SLOW ? 99 : 33;

test(`${PAUSES} pauses: nobody moves meanwhile, all holds, and the end is the same`, async () => {
  const alone = (await runChecked(await boot())).guests[0]!.memory.user;
  let pauses = 0;
  let inside = 0;
  let cached = 0;
  // The program may be over before: then another one is paused.
  while (pauses < PAUSES) {
    const machine = await boot();
    const { host } = machine;
    const run = runChecked(machine);
    for (let last = -1; pauses < PAUSES && (await pause(host)); last = operations(host)) {
      const before = operations(host);
      expect(before).toBeGreaterThanOrEqual(last);
      // To look at all of it takes as long as four pauses.
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

test('CPUs that have nothing to do stand as well', async () => {
  const machine = await boot({ policy: 'pinned', guests: [{ ...PARALLEL, vcpus: 1 }] });
  const run = runChecked(machine);
  expect(await pause(machine.host)).toBe(true);
  const where = machine.host.cpus.map(({ index }) => standing(machine.host, index));
  expect(where.slice(1)).toEqual([Standing.Idle, Standing.Idle, Standing.Idle]);
  resume(machine.host);
  const { ending, violations } = await run;
  expect([ending.kind, violations]).toEqual(['done', []]);
});

/** Take the workers of a machine down that was never run. */
async function stopped(machine: Machine): Promise<void> {
  const run = machine.run();
  machine.interrupt();
  await run;
}

describe('a machine that stands', () => {
  test('can be interrupted, and then it cannot be paused', async () => {
    const machine = await boot();
    const run = runChecked(machine);
    expect(await pause(machine.host)).toBe(true);
    machine.interrupt();
    const { ending, violations } = await run;
    expect([ending.kind, violations]).toEqual(['interrupted', []]);
    expect(await pause(machine.host)).toBe(false);
  });

  test('ends when one of its host CPUs dies', async () => {
    const machine = await boot();
    const run = runChecked(machine);
    expect(await pause(machine.host)).toBe(true);
    await machine.killHostCpu(1);
    expect((await run).ending).toMatchObject({ kind: 'cpu died', hostCpu: 1 });
  });

  test('is not waited for by one who gives up', async () => {
    // Nobody runs it, so nobody comes to a safe point.
    const machine = await boot();
    let looks = 0;
    expect(await pause(machine.host, () => ++looks > 3)).toBe(false);
    expect(standing(machine.host, 0)).toBe(Standing.No);
    await stopped(machine);
  });
});

const WATCHING = { sampleEveryMs: 1, patienceMs: 10_000 };

describe('sampling', () => {
  test('looks again and again, and the run is as it would have been', async () => {
    const run = await runChecked(await boot(), { sampleEveryMs: 40 });
    expect([run.ending.kind, run.violations]).toEqual(['done', []]);
    expect(run.samples).toBeGreaterThan(2);
    expect(run.events.length).toBeGreaterThan(4);
  });

  test('the first violation stops the machine where it stands', async () => {
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

  test('what somebody does to memory meanwhile is found', async () => {
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
