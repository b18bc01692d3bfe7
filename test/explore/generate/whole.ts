/**
 * Programs of two operations under one discipline: an eighth of them (UMBRA_SLOW: all), and another
 * eighth in each discipline and paging form.
 */

import { expect, test } from 'vitest';
import { DISCIPLINES, type DisciplineName } from '../../../shared/discipline.ts';
import { lettersOf } from '../../../src/explore/generate/alphabets.ts';
import { legalPrograms } from '../../../src/explore/generate/legality.ts';
import { type Program, programsOf } from '../../../src/explore/generate/programs.ts';
import { runUnit } from '../../../src/explore/generate/unit.ts';
import type { PagingName } from '../../../src/hardware/entry.ts';
import { someOf } from '../../slow.ts';

export const legal = (
  alphabet: string,
  operations: number,
  configuration: string,
  paging: PagingName,
): Program[] => {
  const programs = programsOf(lettersOf(alphabet, paging), configuration, operations);
  return [...legalPrograms(programs, configuration, paging)];
};

/** Some seconds each, on an idle machine. */
const MOST_MS = 900_000;

/** Each discipline in a file of its own, so that they run in parallel. */
export const allAreRight = (discipline: DisciplineName): void =>
  test.each(
    (['nonpae', 'pae'] as const).flatMap((paging, i) => {
      const first = 2 * DISCIPLINES.indexOf(discipline) + i;
      return ['AA', 'AB'].map((configuration) => ({ paging, configuration, first }));
    }),
  )(
    '$configuration, $paging',
    ({ paging, configuration, first }) => {
      const programs = someOf(legal('all', 2, configuration, paging), 8, first);
      const space = { configuration, setting: { paging, discipline, defects: [] } };
      const { schedules, steps: _, ...result } = runUnit(space, programs);
      expect(result).toEqual({
        programs: programs.length,
        blocked: 0,
        unfinished: 0,
        failed: 0,
        finds: [],
      });
      expect(schedules).toBeGreaterThan(40 * programs.length);
    },
    MOST_MS,
  );
