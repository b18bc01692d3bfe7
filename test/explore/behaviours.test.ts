/** Estimates about schedules that were not run. */

import { describe, expect, test } from 'vitest';
import { Behaviours, NOT_DRAWN, unseenOf } from '../../src/explore/behaviours.ts';
import { Dice } from '../../src/explore/strategies/dice.ts';
import { formatChance } from '../../src/numbers.ts';

/** Weights of behaviours, from nearly equal to a few that are rarely drawn. */
const DISTRIBUTIONS: Readonly<Record<string, readonly number[]>> = {
  'a single one': [1],
  'ten equal ones': Array<number>(10).fill(1),
  'five hundred equal ones': Array<number>(500).fill(1),
  'more than can be drawn': Array<number>(100_000).fill(1),
  'distributed like words in a text': Array.from({ length: 10_000 }, (_, i) => 1 / (i + 1)),
  'each half as likely as the one before': Array.from({ length: 40 }, (_, i) => 0.5 ** i),
  'one, and a thousand rare ones': [0.999, ...Array<number>(1000).fill(1e-6)],
};

const TRIALS = 400;

/** In how many of 100 samples of `n` the interval contains the true chance. */
function covered(weights: readonly number[], n: number): number {
  const sums: number[] = [];
  for (const weight of weights) sums.push((sums.at(-1) ?? 0) + weight);
  const total = sums.at(-1)!;
  const dice = new Dice();
  dice.seed(n);
  let good = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const times = new Map<number, number>();
    for (let i = 0; i < n; i++) {
      const place = (dice.word() >>> 0) * (total / 2 ** 32);
      const drawn = firstAbove(sums, place);
      times.set(drawn, (times.get(drawn) ?? 0) + 1);
    }
    const seen = [...times.keys()].reduce((sum, i) => sum + weights[i]!, 0) / total;
    const of = (count: number) => [...times.values()].filter((one) => one === count).length;
    const { low, high } = unseenOf(n, of(1), of(2))!;
    if (1 - seen > low - 1e-9 && 1 - seen < high + 1e-9) good++;
  }
  return (100 * good) / TRIALS;
}

function firstAbove(sums: readonly number[], place: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}

describe('the chance of a further behaviour', () => {
  test.each(Object.entries(DISTRIBUTIONS))('lies in its interval: %s', (_, weights) => {
    for (const n of [100, 1000]) expect(covered(weights, n)).toBeGreaterThanOrEqual(88);
  });

  test('has an interval of positive width for any value', () => {
    for (const [once, twice] of [
      [0, 0],
      [100, 0],
      [0, 50],
      [40, 30],
    ] as const) {
      const { estimate, low, high } = unseenOf(100, once, twice)!;
      expect(high - low).toBeGreaterThan(0.03);
      expect([low, estimate, high]).toEqual([low, estimate, high].toSorted((a, b) => a - b));
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
    }
  });

  test('is unknown without a draw', () => {
    expect(unseenOf(0, 0, 0)).toBeUndefined();
    expect(new Behaviours().unseen).toBeUndefined();
  });

  test('counts drawn behaviours; a behaviour known from a list is not new', () => {
    const behaviours = new Behaviours();
    for (const trace of ['a', 'b', 'b', 'c']) behaviours.add(trace, true);
    behaviours.add('c', false);
    behaviours.add('d', false);
    expect(behaviours.distinct).toBe(4);
    expect(behaviours.unseen).toEqual(unseenOf(4, 1, 1));
    expect(NOT_DRAWN).toBeGreaterThan(2);
  });

  test.each([
    [{ estimate: 0.185, low: 0.162, high: 0.209 }, '19 % (16–21)'],
    [{ estimate: 0.03, low: 0.021, high: 0.0419 }, '3.0 % (2.1–4.2)'],
    [{ estimate: 0, low: 0, high: 0.0038 }, '0.00 % (0.00–0.38)'],
  ])('is printed to its precision', (unseen, text) => {
    expect(formatChance(unseen)).toBe(text);
  });
});
