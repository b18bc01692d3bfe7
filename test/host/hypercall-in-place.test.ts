/** A kernel routine continued after a hypercall has the effects of one that is called again. */

import { expect, test } from 'vitest';
import { makeWorkload, workloads } from '../../src/guest/workloads/catalogue.ts';
import { Rig, type RigSpec } from '../rig.ts';
import { someOf } from '../slow.ts';

/** More than one stay takes, so that none ends by it; any value has the routine called again. */
const CALLED_AGAIN = 2 ** 31;

const SIDES = [
  { vcpus: 1, hostCpus: 1, quantum: 100_003, paging: 'nonpae' },
  { vcpus: 1, hostCpus: 2, quantum: 31, paging: 'nonpae', virtualization: 'direct' },
  { vcpus: 3, hostCpus: 2, quantum: 97, paging: 'pae', pgdirs: 2, virtualization: 'nested' },
  { vcpus: 4, hostCpus: 3, quantum: 1009, paging: 'pae', pgdirs: 3, discipline: 'lock-free' },
] as const satisfies readonly (Partial<RigSpec> & { quantum: number })[];

/** The first and the third machine, or the others, in turn. */
test.each(Object.keys(workloads).entries().toArray())('%i, %s', (nth, name) => {
  for (const [seed, { quantum, ...machine }] of someOf([...SIDES.entries()], 2, nth)) {
    const program = makeWorkload({ name, seed });
    const [inPlace, calledAgain] = [{}, { stretch: CALLED_AGAIN }].map((how) => {
      const rig = new Rig({ program, ...machine, defects: [], ...how });
      rig.runAll(quantum);
      return rig;
    });
    expect(inPlace!.reason).toBe(calledAgain!.reason);
    const [a, b] = [inPlace!, calledAgain!].map(({ host }) => Buffer.from(host.words.plain.buffer));
    expect(a!.equals(b!)).toBe(true);
  }
});
