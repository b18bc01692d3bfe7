/** Thresholds: one run meets them or not; several only by a whole interval. */

import { describe, expect, test } from 'vitest';
import { judgedText, judgeEstimate, judgeRun, parseThreshold } from '../../src/report/threshold.ts';

const verdict = (text: string, faults: number) =>
  judgeRun(parseThreshold(text), { faults }).verdict;

test.each([
  ['faults < 10', 9, 10],
  ['faults <= 10', 10, 11],
  ['faults > 1e1', 11, 10],
  ['faults>=10', 10, 9],
  ['faults == 1_000', 1000, 999],
  ['faults != 0', 1, 0],
])('%s is met by %d, and not by %d', (text, good, bad) => {
  expect([verdict(text, good), verdict(text, bad)]).toEqual(['met', 'not met']);
});

test('of several runs the whole interval must be on one side; fewer than six decide nothing', () => {
  const judged = (low: number | undefined, high?: number) =>
    judgeEstimate(parseThreshold('cycles < 100'), { value: 95, samples: 6, low, high });
  expect(judged(90, 99).verdict).toBe('met');
  expect(judged(101, 120).verdict).toBe('not met');
  expect(judged(90, 101).verdict).toBe('not clear');
  expect(judged(undefined).verdict).toBe('not clear');
  expect(judgedText(judged(101, 120))).toBe('NOT MET: cycles < 100 (95 [101, 120])');
});

describe('an invalid one is refused', () => {
  test.each([
    ['faults', /found the threshold 'faults', expected a figure, one of </],
    ['faults > many', /found the threshold/],
    ['faults >> 3', /found the threshold/],
    ['fault > 3', /found the figure 'fault', .*did you mean faults\?/s],
    ['constructor > 3', /found the figure 'constructor'/],
  ])('%s', (text, message) => {
    expect(() => parseThreshold(text)).toThrow(message);
  });
});
