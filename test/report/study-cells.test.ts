/** Figures of a study in tables. */

import { expect, test } from 'vitest';
import { pointsTable, short } from '../../src/report/study-cells.ts';

test.each([
  [0, '0'],
  [537, '537'],
  [9999, '9999'],
  [28_547, '28.5k'],
  [999_950, '1000k'],
  [9_467_196, '9.47M'],
  [123_456_789, '123M'],
  [-2.3e9, '-2.3G'],
  [8.2049, '8.2'],
  [1234.56, '1235'],
  [0.012345, '0.0123'],
])('%d is written as %s', (n, said) => expect(short(n)).toBe(said));

test('a column exists if some point has it, with the spread if there is one', () => {
  const samples = (median: number, low: number, high: number) => ({
    median,
    low,
    high,
    samples: [median],
  });
  const measure = { unit: '1', description: '' };
  const table = pointsTable(
    {
      factors: { side: { title: 'Side', unit: '' }, size: { title: 'Size', unit: '1' } },
      measures: {
        cost: { title: 'Cost', ...measure },
        part: { title: 'Part', ...measure, detail: true },
        other: { title: 'Other', ...measure },
      },
    },
    [
      { side: 'a', cost: samples(100, 98, 101) },
      { side: 'b', cost: samples(5, 5, 5) },
      { side: 'c', cost: samples(0, 0, 3) },
      { side: 'd', cost: samples(-9, -171, 19) },
    ].map(({ side, cost }) => ({
      experiment: 'e',
      levels: { side },
      measures: { cost, part: cost },
    })),
  );
  expect(table).toEqual({
    factors: 1,
    head: ['Side', 'Cost'],
    align: ['left', 'right'],
    rows: [
      ['a', '100 ±2 %'],
      ['b', '5'],
      ['c', '0 to 3'],
      ['d', '-171 to 19'],
    ],
  });
});
