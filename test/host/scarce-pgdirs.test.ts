/** More vCPUs than page tables that the host keeps: they wait for one another, and all progress. */

import { expect, test } from 'vitest';
import { DISCIPLINES } from '../../shared/discipline.ts';
import { runChecked } from '../../src/check/checked-run.ts';
import { Machine } from '../../src/machine.ts';

const repaired = DISCIPLINES.filter((name) => name !== 'as-written');

test.each(repaired)('%s: eight vCPUs on four CPUs share one pgdir', async (discipline) => {
  const fork = { kind: 'builtin', name: 'fork' } as const;
  const machine = await Machine.boot({
    hostCpus: 4,
    policy: 'random',
    seed: 5,
    discipline,
    defects: [],
    quantum: { least: 10, most: 1000 },
    guests: [{ name: 'fork', program: fork, pages: 1024, paging: 'pae', vcpus: 8, pgdirs: 1 }],
  });
  const { ending, guests, violations } = await runChecked(machine);
  expect([ending.kind, guests[0]!.reason, violations]).toEqual(['done', 'Power down', []]);
});
