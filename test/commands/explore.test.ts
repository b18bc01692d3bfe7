/** `umbra litmus`, `umbra explore` and `umbra replay` as a user meets them. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ran, umbra } from './umbra.ts';

const R2 = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';
const COMES_BACK = 'violation: forbidden: the guest cleared the entry, and the host wrote it back';
/** One setting, and the strategy that is quick for it. */
const FORM = ['--discipline', 'lock-free', '--paging', 'nonpae'];
const QUICK = [...FORM, '--strategy', 'surw'];

const folder = mkdtempSync(join(tmpdir(), 'umbra-explore-'));
afterAll(() => rmSync(folder, { recursive: true }));

const spaced = (text: string): string => text.replace(/\s+/g, ' ');

describe('a schedule that goes wrong', () => {
  /** Of a file of our own, so that it can change. */
  const file = join(folder, 'R2.yaml');
  let found: Ran;
  let token: string;
  beforeAll(() => {
    cpSync(R2, file);
    found = umbra('explore', file, '--defects', 'R2', ...QUICK);
    token = /^umbra replay (umbra1\.[\w-]+)$/m.exec(found.stdout)?.[1] ?? '';
  });

  test('is found, and printed as a line', () => {
    expect(found).toMatchObject({ code: 1, stderr: '' });
    expect(found.stdout).toMatch(/^lock-free, nonpae: \d+ schedules, \d+ of them different, /);
    expect(found.stdout).toContain(`\n${COMES_BACK}\numbra replay umbra1.`);
  });

  test('is done again from the line, each time the same', () => {
    const again = umbra('replay', token);
    expect(again).toMatchObject({ code: 1, stderr: '' });
    expect(again.stdout).toMatch(
      /^[\d,]+ steps, \d+ times another CPU's turn, digest [0-9a-f]{16}$/m,
    );
    expect(again.stdout).toContain(`\n${COMES_BACK}\n`);
    const { code, stdout } = umbra('replay', token, '--json', '-');
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      ...{ schema_version: 1, file, paging: 'nonpae', discipline: 'lock-free', defects: ['R2'] },
      ...{ ending: 'violation', message: COMES_BACK.slice('violation: '.length), outcome: 1 },
    });
    expect(again.stdout).toContain(`digest ${result.digest}\n`);
    expect(code).toBe(1);
  });

  test.each([
    ['cut', () => token.slice(0, -20), /token is damaged: it must be given whole/],
    ['of another engine', () => token.replace('umbra1', 'umbra7'), /of engine 7, .* explore again/],
    ['no token', () => 'R2', /'R2' is no token: .* begin with umbra1\./],
  ])('a line that is %s is refused', (_, given, words) => {
    const { code, stdout, stderr } = umbra('replay', given());
    expect(spaced(stderr)).toMatch(words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('is refused when the file has changed, or is gone', () => {
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('page 0x20', 'page 0x21'));
    const changed = umbra('replay', token);
    rmSync(file);
    const gone = umbra('replay', token);
    writeFileSync(file, text);
    expect(spaced(changed.stderr)).toContain('has changed since the token was printed');
    expect(spaced(gone.stderr)).toContain('R2.yaml cannot be read: ENOENT');
    expect([changed.code, gone.code]).toEqual([2, 2]);
  });
});

describe('umbra explore', () => {
  test('with no defect nothing goes wrong, in any setting', () => {
    const { code, stdout, stderr } = umbra('explore', R2, '--runs', '3');
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBe(6);
    for (const line of lines) expect(line).toMatch(/^[\w-]+, \w+: 3 schedules, .*; nothing wrong$/);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('--json says the same', () => {
    const given = ['--defects', 'R2', '--seed', '5', '--json', '-'];
    const { code, stdout } = umbra('explore', R2, ...given, ...QUICK);
    const report = JSON.parse(stdout);
    const setting = { paging: 'nonpae', discipline: 'lock-free', defects: ['R2'] };
    const failure = { ending: 'violation', token: expect.stringMatching(/^umbra1\./) };
    expect(report).toMatchObject({
      ...{ schema_version: 1, file: R2, strategy: 'surw', seed: 5 },
      found: [{ setting, failure }],
    });
    expect(report.found[0].schedules).toBeGreaterThanOrEqual(report.found[0].distinct);
    expect(report.found[0].steps).toBeGreaterThan(100);
    expect(code).toBe(1);
  });
});

describe('umbra litmus', () => {
  test('counts the outcomes of a test', () => {
    const { code, stdout, stderr } = umbra('litmus', R2, '--runs', '4', ...FORM);
    expect(stdout).toMatch(
      /R2-.*: an entry that the guest cleared stays cleared \(4 schedules\)\n/,
    );
    const counts = Array.from(stdout.matchAll(/^ (\w+) +(\d+) /gm), ([, is, n]) => [is, Number(n)]);
    const forbidden = ['forbidden', 0];
    const allowed = ['allowed', expect.any(Number)];
    expect(counts).toEqual([forbidden, forbidden, forbidden, allowed, allowed]);
    expect(Number(counts[3]![1]) + Number(counts[4]![1])).toBe(4);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('a forbidden outcome is a failure, told with its line', () => {
    const { code, stdout } = umbra('litmus', R2, '--runs', '60', '--defects', 'R2', ...QUICK);
    expect(stdout).toMatch(/^ forbidden +[1-9]\d* +not A 0x00400000 is none/m);
    expect(stdout).toContain(`\nlock-free, nonpae: ${COMES_BACK}\numbra replay umbra1.`);
    expect(code).toBe(1);
  });

  test('a folder without tests is a mistake', () => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    const { code, stderr } = umbra('litmus', empty);
    expect(spaced(stderr)).toContain('there is no litmus test (*.yaml) below it');
    expect(code).toBe(2);
  });
});

test.each([
  [['explore', R2, '--strategy', 'luck'], /Allowed choices are random, pct-1, /],
  [['litmus', R2, '--strategy', 'luck'], /Allowed choices are random, pct-1, /],
  [['explore', 'no-such.yaml'], /no-such\.yaml cannot be read: ENOENT/],
  [['litmus', 'no-such'], /no-such: there is no such file or folder/],
  [['explore', 'scenarios/false-sharing.yaml'], /expected/],
  [['explore', R2, '--defects', 'R17'], /'R17' is no defect/],
  [['explore', R2, '--runs', '0'], /whole number/],
])('%j is a mistake that is told in words', (args, words) => {
  const { code, stdout, stderr } = umbra(...args);
  expect(spaced(stderr)).toMatch(words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});
