/** Where each policy queues a vCPU, also when CPUs go offline. */

import { describe, expect, test } from 'vitest';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { hotplugMistakes, isOffline } from '../../src/host/hotplug.ts';
import { POLICIES, type PolicyName, policies } from '../../src/host/policy.ts';

/** A vCPU that draws 7, 8, 9 …, followed through `slices` time slices on `hostCpus` CPUs. */
function places(policy: PolicyName, number: number, hostCpus: number, slices: number): number[] {
  let drawn = 7;
  const cpu = { number, lastHostCpu: -1, lg: { host: { prandomU32: () => drawn++ } } };
  return Array.from({ length: slices }, () => {
    cpu.lastHostCpu = policies[policy].place(cpu as unknown as LgCpu, hostCpus);
    return cpu.lastHostCpu;
  });
}

test.each<[PolicyName, readonly number[]]>([
  ['pinned', [2, 2, 2, 2]],
  ['round-robin', [2, 0, 1, 2]],
  ['random', [1, 2, 0, 1]],
  ['sticky', [2, 2, 2, 2]],
  ['work-stealing', [2, 2, 2, 2]],
  ['ping-pong', [2, 0, 2, 0]],
])('%s queues vCPU 5 of 3 CPUs for %j', (policy, expected) => {
  expect(places(policy, 5, 3, 4)).toEqual(expected);
});

test.each(POLICIES)('%s uses a single CPU', (policy) => {
  expect(places(policy, 3, 1, 3)).toEqual([0, 0, 0]);
});

describe('hotplug', () => {
  const plan = [
    { cpu: 1, after: 10, for: 5 },
    { cpu: 1, after: 30 },
    { cpu: 0, after: 20, for: 10 },
  ];

  test('takes a CPU offline from a given slice, for a given number', () => {
    const offline = Array.from({ length: 40 }, (_, slice) => isOffline(plan, 1, slice));
    const expected = Array.from({ length: 40 }, (_, n) => (n >= 10 && n < 15) || n >= 30);
    expect(offline).toEqual(expected);
    expect(isOffline(plan, 1, 2 ** 31)).toBe(true);
    expect(isOffline(plan, 0, 30)).toBe(false);
  });

  test('must leave a CPU online at any time', () => {
    expect(hotplugMistakes(plan, 2)).toEqual([]);
    expect(hotplugMistakes([...plan, { cpu: 0, after: 99 }], 2)).toEqual([
      { index: 3, what: 'no host CPU is left online once 99 time slices have begun' },
    ]);
    expect(hotplugMistakes([{ cpu: 0, after: 0, for: 1 }], 1)).toHaveLength(1);
  });

  test('must name existing CPUs', () => {
    expect(hotplugMistakes([{ cpu: 2, after: 0, for: 1 }], 2)).toEqual([
      { index: 0, what: 'there is no host CPU 2 to take offline, they are 0 to 1' },
    ]);
  });
});
