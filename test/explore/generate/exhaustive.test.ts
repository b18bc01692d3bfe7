/** Programs of two operations, by all behaviours. For all: umbra generate --exhaustive. */

import { expect, test } from 'vitest';
import type { DisciplineName } from '../../../shared/discipline.ts';
import type { DefectId } from '../../../src/defects.ts';
import { generatePlan, Programs, spaceText } from '../../../src/explore/generate/plan.ts';
import type { Program } from '../../../src/explore/generate/programs.ts';
import { Trial } from '../../../src/explore/generate/trial.ts';
import type { PagingName } from '../../../src/hardware/entry.ts';

interface Space {
  readonly text: string;
  readonly trial: Trial;
  readonly programs: readonly Program[];
}

function spaceOf(discipline: DisciplineName, paging: PagingName, defects: DefectId[] = []): Space {
  const plan = generatePlan({
    operations: 2,
    alphabet: 'core',
    configurations: ['AA'],
    pagings: [paging],
    disciplines: [discipline],
    defects,
    seed: 1,
    exhaustive: true,
  });
  const [space] = plan.spaces;
  return {
    text: spaceText(space!),
    trial: new Trial('AA', space!.setting),
    programs: new Programs(plan).of(space!),
  };
}

const LOADS = '[["load X"],["load X"]]';

/** With few behaviours; those with thousands are left to the command. */
const SMALL = [LOADS, '[["store X"],["store X"]]', '[["load X"],["new_pgtable A"]]'];

const named = (programs: readonly Program[], name: string): Program =>
  programs.find((program) => JSON.stringify(program) === name)!;

test.each([
  ['guest-lock', 'nonpae'],
  ['pgdir-lock', 'pae'],
] as const)('%s, %s: no behaviour fails', (discipline, paging) => {
  const { text, trial, programs } = spaceOf(discipline, paging);
  expect(text).toBe(`AA, ${paging}, ${discipline}, all behaviours`);
  for (const name of SMALL) {
    const { schedules, blocked, failure } = trial.try(named(programs, name));
    expect([failure, blocked]).toEqual([undefined, 0]);
    expect(schedules).toBeGreaterThan(20);
  }
});

test('with a defect on, one fails', () => {
  const { trial, programs } = spaceOf('guest-lock', 'nonpae', ['R1']);
  const { schedules, failure } = trial.try(named(programs, LOADS));
  expect(failure?.ending).toBe('violation');
  expect(schedules).toBeGreaterThan(1);
});
