/**
 * The study of lguest's claims: it runs the declared settings, and its verdicts follow the figures.
 */

import { describe, expect, test } from 'vitest';
import { costTable } from '../../src/cost/model.ts';
import { EVENT_IDS, type EventId } from '../../src/cost/table.ts';
import type { Finding, Point } from '../../src/report/study-result.ts';
import { claims } from '../../src/study/claims/claims.ts';
import { copyOnWrite } from '../../src/study/claims/programs.ts';
import { guestAlone, heldPages, runProgram } from '../../src/study/guest-alone.ts';

const COSTS = costTable();

/** Two settings of each experiment; the first of reclaim searches long for memory. */
const ARMS = Array.from(Map.groupBy(claims.arms(0.1), ({ experiment }) => experiment)).flatMap(
  ([, arms]) => arms.slice(0, 2),
);

test.each(ARMS)('$experiment $levels varies and measures the declared fields', async (arm) => {
  expect(Object.keys(claims.factors)).toEqual(expect.arrayContaining(Object.keys(arm.levels)));
  const measures = await arm.run(1, COSTS);
  expect(Object.keys(claims.measures)).toEqual(expect.arrayContaining(Object.keys(measures)));
  const parts = EVENT_IDS.map((id) => measures[`cycles_${id}`]!);
  expect(parts.reduce((a, b) => a + b, 0)).toBeCloseTo(measures['cycles']!, 3);
});

test('a run is a function of its seed', async () => {
  const [first] = ARMS;
  const run = (seed: number) => first!.run(seed, COSTS);
  expect(await run(2)).toEqual(await run(2));
  expect(await run(3)).not.toEqual(await run(2));
});

test('charts draw existing factors and measures of existing experiments', () => {
  for (const { experiment, x, y, series } of claims.charts) {
    expect(ARMS.map((arm) => arm.experiment)).toContain(experiment);
    expect(Object.keys(claims.factors)).toEqual(expect.arrayContaining([x, series]));
    expect(Object.keys(claims.measures)).toContain(y);
  }
});

test("held pages are the guest's pages that a shadow maps", () => {
  const lg = guestAlone({ seed: 1 });
  expect(heldPages(lg)).toEqual({ backed: 0, held: 0 });
  expect(runProgram(lg, copyOnWrite(1, 4, 1))).toBe(true);
  const { backed, held } = heldPages(lg);
  expect(held).toBeGreaterThan(4);
  expect(backed).toBeGreaterThanOrEqual(held);
});

describe('a verdict', () => {
  /**
   * Cycles of two seeds with the first, two with the second and two with the third: all of them for
   * entries into the guest, unless some event is named.
   */
  function point(
    choice: string,
    cycles: readonly number[],
    event: EventId = 'world_switch',
  ): Point {
    const of = (samples: readonly number[]) => ({
      median: samples[1]!,
      low: Math.min(...samples),
      high: Math.max(...samples),
      samples: [...samples, ...samples],
    });
    const parts = EVENT_IDS.map((id) => [
      `cycles_${id}`,
      of(cycles.map((n) => (id === event ? n : 0))),
    ]);
    return {
      experiment: 'set-pte',
      levels: { program: 'copy-on-write', set_pte: choice },
      measures: { cycles: of(cycles), cycles_each: of(cycles), ...Object.fromEntries(parts) },
    };
  }
  const verdictOf = (...points: readonly Point[]): Finding => claims.conclude(points)[0]!;
  const atOnce = point('at-once', [100, 101, 102]);

  test('holds where all seeds agree, with the figure', () => {
    const found = verdictOf(atOnce, point('on-fault', [200, 202, 204]));
    expect(found).toMatchObject({ verdict: 'holds', figure: { value: 50, low: 50, high: 50 } });
    expect(found.answer).toContain('No single cost');
  });

  test('does not hold where all seeds show the opposite', () => {
    expect(verdictOf(atOnce, point('on-fault', [90, 91, 92])).verdict).toBe('does not hold');
  });

  test('is undecided where seeds differ, and then no cost turns it', () => {
    const found = verdictOf(atOnce, point('on-fault', [90, 101, 110]));
    expect(found.verdict).toBe('not clear');
    expect(found.answer).not.toContain('turn');
  });

  test('is undecided with fewer than six seeds, though they all agree', () => {
    const three = (one: Point): Point => ({
      ...one,
      measures: Object.fromEntries(
        Object.entries(one.measures).map(([name, { median, samples }]) => [
          name,
          { median, samples: samples.slice(0, 3) },
        ]),
      ),
    });
    const found = verdictOf(three(atOnce), three(point('on-fault', [200, 202, 204])));
    expect(found).toMatchObject({ verdict: 'not clear', figure: { value: 50, samples: 3 } });
    expect(found.answer).toBe('It saves 50 % of them.');
  });

  test('names the cost that would turn it', () => {
    const found = verdictOf(atOnce, point('on-fault', [110, 111, 112], 'demand_page'));
    expect(found.answer).toContain(
      'That turns if world_switch costs twice as much, or demand_page costs half as much.',
    );
  });

  test('is not given for settings that were not run', () => {
    expect(claims.conclude([])).toEqual([]);
    expect(claims.conclude([atOnce])).toEqual([]);
  });
});
