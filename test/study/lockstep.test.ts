/** Host CPUs in lockstep: the same each time, waiting where they must, and nowhere else. */

import { describe, expect, test } from 'vitest';
import { flushUser, guestOf, load, setPte } from '../../src/study/lockstep/guest.ts';
import { type LockstepRun, runInLockstep } from '../../src/study/lockstep/run.ts';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Each reads pages that the shadow has forgotten, on this top level. */
const faulting = (tops: readonly string[]) =>
  guestOf(
    tops.map((on) => ({
      on,
      ops: range(2).flatMap(() => [...range(16).map(load), flushUser]),
    })),
  );

const figures = ({ waits, busyTicks, faultTicks }: LockstepRun) => ({
  ...{ waits, busyTicks, faultTicks },
});

const run = (tops: readonly string[], discipline: 'guest-lock' | 'pgdir-lock', seed = 1) =>
  runInLockstep(faulting(tops), { discipline, seed });

test('the same seed twice is the same run, and another one is not', () => {
  const first = figures(run(['A', 'A'], 'guest-lock'));
  expect(figures(run(['A', 'A'], 'guest-lock'))).toEqual(first);
  expect(figures(run(['A', 'A'], 'guest-lock', 2))).not.toEqual(first);
});

test('alone nobody waits, and each fault takes as long as the others but for the tables', () => {
  const { waits, faultTicks } = run(['A'], 'guest-lock');
  expect(Object.values(waits)).toEqual([0, 0, 0, 0]);
  expect(new Set(faultTicks).size).toBeLessThan(6);
  expect(faultTicks.length).toBeGreaterThanOrEqual(32);
});

describe('two on a pgdir each', () => {
  const separate = ['A', 'B'];

  test('wait for the guest’s lock where there is one', () => {
    expect(run(separate, 'guest-lock').waits['guest lock']).toBeGreaterThan(50);
  });

  test('and never for a pgdir’s', () => {
    const { waits } = run(separate, 'pgdir-lock');
    expect(waits['pgdir lock']).toBe(0);
  });

  test('take hardly longer than one alone', () => {
    const [one, two] = [run(['A'], 'pgdir-lock'), run(separate, 'pgdir-lock')];
    expect(Math.max(...two.busyTicks)).toBeLessThan(1.2 * Math.max(...one.busyTicks));
    expect(two.faultTicks.length).toBe(2 * one.faultTicks.length);
  });
});

test('two on one pgdir wait for its lock', () => {
  expect(run(['A', 'A'], 'pgdir-lock').waits['pgdir lock']).toBeGreaterThan(50);
});

test('who takes an entry away gets out who reads by it, and waits', () => {
  const { host, changeTicks } = runInLockstep(
    guestOf([
      { on: 'A', ops: range(4).flatMap((i) => [load(i), setPte('A', i, false)]) },
      { on: 'A', ops: range(300).map(() => load(40)) },
    ]),
    { discipline: 'lock-free', seed: 1 },
  );
  expect(changeTicks).toHaveLength(4);
  const alone = runInLockstep(
    guestOf([{ on: 'A', ops: range(4).flatMap((i) => [load(i), setPte('A', i, false)]) }]),
    { discipline: 'lock-free', seed: 1 },
  );
  expect(Math.max(...changeTicks)).toBeGreaterThan(Math.max(...alone.changeTicks));
  expect(host.guests[0]!.pgdirs.length).toBe(4);
});
