/** Machines drawn from seeds: what they are is the seed's, and what is wrong is seen. */

import { expect, test } from 'vitest';
import { Dead } from '../../shared/lguest.ts';
import { drawMachine, stress } from '../../src/check/stress.ts';

test('a seed stands for one machine, and different seeds for all kinds', () => {
  const specs = Array.from({ length: 200 }, (_, seed) => drawMachine(seed));
  expect(drawMachine(17)).toEqual(specs[17]);
  const kinds = (of: (spec: (typeof specs)[number]) => unknown) => new Set(specs.map(of)).size;
  expect(kinds((spec) => spec.hostCpus)).toBe(4);
  expect(kinds((spec) => spec.policy)).toBe(4);
  expect(kinds((spec) => spec.discipline)).toBe(2);
  expect(kinds((spec) => spec.guests[0]!.paging)).toBe(2);
  expect(kinds((spec) => spec.guests[0]!.program)).toBeGreaterThan(3);
  for (const { discipline, guests } of specs) {
    if (discipline === 'as-written') expect(guests.every((g) => g.vcpus === 1)).toBe(true);
  }
});

test('a few runs, as they come, end as they should', async () => {
  for (const seed of [3, 4, 5]) expect((await stress(seed)).faults).toEqual([]);
});

test('a guest that ends otherwise is told of', async () => {
  const { faults } = await stress(3, (machine) => {
    machine.host.guests[0]!.die(Dead.Killed, 'by hand');
  });
  expect(faults).toEqual([expect.stringMatching(/ended with "by hand"$/)]);
});
