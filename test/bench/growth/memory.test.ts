import { expect, test } from 'vitest';
import { largestIn } from '../../../bench/growth/memory.ts';
import { specOf } from '../../../bench/growth/spec.ts';
import { layoutOf } from '../../../src/assembly.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const beside = { process: 100 * MIB, worker: 20 * MIB };

const machineOf = ({ host_cpus, guests, guest_mib }: ReturnType<typeof largestIn>[number]) =>
  layoutOf(specOf({ hostCpus: host_cpus, guests, mib: guest_mib }));

test.each([1, 16])('the largest machines for %i GiB can be laid out, and fit', (gib) => {
  for (const one of largestIn(gib * GIB, beside)) {
    const needed = machineOf(one).words * 4 + beside.process + one.host_cpus * beside.worker;
    expect(one.bytes).toBe(needed);
    expect(needed).toBeLessThanOrEqual(gib * GIB);
  }
});

test('one guest more, or one MiB, exceeds the memory, the frame numbers or the guest’s kernel', () => {
  const [small, big] = [largestIn(GIB, beside), largestIn(16 * GIB, beside)];
  const [{ bytes }] = small as [(typeof small)[number]];
  expect(GIB - bytes).toBeLessThan(34 * MIB);
  expect(small.map(({ bound_by }) => bound_by)).toEqual(small.map(() => 'memory'));
  const [guests] = big as [(typeof big)[number]];
  expect(guests.bound_by).toBe('frame numbers');
  expect(big[2]).toMatchObject({ guest_mib: 1020, bound_by: 'addresses of the guest’s kernel' });
  expect(() => machineOf({ ...guests, guests: guests.guests + 1 })).toThrow(/4 GiB/);
});
