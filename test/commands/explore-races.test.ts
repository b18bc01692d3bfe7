/** `umbra explore --races` and `--race N` as a user runs them. */

import { describe, expect, test } from 'vitest';
import { hasTerminal, interrupted, spaced, umbra } from './umbra.ts';

const R2 = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';
const GIVEN = [R2, '--defects', 'R2', '--discipline', 'guest-lock', '--paging', 'nonpae'];
const RACES = ['explore', ...GIVEN, '--runs', '15'];

describe('umbra explore --races', async () => {
  const { code, stdout, stderr } = await umbra(...RACES, '--races');

  test('lists the races in schedules that end well, each with a token', async () => {
    expect(stdout).toMatch(
      /^guest-lock, nonpae, with R2: 15 schedules, \d+ of them different, \d+ races; nothing wrong\nchance that one more schedule, drawn alike, .+ % \(.+\)\n1\. /,
    );
    expect(stdout).toMatch(/^2\. order race on an entry, seen in \d+ schedules?, .* ends well:$/m);
    expect(stdout).toContain(
      'writes guest pte of 0x00400000 in A: page 0x20 rw user accessed -> none',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const token = /^ {2}umbra replay (umbra\d+\.\S+)$/m.exec(stdout)![1]!;
    expect(await umbra('replay', token)).toMatchObject({ code: 0, stderr: '' });
  });

  test('--json has the same', async () => {
    const report = JSON.parse((await umbra(...RACES, '--races', '--json', '-')).stdout);
    expect(report).toMatchObject({
      schema_version: 1,
      file: R2,
      found: [{ schedules: 15, wrong: 0 }],
    });
    const numbers = report.races.map(({ number }: { number: number }) => number);
    expect(numbers).toEqual(numbers.map((_: number, i: number) => i + 1));
    expect(stdout.match(/^\d+\. /gm)).toHaveLength(numbers.length);
    expect(report.races[1].sides).toHaveLength(2);
  });
});

test.runIf(hasTerminal)('Ctrl-C ends it with the races found so far', async () => {
  const endless = ['explore', ...GIVEN, '--runs', '100000', '--races'];
  const { code, stdout } = await interrupted(/looking for races: [1-9]/, ...endless);
  expect(stdout).toMatch(
    /guest-lock, nonpae, with R2: [\d,]+ schedules?, \d+ of them different, \d+ races?/,
  );
  expect(code).toBe(130);
});

describe('umbra explore --race', () => {
  test('finds the harm, with the exit code of the failure', async () => {
    const { code, stdout, stderr } = await umbra(...RACES, '--race', '2', '--no-shrink');
    expect(stdout).toMatch(/^2\. order race on an entry/m);
    expect(stdout).toMatch(/^harm: violation: forbidden: the guest cleared the entry/m);
    expect(stdout).toMatch(/^after \d+ schedules?: \d+ of them with \S+ storeEntry first, \d+ /m);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const [, token] = /^umbra replay (umbra\d+\.\S+)$/m.exec(stdout)!;
    expect((await umbra('replay', token!)).code).toBe(1);
  });

  test('says when there is none, and how often each order occurred', async () => {
    const { code, stdout } = await umbra(
      ...['explore', 'litmus/1-fault/message-passing.yaml', '--runs', '8', '--race', '1'],
      ...['--discipline', 'guest-lock', '--paging', 'nonpae'],
    );
    const [, ...counts] =
      /^no harm in 8 schedules: (\d+) of them with .* first, (\d+) with .* first(?:, (\d+) in .*)?$/m.exec(
        stdout,
      )!;
    expect(counts.reduce((sum, n) => sum + Number(n ?? 0), 0)).toBe(8);
    expect(code).toBe(0);
  });

  test.each([
    [['--race', '99'], /there is no race 99: races 1 to \d+ were seen in these schedules/],
    [['--race', '0'], /whole number of at least 1/],
    [['--race', '1', '--races'], /cannot be used with/],
  ])('refuses %j with a message', async (args, words) => {
    const { code, stderr } = await umbra(...RACES, ...args);
    expect(spaced(stderr)).toMatch(words);
    expect(code).toBe(2);
  });
});
