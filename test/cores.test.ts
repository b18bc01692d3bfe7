/** Pinning a thread to cores, on Linux. */

import { execFileSync } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { allowedCores, pickCore, stayOn, stayOnOne } from '../src/cores.ts';

const cores = allowedCores();
afterEach(() => stayOn(cores ?? '0'));

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return cores !== undefined;
  } catch {
    return false;
  }
}

test.runIf(hasTaskset())('a thread stays on one of its cores, and is released again', () => {
  const letGo = stayOnOne(0);
  expect(allowedCores()).toBe(pickCore(cores!, 0));
  letGo();
  expect(allowedCores()).toBe(cores);
});

test('a core that does not exist changes nothing', () => {
  expect(stayOn('100000')).toBe(false);
  expect(allowedCores()).toBe(cores);
});

test.each([
  ['0-1', 0, '0'],
  ['0-1', 3, '1'],
  ['2,5-7', 1, '5'],
  ['2,5-7', 3, '7'],
  ['2,5-7', 4, '2'],
  ['6', 9, '6'],
])('of %s, number %i is %s', (list, number, core) => {
  expect(pickCore(list, number)).toBe(core);
});
