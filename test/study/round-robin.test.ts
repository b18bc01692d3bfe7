/** Machines whose host CPUs run alternately in one thread are the same each time. */

import { expect, test } from 'vitest';
import { digestMemory } from '../../src/check/digest.ts';
import { POLICIES } from '../../src/host/policy.ts';
import type { MachineSpec } from '../../src/machine.ts';
import { statistics } from '../../src/report/run-report.ts';
import { runRoundRobin } from '../../src/study/round-robin.ts';

const specOf = (policy: (typeof POLICIES)[number], seed = 1): MachineSpec => ({
  hostCpus: 3,
  policy,
  seed,
  quantum: { least: 200, most: 2_000 },
  discipline: 'lock-free',
  guests: (['nonpae', 'pae'] as const).map((paging) => ({
    name: paging,
    paging,
    pages: 1024,
    vcpus: 2,
    program: { kind: 'workload', name: 'cow-storm', seed: 1 },
  })),
});

const run = (spec: MachineSpec) =>
  runRoundRobin(spec, (host) => ({
    total: statistics({ host }, [0, 1, 2], [0, 1]),
    memory: host.guests.map((lg) => digestMemory(host, lg).user),
  }));

test.each(POLICIES)('%s: the same machine twice has the same counts', (policy) => {
  const [first, second] = [run(specOf(policy)), run(specOf(policy))];
  expect(first).toEqual(second);
  expect(first.total.entries).toBeGreaterThan(0);
  expect(first.total.migrations > 0).toBe(policy !== 'pinned');
});

test('another seed has other time slices, and the same memory', () => {
  const [first, second] = [run(specOf('round-robin')), run(specOf('round-robin', 2))];
  expect(first.total.migrations).toBeGreaterThan(0);
  expect(first.total.entries).not.toBe(second.total.entries);
  expect(first.memory).toEqual(second.memory);
});
