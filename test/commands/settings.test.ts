/** A litmus test runs in the settings it declares, whichever command runs it. */

import { expect, test } from 'vitest';
import { explore } from '../../src/index.ts';
import { umbra } from './umbra.ts';

const PAE = 'D2-compare-against-fault';
const NO_FORM = /D2-compare-against-fault[^\n]*: found nonpae, expected pae: it is for no other\n/;
const NO_LOCKS =
  /R2-dirty-erased[^\n]*: found guest-lock, expected lock-free: it is for no other\n/;

test.each([
  ['explore', PAE, '--paging', 'nonpae', NO_FORM],
  ['litmus', PAE, '--paging', 'nonpae', NO_FORM],
  ['campaign', PAE, '--paging', 'nonpae', NO_FORM],
  ['verify', PAE, '--paging', 'nonpae', NO_FORM],
  ['explore', 'R2-dirty-erased', '--discipline', 'guest-lock', NO_LOCKS],
  ['verify', 'R2-dirty-erased', '--discipline', 'guest-lock', NO_LOCKS],
] as const)('refuses %s %s %s %s', async (command, file, option, value, says) => {
  const { code, stdout, stderr } = await umbra(command, file, option, value);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(says);
});

test('refuses races, too', async () => {
  const { code, stderr } = await umbra('explore', PAE, '--races', '--paging', 'nonpae');
  expect([code, NO_FORM.test(stderr)]).toEqual([2, true]);
});

test('of several tests, names and skips those for other settings', async () => {
  const tests = [PAE, 'R9-same-cpu-another-vcpu', 'R2-dirty-erased'];
  const setting = ['--paging', 'nonpae', '--discipline', 'guest-lock'];
  const { code, stdout, stderr } = await umbra('litmus', ...tests, ...setting, '--runs', '2');
  expect(code).toBe(0);
  expect(stderr).toContain(
    `umbra: not for guest-lock, nonpae, and left out: ${PAE}, R2-dirty-erased\n`,
  );
  expect(stdout).toContain('R9-same-cpu-another-vcpu.yaml');
  expect(stdout).not.toContain(PAE);
});

test('as the C code was written, any test may run', async () => {
  const setting = ['--discipline', 'as-written', '--paging', 'nonpae'];
  const { code } = await umbra('litmus', 'R9-same-cpu-another-vcpu', ...setting, '--runs', '2');
  expect(code).toBe(0);
});

test('the library refuses it with the same message', async () => {
  await expect(explore(PAE, { paging: 'nonpae' })).rejects.toThrow(
    'D2-compare-against-fault: found nonpae, expected pae: it is for no other',
  );
});
