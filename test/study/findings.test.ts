/** Verdicts depend on intervals, and on the number of seeds. */

import { describe, expect, test } from 'vitest';
import type { Point } from '../../src/report/study-result.ts';
import { inPercent } from '../../src/study/claim.ts';
import { changed, perSeed, pointAt, ratioOfPoints, verdictOf } from '../../src/study/findings.ts';

const point = (side: string, samples: number[]): Point => ({
  experiment: 'e',
  levels: { side },
  measures: { cost: { median: 0, samples } },
});

const SEEDS = [1, 2, 3, 4, 5, 6];

test('a ratio is computed seed by seed, so that effects of the seed cancel out', () => {
  const [a, b] = [point('a', [20, 200, 2000]), point('b', [10, 100, 1000])];
  expect(ratioOfPoints(a, b, 'cost')).toEqual({ value: 2, samples: 3 });
});

test('from six seeds on there is an interval; equal figures have one of width zero', () => {
  const [a, b] = [point('a', SEEDS), point('b', [1, 1, 1, 1, 1, 1])];
  expect(ratioOfPoints(a, b, 'cost')).toEqual({ value: 3.5, samples: 6, low: 1, high: 6 });
  expect(ratioOfPoints(a, a, 'cost')).toEqual({ value: 1, samples: 6, low: 1, high: 1 });
});

test('seeds of only one side do not count, nor those without a figure', () => {
  const [a, b] = [point('a', [...SEEDS, 7, 8]), point('b', [0, 1, 1, 1, 1, 1, 1])];
  expect(ratioOfPoints(a, b, 'cost')).toMatchObject({ samples: 6, low: 2, high: 7 });
  expect(ratioOfPoints(b, point('c', [0]), 'cost')).toEqual({ value: Number.NaN, samples: 0 });
  expect(perSeed([a, b], (x, y) => x['cost']! - y['cost']!)).toMatchObject({ samples: 7 });
});

test('a claim holds where the whole interval does, and is undecided where a part does', () => {
  const figure = { value: 1.2, samples: 6, low: 1.1, high: 1.3 };
  expect(verdictOf(figure, { above: 1 })).toBe('holds');
  expect(verdictOf(figure, { above: 1.2 })).toBe('not clear');
  expect(verdictOf(figure, { above: 1.5 })).toBe('does not hold');
  expect(verdictOf(figure, { above: 1.3 })).toBe('does not hold');
  expect(verdictOf(figure, { below: 1 })).toBe('does not hold');
  expect(verdictOf(figure, { above: 1, below: 1.25 })).toBe('not clear');
});

describe('too few seeds', () => {
  test.each([1, 2, 3, 4, 5])('%i decide nothing, though they are all the same', (seeds) => {
    const samples = Array.from({ length: seeds }, () => 7);
    const ratio = ratioOfPoints(point('a', samples), point('b', samples), 'cost');
    expect(ratio).toEqual({ value: 1, samples: seeds });
    expect(verdictOf(ratio, { above: 0.5 })).toBe('not clear');
    expect(verdictOf(ratio, { above: 2 })).toBe('not clear');
    expect(verdictOf(changed(ratio, inPercent), { below: 1000 })).toBe('not clear');
  });
});

test('converting a figure to another unit converts its interval', () => {
  expect(changed({ value: 2, samples: 6, low: 1, high: 4 }, (n) => n - 1)).toEqual({
    value: 1,
    samples: 6,
    low: 0,
    high: 3,
  });
  expect(changed({ value: 0.5, samples: 2 }, inPercent)).toEqual({ value: 50, samples: 2 });
});

test('a point is found by some of its levels', () => {
  const points = [point('a', [1]), point('b', [2])];
  expect(pointAt(points, 'e', { side: 'b' })).toBe(points[1]);
  expect(pointAt(points, 'e', { side: 'c' })).toBeUndefined();
  expect(pointAt(points, 'f', { side: 'b' })).toBeUndefined();
});
