import { expect, test } from 'vitest';
import { warmUp } from '../../bench/warm-up.ts';

test('runs the given number of rounds', async () => {
  let rounds = 0;
  const round = async () => [{ count: 1, ns: ++rounds }];
  expect(await warmUp(round, { given: 3 })).toMatchObject({ rounds: 3, settled: true });
  expect(rounds).toBe(3);
});

/** A round that blocks the thread for 20 ms and reports these times of its sides. */
const lasting = (costs: (nth: number) => readonly number[]) => async (nth: number) => {
  const end = performance.now() + 20;
  while (performance.now() < end);
  return costs(nth).map((ns) => ({ count: 1, ns }));
};

test('ends when no side gets faster', async () => {
  let last = 0;
  const round = lasting((nth) => {
    last = nth;
    return [Math.max(100, 200 - 10 * nth), 50];
  });
  expect(await warmUp(round)).toMatchObject({ settled: true });
  expect(last).toBeGreaterThan(10);
});

test('stops at its limit when one side keeps getting faster, and reports that', async () => {
  const { settled, ms } = await warmUp(lasting((nth) => [50, 1e9 * 0.9 ** nth]));
  expect(settled).toBe(false);
  expect(ms).toBeGreaterThan(800);
});

test('lasts at least the given time, however stable the samples are', async () => {
  const limits = { least: 400, longest: 400 };
  const { settled, ms } = await warmUp(
    lasting(() => [50]),
    limits,
  );
  expect(settled).toBe(true);
  expect(ms).toBeGreaterThan(400);
});
