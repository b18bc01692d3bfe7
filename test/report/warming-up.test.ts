import { expect, test } from 'vitest';
import { warmingUp } from '../../src/report/warming-up.ts';

/** Samples every `every` seconds of a run of `seconds`, at this many accesses a second. */
const run = (every: number, seconds: number, rateAt: (at: number) => number) => {
  const samples = [{ seconds: 0, accesses: 0 }];
  for (let i = 1; i <= Math.round(seconds / every); i++) {
    const { accesses } = samples.at(-1)!;
    samples.push({ seconds: i * every, accesses: accesses + rateAt(i * every) * every });
  }
  return samples;
};

test('warm-up ends at the first tenth of a second at nine tenths of the warm rate', () => {
  const slowAtFirst = (at: number) => (at <= 0.6001 ? 1e6 : 10e6);
  const { warm_up_s, warm_accesses_per_s } = warmingUp(run(0.02, 3, slowAtFirst));
  expect(warm_up_s).toBeCloseTo(0.6);
  expect(warm_accesses_per_s).toBeCloseTo(10e6);
});

test('late samples change little, and a slow end nothing', () => {
  const steady = (at: number) => (at <= 2.5001 ? 10e6 : 1e6);
  const late = run(0.02, 3, steady).filter((_, i) => i % 50 === 0 || i > 125);
  const { warm_up_s, warm_accesses_per_s } = warmingUp(late);
  expect(warm_up_s).toBeCloseTo(0);
  expect(warm_accesses_per_s).toBeCloseTo(10e6);
});

test('a short run has no figure', () => {
  expect(warmingUp(run(0.02, 0.4, () => 10e6))).toEqual({
    warm_up_s: null,
    warm_accesses_per_s: null,
  });
  expect(warmingUp([{ seconds: 0, accesses: 0 }])).toMatchObject({ warm_up_s: null });
});
