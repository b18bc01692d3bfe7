/** The study of paging strategies: it runs the declared settings; verdicts follow the figures. */

import { expect, test } from 'vitest';
import { costTable } from '../../src/cost/model.ts';
import { EVENT_IDS } from '../../src/cost/table.ts';
import type { Point } from '../../src/report/study-result.ts';
import { strategies } from '../../src/study/strategies/strategies.ts';
import type { Arm } from '../../src/study/study.ts';

const COSTS = costTable();

/** Small ones of each experiment, in each way. */
const ARMS = strategies
  .arms(0.1)
  .filter(({ levels: { program = 'mmap-churn', pages = 2048, batch } }) =>
    [program === 'mmap-churn', pages === 2048, batch === undefined || batch === 64].every(Boolean),
  );

const ran = await Promise.all(
  ARMS.map(async (arm) => [arm, await arm.run(1, COSTS)] as [Arm, Record<string, number>]),
);

test('each experiment has three ways', () => {
  const ways = Map.groupBy(ARMS, ({ experiment }) => experiment);
  expect([...ways].map(([name, arms]) => [name, arms.length])).toEqual([
    ['programs', 3],
    ['locality', 3],
    ['modification', 3],
  ]);
});

test.each(ran)('$experiment $levels varies and measures the declared fields', (arm, measures) => {
  expect(Object.keys(strategies.factors)).toEqual(expect.arrayContaining(Object.keys(arm.levels)));
  expect(Object.keys(strategies.measures)).toEqual(expect.arrayContaining(Object.keys(measures)));
  const parts = EVENT_IDS.map((id) => measures[`cycles_${id}`]!);
  expect(parts.reduce((a, b) => a + b, 0)).toBeCloseTo(measures['cycles']!, 3);
});

test('a run is a function of its seed', async () => {
  const [[arm, measures]] = ran as [(typeof ran)[0]];
  expect(await arm.run(1, COSTS)).toEqual(measures);
  expect(await arm.run(2, COSTS)).not.toEqual(measures);
});

test('each way gives the guest the same faults of its own', () => {
  const faults = ran
    .filter(([{ experiment }]) => experiment === 'programs')
    .map(([, { guest_faults }]) => guest_faults);
  expect(faults[0]).toBeGreaterThan(50);
  expect(new Set(faults).size).toBe(1);
});

const pointOf = ([{ experiment, levels }, measures]: (typeof ran)[0]): Point => ({
  experiment,
  levels,
  measures: Object.fromEntries(
    Object.entries(measures).map(([name, value]) => [
      name,
      { median: value, low: value, high: value, samples: Array(6).fill(value) },
    ]),
  ),
});

test('conclusions are about the settings that were run, and no others', () => {
  const points = ran.map(pointOf);
  const claims = strategies.conclude(points).map(({ claim, verdict }) => [claim, verdict]);
  expect(claims).toEqual([
    ['A walk of nested paging makes 14 references where one of a shadow makes 2.', 'holds'],
    [expect.stringMatching(/misses the TLB .* slower by nested/), 'holds'],
    [expect.stringMatching(/^Told 64 at a time/), 'holds'],
  ]);
  expect(strategies.conclude([])).toEqual([]);
  expect(strategies.conclude(points)[0]!.answer).toContain('14 (the same for all 6 seeds)');
});

test('a walk with too few references refutes the claim', () => {
  const points = ran.map(pointOf).map((point) => ({
    ...point,
    measures: {
      ...point.measures,
      references_per_walk: { median: 8, low: 8, high: 8, samples: Array(6).fill(8) },
    },
  }));
  expect(strategies.conclude(points)[0]!.verdict).toBe('does not hold');
});
