/** The study of shootdowns: its guests make the declared accesses; verdicts follow the figures. */

import { expect, test } from 'vitest';
import { costTable } from '../../src/cost/model.ts';
import { StudyLedger } from '../../src/study/ledger.ts';
import { shootdown } from '../../src/study/shootdown/shootdown.ts';
import type { Levels, Measures } from '../../src/study/study.ts';
import { runStudy } from './run-study.ts';

const COSTS = costTable();
/** A ledger that keeps nothing. */
const HEAD = { study: 'shootdown', scale: 1, costs: '', version: '' };
const ARMS = shootdown.arms(1);

function run(experiment: string, levels: Levels, seed = 1): Promise<Measures> {
  const arm = ARMS.find(
    (one) =>
      one.experiment === experiment &&
      Object.entries(levels).every(([name, level]) => one.levels[name] === level),
  );
  return arm!.run(seed, COSTS);
}

test('each other CPU on the same pgdir gets one shootdown per page, one on another pgdir none', async () => {
  const others = 2;
  const same = await run('participants', { where: 'on the same pgdir', others });
  const apart = await run('participants', { where: 'on another pgdir', others });
  const alone = await run('participants', { where: 'on the same pgdir', others: 0 });
  expect(same['shootdowns_each']).toBe(others);
  expect(apart['shootdowns_each']).toBe(0);
  expect(same['cycles']).toBeGreaterThan(apart['cycles']!);
  // The others' own faults race with one another; the cost of the removal to its CPU is exact.
  expect(apart['cycles']! - apart['cycles_of_others']!).toBe(alone['cycles']);
  expect(same['cycles_of_others']).toBeGreaterThan(0);
  expect(same['ticks_each']).toBeGreaterThan(alone['ticks_each']!);
});

test('a flush is one shootdown per CPU for all pages, and its other entries fault in again', async () => {
  const [each, flush] = await Promise.all(
    ['a SET_PTE each', 'one flush'].map((way) => run('batches', { way, pages: 8 })),
  );
  expect(each!['shootdowns_each']).toBe(3);
  expect(flush!['shootdowns_each']).toBe(3 / 8);
  expect(flush!['faults_again']).toBeGreaterThan(each!['faults_again']!);
});

test("threads of one process cause shootdowns on each other's CPUs, a single thread none", async () => {
  const [one, two] = await Promise.all([1, 2].map((vcpus) => run('threads', { vcpus })));
  expect(one!['shootdowns_per_fault']).toBe(0);
  expect(two!['shootdowns_per_fault']).toBeGreaterThan(0);
  expect(two!['cycles']).toBeGreaterThan(one!['cycles']!);
});

test('a run is a function of its seed', async () => {
  const levels = { where: 'on the same pgdir', others: 1 };
  expect(await run('participants', levels, 3)).toEqual(await run('participants', levels, 3));
  expect(await run('participants', levels, 4)).not.toEqual(await run('participants', levels, 3));
});

test('factors and measures are described, and settings that were not run are not mentioned', async () => {
  const plan = { study: shootdown, scale: 1, seeds: [1], costs: COSTS };
  const wants = (experiment: string) => experiment === 'batches-alone';
  const { points, findings, charts } = await runStudy(
    { ...plan, wants },
    new StudyLedger(undefined, HEAD),
  );
  for (const { levels } of points) {
    expect(Object.keys(shootdown.factors)).toEqual(expect.arrayContaining(Object.keys(levels)));
  }
  expect(findings.map(({ claim }) => claim)).toEqual([expect.stringContaining('no other CPU')]);
  expect(findings[0]).toMatchObject({ verdict: 'not clear', figure: { samples: 1 } });
  expect(findings[0]!.figure).not.toHaveProperty('low');
  expect(findings[0]!.answer).toMatch(
    /^A SET_PTE each takes [\d.]+ times the cycles\. One seed is too few/,
  );
  for (const { x, y, series } of charts) {
    expect(
      points.every(({ levels, measures }) => x in levels && y in measures && series! in levels),
    ).toBe(true);
  }
});
