import { describe, expect, test } from 'vitest';
import {
  type CompareOptions,
  compare,
  QUANTITIES,
  verdictOn,
} from '../../src/report/benchmark-comparison.ts';
import { type Made, madeBenchmark, madeLine } from './synthetic.ts';

const OPTIONS: CompareOptions = { threshold: 0.05 };

function compared(before: Made, after: Made, options = OPTIONS) {
  const runs = [before, { seed: 2, ...after }].map((made) => madeBenchmark([madeLine(made)]));
  return compare(runs[0]!, runs[1]!, options);
}

describe('a known ratio', () => {
  test.each([
    [1.3, 'slower'],
    [0.7, 'faster'],
    [1, 'no difference'],
  ] as const)('of %d is found, and called %s', (ratio, verdict) => {
    const { lines, regressions } = compared({ middle: 100 }, { middle: 100 * ratio });
    const [{ times, ...line }] = lines as [(typeof lines)[number]];
    expect(times!.value).toBeCloseTo(ratio, 1);
    expect(line.verdict).toBe(verdict);
    expect(regressions).toBe(verdict === 'slower' ? 1 : 0);
  });

  test('of rates is one of times, too: half the rate is twice the time', () => {
    const unit = 'accesses/s';
    const { lines } = compared({ unit, middle: 1e8 }, { unit, middle: 5e7 });
    expect(lines[0]!.times!.value).toBeCloseTo(2, 1);
    expect(lines[0]!.verdict).toBe('slower');
  });
});

test('no verdict where isolates of the same code differ by more', () => {
  const { lines, regressions } = compared(
    { middle: 100, isolates: 0.3 },
    { middle: 115, isolates: 0.3 },
  );
  expect(lines[0]!.verdict).toBe('too noisy to say');
  expect(regressions).toBe(0);
});

test('the same code twice is hardly ever called slower or faster', () => {
  const wrong = Array.from({ length: 200 }, (_, i) => {
    const made = { middle: 100, isolates: 0.03 };
    const { lines } = compared({ ...made, seed: 2 * i + 10 }, { ...made, seed: 2 * i + 11 });
    return lines[0]!.verdict;
  }).filter((verdict) => verdict === 'slower' || verdict === 'faster');
  expect(wrong.length).toBeLessThan(10);
});

describe('a machine that was twice as slow', () => {
  test.each(QUANTITIES)('by %s', (by) => {
    const made = { middle: 100, native: 50 };
    const { lines } = compared(made, { ...made, slow: 2 }, { ...OPTIONS, by });
    expect(lines[0]).toMatchObject({
      by,
      verdict: by === 'value' ? 'slower' : 'no difference',
    });
  });
});

test('the ratio to C is used where both have it, else the pace of the core', () => {
  const made = { middle: 100, native: 50 };
  expect(compared(made, made).lines[0]!.by).toBe('native');
  expect(compared(made, { middle: 100 }).lines[0]!.by).toBe('pace');
  expect(compared(made, { middle: 100 }, { ...OPTIONS, by: 'native' }).lines).toEqual([]);
});

test.each([
  [{ value: 1.1, low: 1.02, high: 1.2 }, 'slower'],
  [{ value: 1.1, low: 0.99, high: 1.2 }, 'too noisy to say'],
  [{ value: 0.9, low: 0.85, high: 0.96 }, 'faster'],
  [{ value: 0.9, low: 0.8, high: 1.01 }, 'too noisy to say'],
  [{ value: 1.01, low: 0.98, high: 1.04 }, 'no difference'],
  // It is slower, and it is unknown whether by more than the threshold.
  [{ value: 1.04, low: 1.01, high: 1.07 }, 'too noisy to say'],
] as const)('%j is %s', (times, verdict) => {
  expect(verdictOn(times, 0.05)).toBe(verdict);
});

test('lines of only one run are named', () => {
  const of = (...names: string[]) =>
    madeBenchmark(names.map((name) => madeLine({ name, middle: 1 })));
  const { lines, only_before, only_after } = compare(of('a', 'b'), of('b', 'c'), OPTIONS);
  expect(lines.map(({ name }) => name)).toEqual(['b']);
  expect({ only_before, only_after }).toEqual({ only_before: ['a'], only_after: ['c'] });
});

test('warns when two runs are hard to compare', () => {
  const line = madeLine({ middle: 1 });
  const before = madeBenchmark([line]);
  const after = madeBenchmark([line], {
    machine: { ...before.machine, cpu: 'another CPU' },
    runtime: { ...before.runtime, node: 'v26' },
    load: { average_before: 0, average_after: 0, others: 0.5 },
    interrupted: true,
    failed: [{ name: 'walk', reason: 'too large' }],
    project: { version: '0.1.0', dirty: true },
  });
  expect(compare(before, before, OPTIONS).warnings).toEqual([]);
  expect(compare(before, after, OPTIONS).warnings).toEqual([
    'another processor: a CPU, 2 cores before, another CPU, 2 cores after',
    'another Node: v24 before, v26 after',
    'the run after was interrupted',
    'walk could not be measured in the run after: too large',
    'the tree after had changes that no commit has',
    'others had 50 % of the cores in the run after',
  ]);
});
