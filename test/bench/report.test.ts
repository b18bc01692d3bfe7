/** The report of benchmark results. */

import { describe, expect, test } from 'vitest';
import { verdictOn } from '../../bench/growth/measure-sweep.ts';
import { closing, formatLine, formatSweep, goalText, sparkline } from '../../bench/report.ts';
import { madeBenchmark, madeLine } from '../report/synthetic.ts';

const exact = { isolates: 0, rounds: 0 };

describe('a goal', () => {
  test.each([
    [{ of: 'native', most: 2 }, '≤ 2 × C met'],
    [{ of: 'native', most: 1.9 }, '≤ 1.9 × C missed'],
    [{ of: 'value', most: 100 }, '≤ 100 met'],
    [{ of: 'baseline', least: 11 }, '≥ 11 × missed'],
  ] as const)('%j: %s', (goal, text) => {
    expect(goalText(madeLine({ middle: 100, native: 50, goal, ...exact }))).toBe(text);
  });

  test('is unknown without a compiler', () => {
    const goal = { of: 'native', most: 2 } as const;
    expect(goalText(madeLine({ middle: 100, goal }))).toBe('≤ 2 × C not known');
  });

  test('of a rate over C holds for times too', () => {
    const unit = 'accesses/s';
    const made = { middle: 5e7, native: 1e8, unit, ...exact } as const;
    expect(goalText(madeLine({ ...made, goal: { of: 'native', most: 2 } }))).toBe('≤ 2 × C met');
    const least = { of: 'value', least: 6e7 } as const;
    expect(goalText(madeLine({ ...made, goal: least }))).toBe('≥ 60 M missed');
  });
});

test('a line shows its figures with intervals and outliers', () => {
  const line = madeLine({ name: 'walk', middle: 100, native: 50, ...exact });
  const outliers = [
    { isolate: 0, round: 3, times: 1.5 },
    { isolate: 2, round: 9, times: 0.1 },
  ];
  expect(formatLine({ ...line, outliers }).replace(/ +/g, ' ')).toBe(
    ' walk 100 exactly ns 2.00 exactly 1.00 2, 0.100 10.0 exactly to less\n',
  );
});

test('the end counts the goals met and names what is missing', () => {
  const goal = { of: 'value', most: 10 } as const;
  const lines = [1, 100].map((middle) => madeLine({ middle, goal }));
  const text = closing(madeBenchmark(lines, { interrupted: true }));
  expect(text).toMatch(/^Interrupted: .* 2 lines in 1\.0 min, 1 of 2 goals met/);
});

test('a curve begins at nothing', () => {
  expect(sparkline([1, 2, 4, 8])).toBe('▂▃▅█');
  expect(sparkline([7, 7])).toBe('██');
});

test('a sweep is shown with its exponent and whether it is the expected one', () => {
  const points = [1, 2, 4, 8].map((size) => ({
    size,
    cost: { median: 10 * size, low: 0, high: 0, confidence: 1, samples: 1 },
    samples: [],
  }));
  const exponent = { value: 1, low: 0.9, high: 1.1 };
  const verdict = verdictOn(exponent, 0);
  const sweep = { name: 'a', over: 'guests', unit: 'ns', expected: 0, points, exponent, verdict };
  const [head, sizes, costs] = formatSweep(sweep).split('\n');
  expect(head).toMatch(/▂▃▅█ {2}size\^1\.00 \[0\.90, 1\.10\]; flat is expected: steeper$/);
  expect(sizes!.trim()).toBe('1     2     4     8  guests');
  expect(costs!.trim()).toBe('10.0  20.0  40.0  80.0  ns');
});

test.each([
  [{ value: 0.1, low: -0.5, high: 0.7 }, 0, 'ok'],
  [{ value: 0.3, low: 0.1, high: 0.5 }, 0, 'not clear'],
  [{ value: 0.3, low: 0.2, high: 0.4 }, 0, 'steeper'],
  [{ value: 0.9, low: 0.8, high: 1 }, 1, 'ok'],
] as const)('an exponent of %j where %d is expected is %s', (exponent, expected, verdict) => {
  expect(verdictOn(exponent, expected)).toBe(verdict);
});
