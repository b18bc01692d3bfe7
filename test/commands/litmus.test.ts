/** `umbra litmus`: its output beside the outcomes. */

import { expect, test } from 'vitest';
import { umbra } from './umbra.ts';

const FORM = ['--discipline', 'guest-lock', '--paging', 'nonpae'];

test('a run that was cut short has a line of its own, and is no outcome', async () => {
  const R10 = ['litmus/6-switcher/R10-one-pgdir-two-cpus.yaml', '--defects', 'R10'];
  const { code, stdout } = await umbra('litmus', ...R10, ...FORM, '--runs', '30');
  const cut = Number(/^ oops +(\d+) +cut short, and so no outcome$/m.exec(trimmed(stdout))![1]);
  expect(cut).toBeGreaterThan(0);
  const ended = Array.from(stdout.matchAll(/^ (?:allowed|forbidden) +(\d+) /gm), ([, n]) =>
    Number(n),
  );
  expect(ended.reduce((sum, n) => sum + n, 0) + cut).toBe(30);
  expect(code).toBe(1);
});

test('marks an allowed outcome that never occurred, and names what overlapped', async () => {
  const { code, stdout } = await umbra(
    'litmus',
    'litmus/1-fault/store-buffering.yaml',
    ...FORM,
    '--json',
    '-',
  );
  const [{ outcomes, overlap, cut_short, not_declared }] = JSON.parse(stdout).tests;
  expect(outcomes.map(({ is, never_met }: never) => [is, never_met])).toEqual([
    ['interesting', true],
    ['allowed', false],
    ['forbidden', false],
  ]);
  expect([cut_short, not_declared]).toEqual([{ livelock: 0, deadlock: 0, oops: 0 }, 0]);
  expect(overlap.schedules).toBeGreaterThan(0);
  expect(overlap.pairs[0].operations).toEqual([
    { vcpu: 0, place: 0, text: 'load 0x00401004' },
    { vcpu: 1, place: 0, text: 'load 0x00400004' },
  ]);
  expect(code).toBe(0);
});

test('in the text output too', async () => {
  const given = ['litmus/1-fault/store-buffering.yaml', ...FORM, '--runs', '2'];
  const few = trimmed((await umbra('litmus', ...given, '--strategy', 'sweep')).stdout);
  expect(few).toMatch(/^ interesting +never +alive and vcpu 0 r0 == 0/m);
  expect(few).toMatch(/^ forbidden +0 +alive or dead$/m);
  // The first two schedules of a sweep do one operation after the other.
  expect(few).toContain(
    '\noperations of different vCPUs overlapped in 0 of 2 schedules; of 9 pairs 9 never did:\n' +
      '  vCPU 0 load 0x00401004 | vCPU 1 load 0x00400004\n',
  );
  expect(few).toContain('\n  and 6 more\n');
});

test('choices left to the guest have a line', async () => {
  const path = 'litmus/3-set/told-before-it-is-stored.yaml';
  const { code, stdout } = await umbra(
    'litmus',
    path,
    ...FORM,
    '--strategy',
    'random',
    '--runs',
    '50',
  );
  expect(trimmed(stdout)).toMatch(/^ left to guest +[1-9]\d* +stale$/m);
  expect(code).toBe(0);
});

const trimmed = (text: string): string => text.replaceAll(/ +$/gm, '');
