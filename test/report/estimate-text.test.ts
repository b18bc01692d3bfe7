/** The text of figures: no interval of width zero, and none from too few seeds. */

import { expect, test } from 'vitest';
import { few, withInterval } from '../../src/report/benchmark-text.ts';
import { estimateText, intervalText, rangeText } from '../../src/report/estimate-text.ts';

test.each([
  [{ value: 2.3149, low: 0.0012345, high: 12345.6, samples: 6 }, '2.31 [0.00123, 12,346]'],
  [{ value: 537.4, low: 530, high: 541, samples: 8 }, '537 [530, 541]'],
  // With three digits both ends would be equal.
  [{ value: 0.9984, low: 0.99812, high: 0.99843, samples: 6 }, '0.9984 [0.9981, 0.9984]'],
  [{ value: 9017.2, low: 9016.95, high: 9017.31, samples: 6 }, '9,017.2 [9,017, 9,017.3]'],
  [{ value: 9017, low: 9017, high: 9017, samples: 6 }, '9,017 (the same for all 6 seeds)'],
  // But for rounding.
  [{ value: 0.3, low: 0.3, high: 0.1 + 0.2, samples: 10 }, '0.3 (the same for all 10 seeds)'],
  [{ value: 0, low: 0, high: 0, samples: 7 }, '0 (the same for all 7 seeds)'],
  [{ value: 3.0271, samples: 1 }, '3.03'],
  [{ value: 3.0271, samples: 5 }, '3.03'],
  [{ value: Number.NaN, samples: 0 }, '–'],
  [{ value: 1 / 0, samples: 6, low: 1, high: 1 / 0 }, '–'],
])('%j is written as %s', (figure, words) => {
  expect(estimateText(figure)).toBe(words);
});

test.each([
  [{ value: 23.8, low: 23.61, high: 24.3 }, '23.8 [23.6, 24.3]'],
  [{ value: 1.0002, low: 1.0001, high: 1.0004 }, '1.0002 [1.0001, 1.0004]'],
  [{ value: 150, low: 149.8, high: 150.2 }, '150.0 [149.8, 150.2]'],
  [{ value: 2, low: 2, high: 2 }, '2.00 exactly'],
])('%j of the benchmark is written as %s', (interval, words) => {
  expect(intervalText(interval, few)).toBe(words);
});

test('a range has enough digits to tell its ends apart', () => {
  expect(rangeText({ low: 1.0001, high: 1.0004 }, few)).toBe('1.0001 to 1.0004');
  expect(rangeText({ low: 2, high: 2 }, few)).toBe('2.00 to 2.00');
});

test('four samples give no interval, but are all listed', () => {
  const figure = { median: 145.1e6, low: 144e6, high: 147.2e6 };
  expect(withInterval({ ...figure, samples: 4 }, 'accesses/s')).toBe('145 (144 to 147 in 4)');
  expect(withInterval({ ...figure, samples: 6 }, 'accesses/s')).toBe('145 [144, 147]');
});
