/** Verdicts mind their intervals. */

import { expect, test } from 'vitest';
import type { Point } from '../../src/report/study-result.ts';
import { inWords, pointAt, ratioOfPoints, verdictOf } from '../../src/study/findings.ts';

const point = (side: string, samples: number[]): Point => ({
  ...{ experiment: 'e', levels: { side } },
  measures: { cost: { median: 0, low: 0, high: 0, samples } },
});

test('a ratio is made seed by seed, so that what a seed does to both cancels out', () => {
  const [a, b] = [point('a', [20, 200, 2000]), point('b', [10, 100, 1000])];
  expect(ratioOfPoints(a, b, 'cost')).toEqual({ value: 2, low: 2, high: 2 });
});

test('a claim holds where the whole interval does, and is not clear where a part does', () => {
  const figure = { value: 1.2, low: 1.1, high: 1.3 };
  expect(verdictOf(figure, { above: 1 })).toBe('holds');
  expect(verdictOf(figure, { above: 1.2 })).toBe('not clear');
  expect(verdictOf(figure, { above: 1.5 })).toBe('does not hold');
  expect(verdictOf(figure, { above: 1.3 })).toBe('does not hold');
  expect(verdictOf(figure, { below: 1 })).toBe('does not hold');
  expect(verdictOf(figure, { above: 1, below: 1.25 })).toBe('not clear');
});

test('a point is found by some of its levels', () => {
  const points = [point('a', [1]), point('b', [2])];
  expect(pointAt(points, 'e', { side: 'b' })).toBe(points[1]);
  expect(pointAt(points, 'e', { side: 'c' })).toBeUndefined();
  expect(pointAt(points, 'f', { side: 'b' })).toBeUndefined();
});

test('figures are told with three digits, and large ones whole', () => {
  expect(inWords({ value: 2.3149, low: 0.0012345, high: 12345.6 })).toBe('2.31 [0.00123, 12,346]');
});
