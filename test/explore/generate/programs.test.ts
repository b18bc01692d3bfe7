/** Generated programs: their number, their allowed outcomes, and the defects they find. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DisciplineName } from '../../../shared/discipline.ts';
import type { DefectId } from '../../../src/defects.ts';
import { testFor } from '../../../src/explore/generate/clusters.ts';
import { PAGE_NUMBERS, understood } from '../../../src/explore/generate/guest.ts';
import { isLegal } from '../../../src/explore/generate/legality.ts';
import { expect as modelled } from '../../../src/explore/generate/model.ts';
import type { Program } from '../../../src/explore/generate/programs.ts';
import { testsOf } from '../../../src/explore/generate/tests.ts';
import { Trial } from '../../../src/explore/generate/trial.ts';
import { runUnit } from '../../../src/explore/generate/unit.ts';
import { readLitmus } from '../../../src/explore/litmus/read.ts';
import { Recorded } from '../../../src/explore/strategies/recorded.ts';
import { Sweep } from '../../../src/explore/strategies/sweep.ts';
import { Subject } from '../../../src/explore/subject.ts';
import { scratch } from '../../scratch.ts';
import { legal } from './whole.ts';

describe('the number of programs', () => {
  test.each([
    ['core', 2, 'AA', 'nonpae', 57],
    ['core', 2, 'AB', 'nonpae', 120],
    ['core', 2, 'AA', 'pae', 69],
    ['core', 2, 'AB', 'pae', 154],
    ['all', 2, 'AA', 'nonpae', 206],
    ['all', 2, 'AB', 'nonpae', 368],
    ['all', 2, 'AA', 'pae', 228],
    ['all', 2, 'AB', 'pae', 426],
  ] as const)('%s, %i operations, %s, %s: %i', (alphabet, n, configuration, paging, all) => {
    const programs = legal(alphabet, n, configuration, paging);
    expect(programs).toHaveLength(all);
    expect(new Set(programs.map((program) => JSON.stringify(program))).size).toBe(all);
  });

  test('vCPUs in another order and tables by other names make the same program', () => {
    const has = (programs: Program[], program: Program): number =>
      programs.filter((one) => JSON.stringify(one) === JSON.stringify(program)).length;
    const programs = legal('core', 2, 'AB', 'nonpae');
    const [one, other]: Program[] = [
      [['load X'], ['set_pgd A X']],
      [['set_pgd B X'], ['load X']],
    ];
    expect(has(programs, one!) + has(programs, other!)).toBe(1);
  });
});

/** The values of a program's outcomes, as texts; only of the named ones. */
function outcomesOf(program: Program, only: RegExp, configuration = 'AA'): string[] {
  const { sights, outcomes } = modelled(understood(program, configuration, 'nonpae'), PAGE_NUMBERS);
  const names = sights.map((sight) =>
    sight.kind === 'register'
      ? `${sight.vcpu}:${sight.name}`
      : sight.kind === 'word'
        ? `word ${sight.page.toString(16)}`
        : sight.table,
  );
  const texts = outcomes.map(({ values }) =>
    names.flatMap((name, i) => (only.test(name) ? [values[i]] : [])).join(' '),
  );
  return [...new Set(texts)].toSorted();
}

describe('a program may have the outcome of', () => {
  test('its operations one after the other', () => {
    const program = [['store X', 'load X'], ['store X']];
    // 0x100 and 0x110 are stored: the values read, and the final ones.
    expect(outcomesOf(program, /^0:r1|word 20/)).toEqual(['256 256', '256 272', '272 272']);
  });

  test('the old entry until the hypercall for the new one', () => {
    const program = [['load X', 'load X'], ['set_pte A X = page S rw user accessed dirty']];
    // Page 0x25 and then page 0x20, too: before the hypercall, each access may use either.
    expect(outcomesOf(program, /^0:r/)).toEqual(['32 32', '32 37', '37 32', '37 37']);
  });

  test('a fault, with its address', () => {
    const fault = String(0xf0f0_fa17);
    const program = [['load X'], ['set_pte A X = none']];
    expect(outcomesOf(program, /^0:/)).toEqual(['32 0', `${fault} ${0x40_0000}`]);
  });

  test('any value read from a page that was given back', () => {
    const program = [
      ['discard page S', 'set_pte A X = page S rw user accessed dirty', 'load X'],
      [],
    ];
    expect(outcomesOf(program, /^0:r0|word 25/)).toEqual([' ']);
  });
});

describe('a guest', () => {
  test.each<[string, boolean, Program]>([
    [
      'may not change one entry on two vCPUs',
      false,
      [['set_pte A X = none'], ['set_pte A X = none']],
    ],
    ['may change two entries', true, [['set_pte A X = none'], ['set_pte B X = none']]],
    [
      'may not change a kernel entry on two vCPUs',
      false,
      [['set_pte * K = page N rw accessed dirty'], ['set_pte * K = page N rw accessed dirty']],
    ],
    ['may not discard a page that it maps', false, [['discard page A'], ['load X']]],
    [
      'may discard it if another vCPU unmaps it, before or after',
      true,
      [['discard page A'], ['set_pte A X = none']],
    ],
    [
      'may not discard it if another vCPU may map it again',
      false,
      [['discard page A'], ['set_pte A X = page A rw user']],
    ],
    [
      'may discard it and then unmap it',
      true,
      [['discard page A', 'set_pte A X = none'], ['load X']],
    ],
    ['may discard an unmapped page', true, [['discard page S'], ['load X']]],
    ['may not discard a page that the kernel maps', false, [['discard page S'], ['kernel load K']]],
  ])('%s', (_, may, program) => {
    expect(isLegal(program, 'AB', 'nonpae')).toBe(may);
  });
});

describe('a failing program', () => {
  const folder = scratch('generate');
  const FAILS: Program = [
    ['new_pgtable C', 'load X'],
    ['set_pte A X = page S rw user accessed dirty'],
  ];

  test.each(
    (['nonpae', 'pae'] as const).flatMap((paging) =>
      (['guest-lock', 'pgdir-lock', 'lock-free'] as const).map((discipline) => ({
        paging,
        discipline,
      })),
    ),
  )('is found within a hundred schedules: $paging, $discipline', (setting) => {
    const wrong = new Trial('AB', { ...setting, defects: ['R17'] }).try(FAILS);
    expect(wrong.failure?.kind).toBe('invariant 4: a stale shadow entry');
    expect(wrong.schedules).toBeLessThan(100);
    const right = new Trial('AB', { ...setting, defects: [] }).try(FAILS);
    expect(right.failure).toBeUndefined();
    expect(right.schedules).toBeGreaterThan(wrong.schedules);
  });

  test('is shrunk, reported by its cause, and written as a litmus test that fails in the same way', () => {
    const setting = { paging: 'nonpae', discipline: 'guest-lock', defects: ['R17'] } as const;
    const space = { configuration: 'AB', setting };
    const larger: Program = [['syscall', ...FAILS[0]!], FAILS[1]!];
    const result = runUnit(space, [[['load X'], ['load X']], larger, FAILS]);
    expect(result).toMatchObject({ programs: 3, failed: 2 });
    const [find] = result.finds;
    expect(find).toMatchObject({ program: FAILS, cause: 'findPgdir, then newPgdir', count: 1 });
    const { name, text } = testFor({ ...find!, unit: 0, space: 0 }, space);
    const path = join(folder, name);
    writeFileSync(path, text);
    const subject = new Subject(path, readLitmus(path), setting);
    const again = subject.run(new Recorded(find!.decisions), 0);
    expect(again).toMatchObject({ ending: find!.ending, kind: find!.kind });
    // Its other schedules end in a declared outcome.
    const sweep = new Sweep({ preemptions: 0, edges: false });
    for (;;) {
      const { ending, message } = subject.run(sweep, 0);
      if (sweep.exhausted) break;
      expect(ending, message).toBe('ok');
    }
  });

  test('gives the same result on a board that has run before', () => {
    const space = {
      configuration: 'AB',
      setting: { paging: 'pae', discipline: 'lock-free', defects: ['R17'] } as const,
    };
    const first = runUnit(space, [FAILS]);
    runUnit(space, [[['flush_all'], ['store X', 'load X']]]);
    expect(runUnit(space, [FAILS])).toEqual(first);
  });
});

describe('without hand-written tests the programs of two operations find', () => {
  test.each<[DefectId, DisciplineName, string]>([
    ['R1', 'guest-lock', 'AA'],
    ['R4', 'lock-free', 'AA'],
    ['R6', 'guest-lock', 'AA'],
    ['R12', 'guest-lock', 'AA'],
  ])('%s', (defect, discipline, configuration) => {
    const setting = { paging: 'nonpae', discipline, defects: [defect] } as const;
    const programs = legal('all', 2, configuration, 'nonpae');
    const trial = new Trial(configuration, setting);
    expect(programs.some((program) => trial.try(program).failure !== undefined)).toBe(true);
  });
});

test('the whole space is written as litmus tests, which declare every order of operations', () => {
  const space = { configuration: 'AA', paging: 'nonpae' } as const;
  const tests = [...testsOf('boot', 3, space)];
  expect(tests).toHaveLength(legal('boot', 3, 'AA', 'nonpae').length);
  expect(new Set(tests.map(({ name }) => name)).size).toBe(tests.length);
  const setting = { paging: 'nonpae', discipline: 'guest-lock', defects: [] } as const;
  for (const { name, litmus } of tests.filter((_, i) => i % 8 === 0)) {
    const subject = new Subject(name, litmus, setting);
    const sweep = new Sweep({ preemptions: 0, edges: false });
    for (;;) {
      const { ending, message } = subject.run(sweep, 0);
      if (sweep.exhausted) break;
      expect(ending, `${litmus.name}: ${message}`).toBe('ok');
    }
  }
});
