/** Host CPUs in lockstep: clocks that agree, waits that are charged, repeatable runs. */

import { expect, test } from 'vitest';
import type { Operation } from '../../src/explore/litmus/operations.ts';
import { guestOf, load, setPte } from '../../src/study/lockstep/guest.ts';
import { type LockstepRun, runInLockstep } from '../../src/study/lockstep/run.ts';

const FAULTS = 16;

/** Faults on pages of its own. */
const faults = (first: number): Operation[] =>
  Array.from({ length: FAULTS }, (_, i) => load(first + i));

const side = (columns: number, on: (column: number) => string, seed = 1): LockstepRun =>
  runInLockstep(
    guestOf(Array.from({ length: columns }, (_, i) => ({ on: on(i), ops: faults(i * FAULTS) }))),
    { discipline: 'pgdir-lock', seed },
  );

test('a run is a function of its seed', () => {
  const outcome = ({ ticks, waits, faultTicks, hypercallTicks }: LockstepRun) => ({
    ticks,
    waits,
    faultTicks,
    hypercallTicks,
  });
  const on = () => 'A';
  expect(outcome(side(3, on, 5))).toEqual(outcome(side(3, on, 5)));
  expect(outcome(side(3, on, 6))).not.toEqual(outcome(side(3, on, 5)));
});

test('independent CPUs take as long side by side as one of them alone', () => {
  const alone = side(1, () => 'A');
  const apart = side(2, (i) => 'AB'[i]!);
  expect(alone.faultTicks.length).toBeGreaterThanOrEqual(FAULTS);
  expect(apart.faultTicks.length).toBeGreaterThanOrEqual(2 * FAULTS);
  expect(apart.ticks / alone.ticks).toBeLessThan(1.3);
  expect(apart.waits['pgdir lock']).toBe(0);
});

test('a fault on the same pgdir waits for its lock, longer with more CPUs', () => {
  const [two, four] = [2, 4].map((columns) => side(columns, () => 'A'));
  expect(two!.waits['pgdir lock']).toBeGreaterThan(0);
  expect(four!.waits['pgdir lock']).toBeGreaterThan(two!.waits['pgdir lock']);
  expect(four!.ticks).toBeGreaterThan(two!.ticks);
});

test('a hypercall that waits for a CPU in the guest takes longer', () => {
  const ops = [load(0), setPte('A', 0, false)];
  const others = { on: 'A', ops: Array.from({ length: 200 }, () => load(1)) };
  const [alone, beside] = [[], [others]].map((more) =>
    runInLockstep(guestOf([{ on: 'A', ops }, ...more]), { discipline: 'pgdir-lock', seed: 1 }),
  );
  expect(alone!.hypercallTicks[0]).toHaveLength(1);
  expect(beside!.hypercallTicks[0]![0]).toBeGreaterThan(alone!.hypercallTicks[0]![0]!);
});
