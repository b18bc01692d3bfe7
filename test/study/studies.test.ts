/** Each study runs, repeats its figures, and measures the declared ones. */

import { expect, test } from 'vitest';
import { costTable } from '../../src/cost/model.ts';
import { STUDIES } from '../../src/study/catalogue.ts';
import { disciplines } from '../../src/study/disciplines/disciplines.ts';
import { StudyLedger } from '../../src/study/ledger.ts';
import type { Study } from '../../src/study/study.ts';
import { runStudy } from './run-study.ts';

const HEAD = { study: '', scale: 1, costs: '', version: '' };

const resultOf = (study: Study, experiment: string) =>
  runStudy(
    {
      study,
      scale: 0.5,
      seeds: [1],
      costs: costTable(),
      wants: (name) => name === experiment,
    },
    new StudyLedger(undefined, HEAD),
  );

test.each([
  ['migration', 'last_host_cpu', /last_host_cpu spares/],
  ['migration', 'shared', /Switcher pages/],
  ['disciplines', 'shared', /scale to four CPUs/],
] as const)('%s, %s: the same twice, and not empty', async (named, name, said) => {
  const study = STUDIES[named]!;
  const first = await resultOf(study, name);
  expect(await resultOf(study, name)).toEqual(first);
  expect(first.findings.length).toBeGreaterThan(0);
  expect(first.findings.map(({ claim, answer }) => `${claim} ${answer}`).join(' ')).toMatch(said);
  for (const { levels, measures } of first.points) {
    expect(Object.keys(study.factors)).toEqual(expect.arrayContaining(Object.keys(levels)));
    expect(Object.keys(measures).length).toBeGreaterThan(2);
    for (const { median } of Object.values(measures)) expect(median).toBeGreaterThanOrEqual(0);
  }
});

test('faults on real threads are counted and timed', async () => {
  const arm = disciplines.arms(0.2).find(({ experiment }) => experiment === 'threads')!;
  const found = await arm.run(1, costTable());
  expect(found['faults_per_s']).toBeGreaterThan(0);
  expect(found['fault_ns_p999']).toBeGreaterThanOrEqual(found['fault_ns_p50']!);
});
