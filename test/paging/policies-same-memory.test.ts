/** Under every policy of the paging code a guest leaves the same memory. */

import { describe, expect, test } from 'vitest';
import { DISCIPLINES } from '../../shared/discipline.ts';
import { checkAll } from '../../src/check/invariants.ts';
import { checkNothingLeft } from '../../src/check/references.ts';
import { makeWorkload } from '../../src/guest/workloads/catalogue.ts';
import { close } from '../../src/host/launcher.ts';
import { AS_LGUEST, type PagingPolicy } from '../../src/paging/policies/declared.ts';
import { Rig } from '../rig.ts';

/** Each other option alone, and all of them. */
const OTHERS: readonly Partial<PagingPolicy>[] = [
  { setPte: 'on-fault' },
  { eviction: 'lru' },
  { eviction: 'clock' },
  { kernelMappings: 'dropped' },
  { kernelChange: 'compare' },
  { prefault: 16 },
  { reclaim: 'when-short' },
  {
    setPte: 'on-fault',
    eviction: 'lru',
    kernelMappings: 'dropped',
    kernelChange: 'compare',
    prefault: 8,
    reclaim: 'when-short',
  },
];

describe.each(DISCIPLINES)('a guest of all operations, %s', (discipline) => {
  const asWritten = discipline === 'as-written';
  const program = makeWorkload({ name: 'swarm', seed: 3, size: 3 });

  function run(policy: Partial<PagingPolicy>, paging: 'nonpae' | 'pae'): string {
    const rig = new Rig({
      program,
      paging,
      discipline,
      policy,
      pgdirs: 2,
      hostCpus: 2,
      ...(asWritten ? {} : { vcpus: 3, defects: [] }),
    });
    rig.runAll(251);
    expect([rig.reason, checkAll(rig.host)]).toEqual(['Power down', []]);
    const { user } = rig.digest();
    close(rig.host, rig.host.guests[0]!);
    expect(checkNothingLeft(rig.host)).toEqual([]);
    return user;
  }
  const alone = run(AS_LGUEST, 'nonpae');

  test.each(OTHERS.map((policy, i) => ({ policy, paging: i % 2 ? 'pae' : 'nonpae' }) as const))(
    'leaves the same memory with $policy, $paging',
    ({ policy, paging }) => {
      expect(run(policy, paging)).toBe(alone);
    },
  );
});
