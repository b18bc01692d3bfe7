/** The explorer as a library. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type ExploreOptions,
  explore,
  replay,
  shrink,
  strategies,
  UserError,
} from '../src/index.ts';

const R10 = 'R10-one-pgdir-two-cpus';
const FORM = { discipline: 'guest-lock', paging: 'nonpae' } as const;

test('runs a passing test by all requested schedules, the same ones each time', async () => {
  const found = await explore(R10, { ...FORM, schedules: 50, seed: 7 });
  expect(found).toMatchObject({ schedules: 50, failure: undefined, interrupted: false });
  expect(found.different).toBeGreaterThan(10);
  expect(Object.values(found.outcomes).reduce((sum, n) => sum + n, 0)).toBe(50);
  expect(await explore(R10, { ...FORM, schedules: 50, seed: 7 })).toEqual(found);
});

test('without paging form and discipline, runs all settings of the test', async () => {
  const { schedules } = await explore('R6-no-shootdown', { schedules: 3 });
  expect(schedules).toBe(3 * 2 * 3);
});

describe('a defect', async () => {
  const { schedules, failure } = await explore(R10, { ...FORM, defects: ['R10'] });

  test('is found, and ends the search', () => {
    expect(schedules).toBeLessThan(1000);
    expect(failure).toMatchObject({ ending: 'oops', ...FORM });
    expect(failure!.message).toMatch(/^fault in the Switcher in nothing usable at 0x/);
  });

  test('is replayed', () => {
    const { ending, message, steps } = replay(failure!.token);
    expect({ ending, message }).toEqual({ ending: 'oops', message: failure!.message });
    expect(steps).toBeGreaterThan(100);
  });

  test('is shrunk, and returned with the nearest passing schedule', async () => {
    const { operations, proven, passing, token } = await shrink(failure!.token);
    expect(operations).toEqual([['load 0x00400000 -> r0'], ['load 0x00400000 -> r0']]);
    expect(proven).toBe(true);
    expect(replay(token).ending).toBe('oops');
    expect(passing!.difference).toMatch(/^when the switch from CPU \d comes /);
    expect(replay(passing!.token).ending).toBe('ok');
    await expect(shrink(passing!.token)).rejects.toThrow('there is nothing to shrink');
  });
});

test('a test may be given as text, and replaying its tokens takes the text again', async () => {
  const yaml = readFileSync(`litmus/6-switcher/${R10}.yaml`, 'utf8');
  const { failure } = await explore({ yaml }, { ...FORM, defects: ['R10'] });
  expect(replay(failure!.token, { test: { yaml } }).ending).toBe('oops');
  expect(() => replay(failure!.token)).toThrow(UserError);
});

test('an aborted search returns its result so far', async () => {
  const found = await explore(R10, { signal: AbortSignal.abort() });
  expect(found).toMatchObject({
    schedules: 0,
    different: 0,
    failure: undefined,
    interrupted: true,
  });
});

test('reports mistakes with their places', async () => {
  const wrong = { strategy: 'pct-9', schedules: 0, sead: 1, defects: ['R99'], signal: 7 };
  const mistake = await explore(R10, wrong as unknown as ExploreOptions).catch((error) => error);
  expect(mistake).toBeInstanceOf(UserError);
  const told = mistake.message.split('\n');
  expect(told).toHaveLength(5);
  expect(told).toContain('schedules: found 0, expected a whole number of at least 1');
  expect(told).toContain('signal: found 7, expected an AbortSignal');
  expect(told).toContainEqual(
    expect.stringMatching(/^strategy: found "pct-9", expected random, .*; did you mean pct-1\?$/),
  );
  expect(told).toContainEqual(expect.stringMatching(/^defects\[0\]: found "R99", expected U1, /));
  expect(told).toContainEqual(
    expect.stringMatching(/^sead: found an unknown field sead, .*; did you mean seed\?$/),
  );
  await expect(explore(R10, 7 as ExploreOptions)).rejects.toThrow('the options: found 7, expected');
  expect(strategies).toContain('pct-3');
  await expect(explore({ yaml: 'name: 7' })).rejects.toThrow(/^test\.yaml:1:7: found 7/m);
  await expect(explore('no-such-test')).rejects.toThrow(UserError);
});

test.each([undefined, 3, null, {}, { yaml: 1 }])('%j is no test, and no token', async (given) => {
  await expect(explore(given as string)).rejects.toThrow(/^test: found .*, expected a litmus test/);
  expect(() => replay(given as string)).toThrow(
    /^token: found .*, expected the token of a failure/,
  );
});

test('for the token of a world, asks for the world', async () => {
  expect(() => replay('umbraworld1.q1Yqzy')).toThrow('of a world: give that, as { test: WORLD }');
});
