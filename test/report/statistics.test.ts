import { expect, test } from 'vitest';
import {
  estimate,
  exponentOf,
  median,
  outliers,
  ratioOf,
  summarise,
  summariseGroups,
} from '../../src/report/statistics.ts';
import { normals } from './synthetic.ts';

const times = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** In how many of 1,000 cases, each from a seed of its own. */
const share = (holds: (normal: () => number) => boolean): number =>
  times(1000).filter((seed) => holds(normals(seed))).length / 1000;

test('the median of an even number of samples is halfway between the two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([5])).toBe(5);
});

test.each([6, 25, 100])(
  'the interval of %i samples contains the true median as often as promised',
  (n) => {
    const { confidence } = summarise(times(n));
    expect(confidence).toBeGreaterThan(0.949);
    const covered = share((normal) => {
      const { low, high } = summarise(times(n).map(() => Math.exp(normal())));
      return low <= 1 && high >= 1;
    });
    expect(Math.abs(covered - confidence)).toBeLessThan(0.03);
  },
);

test('with fewer than six samples no interval is sure, and it says so', () => {
  expect(summarise([3, 1, 2])).toEqual({
    median: 2,
    low: 1,
    high: 3,
    confidence: 0.75,
    samples: 3,
  });
});

test('the interval over isolates contains the median of each', () => {
  const groups = [1, 2, 10].map((middle) => times(100).map((i) => middle + i / 1000));
  const { low, high, samples } = summariseGroups(groups);
  expect(samples).toBe(300);
  expect(low).toBeLessThanOrEqual(median(groups[0]!));
  expect(high).toBeGreaterThanOrEqual(median(groups[2]!));
});

test('outliers are named by place and distance, and none are found where there are none', () => {
  const calm = times(50).map((i) => 100 + (i % 5));
  expect(outliers(calm)).toEqual([]);
  const disturbed = calm.with(7, 306).with(30, 10);
  expect(outliers(disturbed)).toEqual([
    { index: 7, times: 3 },
    { index: 30, times: expect.closeTo(10 / 102) },
  ]);
  expect(median(disturbed)).toBe(median(calm));
});

test.each([
  { few: 3, many: 3 },
  { few: 2, many: 2 },
  { few: 3, many: 20 },
])(
  'the interval of a ratio of $few to $many contains the true one in 95 % or more',
  ({ few, many }) => {
    const covered = share((normal) => {
      const before = times(many).map(() => 10 * Math.exp(0.01 * normal()));
      const after = times(few).map(() => 13 * Math.exp(0.03 * normal()));
      const { low, high } = ratioOf(after, before)!;
      return low <= 1.3 && high >= 1.3;
    });
    expect(covered).toBeGreaterThan(0.94);
  },
);

test('the ratio of figures that are equal six times is exact', () => {
  const six = (n: number): number[] => Array(6).fill(n);
  expect(ratioOf(six(2), six(1))).toEqual({
    value: expect.closeTo(2),
    low: expect.closeTo(2),
    high: expect.closeTo(2),
  });
});

test('a single figure, or few equal ones, have no spread', () => {
  expect(ratioOf([1], [1, 2, 3])).toBeUndefined();
  expect(ratioOf([2, 2], [1, 1])).toBeUndefined();
  expect(ratioOf([2, 2, 2, 2, 2, 2], [1, 1, 1, 1, 1])).toBeUndefined();
});

test('an interval has a width unless all samples are the same', () => {
  // The second smallest and the second largest of nine would do for 95 %, and are the same.
  expect(summarise([1, 5, 5, 5, 5, 5, 5, 5, 9])).toMatchObject({ median: 5, low: 1, high: 9 });
  expect(summarise([1, 5, 5, 5, 5, 5, 5, 6, 9])).toMatchObject({ median: 5, low: 5, high: 6 });
  expect(summarise([5, 5, 5, 5, 5, 5, 5, 5, 5])).toMatchObject({ low: 5, high: 5 });
});

test('fewer than six samples make an estimate without an interval', () => {
  expect(estimate([1, 2, 3, 4, 5])).toEqual({ value: 3, samples: 5 });
  expect(estimate([1, 2, 3, 4, 5, 6])).toEqual({ value: 3.5, samples: 6, low: 1, high: 6 });
  expect(estimate([])).toEqual({ value: Number.NaN, samples: 0 });
});

test.each([0, 0.5, 1, 2])('an exponent of %d is found', (k) => {
  const sizes = [1, 2, 4, 8, 16];
  const exact = exponentOf(
    sizes,
    sizes.map((size) => 7 * size ** k),
  );
  expect(exact.value).toBeCloseTo(k);
  expect(exact.high - exact.low).toBeLessThan(1e-6);
});

test('the interval of an exponent contains the true one in 95 %', () => {
  const sizes = [16, 32, 64, 128, 256, 512];
  const covered = share((normal) => {
    const costs = sizes.map((size) => 3 * size ** 0.4 * Math.exp(0.05 * normal()));
    const { low, high } = exponentOf(sizes, costs);
    return low <= 0.4 && high >= 0.4;
  });
  expect(covered).toBeGreaterThan(0.93);
  expect(covered).toBeLessThan(0.97);
});
