/** A host CPU that steals work while others do as well. */

import { afterEach, expect, test, vi } from 'vitest';
import { RunQueue } from '../../shared/run-queue.ts';
import { loadProgram } from '../../src/guest/load.ts';
import { Scheduler } from '../../src/host/scheduler.ts';
import { Rig } from '../rig.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('the longest queue is empty when the CPU gets there: it takes from another', () => {
  const program = loadProgram({ kind: 'builtin', name: 'touch' });
  const rig = new Rig({ program, vcpus: 3, hostCpus: 3, discipline: 'guest-lock', defects: [] });
  const scheduling = {
    policy: 'work-stealing',
    quantum: { least: 1, most: 1 },
    hotplug: [],
  } as const;
  const [first, , third] = rig.cpus.map(({ host }) => new Scheduler(host, scheduling));
  for (const [id, hostCpu] of [0, 0, 1].entries()) {
    const vcpu = rig.vcpu(id);
    vcpu.nextHostCpu = hostCpu;
    first!.enqueue(vcpu);
  }
  rig.cpus[2]!.host.words.wait = () => {
    throw new Error('it sleeps, though there is work');
  };
  const { take } = RunQueue.prototype;
  let takes = 0;
  vi.spyOn(RunQueue.prototype, 'take').mockImplementation(function (this: RunQueue) {
    // The second is from the longest queue, whose own CPU comes first.
    if (++takes === 2) for (const _ of [0, 1]) first!.next(0);
    return take.call(this);
  });
  expect(third!.next(2)?.id).toBe(2);
  expect(takes).toBeGreaterThan(3);
});
