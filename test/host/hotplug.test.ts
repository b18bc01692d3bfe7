/**
 * Machines whose host CPUs go offline and come back: no vCPU is lost, and offline CPUs run nothing.
 */

import { expect, test } from 'vitest';
import { type CheckedRun, runChecked } from '../../src/check/checked-run.ts';
import { POLICIES } from '../../src/host/policy.ts';
import { type GuestSpec, Machine, type MachineSpec } from '../../src/machine.ts';
import { makeReport, type RunReport } from '../../src/report/run-report.ts';

const QUANTUM = { least: 100, most: 400 };

const PARALLEL: GuestSpec = {
  name: 'parallel',
  program: { kind: 'builtin', name: 'parallel' },
  pages: 512,
  paging: 'nonpae',
  vcpus: 4,
};

async function run(
  spec: Partial<MachineSpec>,
): Promise<{ readonly result: CheckedRun; readonly report: RunReport }> {
  const machine = await Machine.boot({
    hostCpus: 2,
    policy: 'pinned',
    quantum: QUANTUM,
    seed: 1,
    discipline: 'guest-lock',
    defects: [],
    guests: [PARALLEL],
    ...spec,
  });
  const result = await runChecked(machine);
  return { result, report: makeReport(machine, result) };
}

const end = ({ ending, guests, violations }: CheckedRun): unknown => [
  ending.kind,
  guests.map(({ reason, memory }) => [reason, memory.user]),
  violations,
];

const expected = run({}).then(({ result }) => end(result));

test.each(POLICIES)(
  'under %s a guest ends as usual while three CPUs go offline and come back repeatedly',
  async (policy) => {
    const hotplug = Array.from({ length: 60 }, (_, i) => ({
      cpu: i % 3,
      after: i * 7,
      for: 12,
    }));
    const { result, report } = await run({ policy, hostCpus: 3, hotplug });
    expect(end(result)).toEqual(await expected);
    expect(report.slices).toBeGreaterThan(60 * 7);
    expect(report.hotplug.went_offline).toBeGreaterThan(0);
  },
);

test.each(['pinned', 'work-stealing'] as const)(
  'under %s a guest ends as usual with one of two CPUs offline from slice 1 on',
  async (policy) => {
    const { result, report } = await run({ policy, hotplug: [{ cpu: 1, after: 1 }] });
    expect(end(result)).toEqual(await expected);
    // Slice 0 may have been its.
    expect(report.host_cpus[1]!.operations).toBeLessThanOrEqual(QUANTUM.most);
    expect(report.hotplug).toMatchObject({ went_offline: 1, came_back: 0 });
  },
);

test('a CPU that is offline from the start to the end runs nothing at all', async () => {
  const { report } = await run({ policy: 'random', hotplug: [{ cpu: 0, after: 0 }] });
  expect([report.host_cpus[0]!.operations, report.host_cpus[0]!.entries]).toEqual([0, 0]);
  expect(report.total.migrations).toBe(0);
});

test('a CPU that comes back gets its vCPUs back', async () => {
  const { report } = await run({ hotplug: [{ cpu: 1, after: 0, for: 200 }] });
  expect(report.hotplug).toMatchObject({ went_offline: 1, came_back: 1 });
  // Two of the four have their home there, and move once.
  expect(report.host_cpus[1]!.operations).toBeGreaterThan(QUANTUM.most);
  expect(report.total.migrations).toBeLessThanOrEqual(2);
  expect(report.total.migrations).toBeGreaterThan(0);
});

test('the queue of a CPU that goes offline is handed over', async () => {
  // Four guests, two of them at home on each CPU.
  const guests = Array.from({ length: 4 }, (_, i) => ({ ...PARALLEL, name: `${i}`, vcpus: 1 }));
  const { result, report } = await run({ guests, hotplug: [{ cpu: 1, after: 20 }] });
  expect(result.guests.map((guest) => guest.reason)).toEqual(Array(4).fill('Power down'));
  expect(report.hotplug.handed_over).toBeGreaterThan(0);
});

test('allocations that fail after boot kill the guest with a reason, are counted, and leak nothing', async () => {
  const { result, report } = await run({ failAllocationAfter: 30 });
  expect(result.guests[0]!.reason).toMatch(/^(out of memory|failed to get page|Cannot populate)/);
  expect([result.ending.kind, result.violations]).toEqual(['done', []]);
  expect(report.allocations - report.failed_allocations).toBe(30);
  expect(report.failed_allocations).toBeGreaterThan(0);
  expect((await run({ failAllocationAfter: 1e6 })).report.failed_allocations).toBe(0);
});
