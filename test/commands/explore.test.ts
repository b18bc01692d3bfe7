/** `umbra litmus`, `umbra explore` and `umbra replay` as a user runs them. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ENGINE_VERSION } from '../../src/explore/token.ts';
import { scratch } from '../scratch.ts';
import { hasTerminal, interrupted, type Ran, spaced, umbra } from './umbra.ts';

const R2 = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';
const COMES_BACK = 'violation: forbidden: the guest cleared the entry, and the host wrote it back';
/** One setting, and the strategy that is fast for it. */
const FORM = ['--discipline', 'lock-free', '--paging', 'nonpae'];
const QUICK = [...FORM, '--strategy', 'surw'];

const folder = scratch('explore');

describe('a schedule that fails', () => {
  /** In a file of the test's own, so that it can change. */
  const file = join(folder, 'R2.yaml');
  let found: Ran;
  let token: string;
  beforeAll(async () => {
    cpSync(R2, file);
    found = await umbra('explore', file, '--defects', 'R2', ...QUICK);
    token = /^umbra replay (umbra\d\.[\w-]+)$/m.exec(found.stdout)?.[1] ?? '';
  });

  test('is found and printed as a line', () => {
    expect(found).toMatchObject({ code: 1, stderr: '' });
    expect(found.stdout).toMatch(
      /^lock-free, nonpae, with R2: \d+ schedules, \d+ of them different, /,
    );
    expect(found.stdout).toContain(`\n${COMES_BACK}\numbra replay umbra${ENGINE_VERSION}.`);
  });

  test('fails in the same way on worker threads', async () => {
    expect(found.stdout).toContain('\non 2 threads it takes the same steps\n');
    const again = await umbra('replay', token, '--engine', 'threads');
    expect(again).toMatchObject({ code: 1, stderr: '' });
    expect(again.stdout).toContain('\non 2 threads it takes the same steps\n');
  });

  test('replays from the line, the same each time', async () => {
    const again = await umbra('replay', token);
    expect(again).toMatchObject({ code: 1, stderr: '' });
    expect(again.stdout).toMatch(/^[\d,]+ steps, \d+ switch(es)?, digest [0-9a-f]{16}$/m);
    expect(again.stdout).toContain(`\n${COMES_BACK}\n`);
    const { code, stdout } = await umbra('replay', token, '--json', '-');
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      schema_version: 1,
      file,
      paging: 'nonpae',
      discipline: 'lock-free',
      defects: ['R2'],
      ending: 'violation',
      message: COMES_BACK.slice('violation: '.length),
      outcome: 1,
    });
    expect(again.stdout).toContain(`digest ${result.digest}\n`);
    expect(code).toBe(1);
  });

  test.each([
    ['cut', () => token.slice(0, -20), /token is damaged: it must be given whole/],
    [
      'of another engine',
      () => token.replace(/^umbra\d/, 'umbra7'),
      /of engine 7, .* explore again/,
    ],
    ['no token', () => 'R2', /'R2' is no token: .* begin with umbra\d\./],
  ])('refuses a line that is %s', async (_, given, words) => {
    const { code, stdout, stderr } = await umbra('replay', given());
    expect(spaced(stderr)).toMatch(words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('is refused when its file has changed or is gone', async () => {
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('page 0x20', 'page 0x21'));
    const changed = await umbra('replay', token);
    rmSync(file);
    const gone = await umbra('replay', token);
    writeFileSync(file, text);
    expect(spaced(changed.stderr)).toContain('has changed since the token was printed');
    expect(spaced(gone.stderr)).toContain(
      'R2.yaml, the test that the token is of, is not there: say with --test FILE',
    );
    expect([changed.code, gone.code]).toEqual([2, 2]);
  });
});

describe('a shrunk failure', () => {
  const R10 = 'litmus/6-switcher/R10-one-pgdir-two-cpus.yaml';
  const GIVEN = [R10, '--defects', 'R10', '--discipline', 'guest-lock', '--paging', 'nonpae'];
  const OOPS = 'oops: fault in the Switcher in nothing usable at';
  const tokensIn = ({ stdout }: Ran): string[] =>
    Array.from(stdout.matchAll(/^umbra replay (umbra\d\.[\w-]+)$/gm), ([, token]) => token!);

  let found: Ran;
  let tokens: string[];
  beforeAll(async () => {
    found = await umbra('explore', ...GIVEN);
    tokens = tokensIn(found);
  });

  test('is printed beside the one found and beside the passing schedule', () => {
    expect(found).toMatchObject({ code: 4, stderr: '' });
    const [asFound, shrunk, passing] = found.stdout.split('\n\n');
    expect(asFound).toMatch(
      new RegExp(`\n${OOPS} 0x\\w+\numbra replay umbra\\d\\.[\\w-]+\non 2 threads .*$`),
    );
    expect(shrunk).toMatch(
      /^shrunk from 2 vCPUs, 8 operations, \d+ switches \(\d+ preemptions\), \d+ steps\n/,
    );
    expect(shrunk).toMatch(/^to 2 vCPUs, 2 operations, 2 switches \(1 preemption\), \d+ steps$/m);
    expect(shrunk).toMatch(/^nothing more can be left out \(\d+ runs tried\)$/m);
    expect(shrunk).toContain(
      '\n  vCPU 0   load 0x00400000 -> r0\n  vCPU 1   load 0x00400000 -> r0\n',
    );
    expect(shrunk).toMatch(
      new RegExp(`\n${OOPS} 0x\\w+\numbra replay umbra\\d\\.[\\w-]+\nwithout`),
    );
    expect(shrunk).toMatch(
      /\nwithout defects \(guest-lock\) it passes: all of its 24 behaviours were run, each once$/,
    );
    expect(passing).toMatch(
      /^it passes when the switch from CPU 0 comes 3 accesses later\numbra replay umbra\d\./,
    );
    expect(tokens.length).toBe(3);
  });

  test('each of its lines replays to the same', async () => {
    const ran = await Array.fromAsync(tokens, (token) => umbra('replay', token));
    expect(ran.map(({ code }) => code)).toEqual([4, 4, 0]);
    const steps = ran.map(({ stdout }) => Number(/^(\d+) steps/m.exec(stdout)![1]));
    expect(steps[1]).toBeLessThan(steps[0]!);
    expect(ran[1]!.stdout).toContain(`\n${OOPS} `);
    expect(ran[2]!.stdout).toContain('\nit passes\n');
  });

  test('is not made on request, and can be made later', async () => {
    const left = await umbra('explore', ...GIVEN, '--no-shrink');
    expect(left.code).toBe(4);
    expect(left.stdout).not.toContain('shrunk');
    expect(tokensIn(left)).toEqual([tokens[0]]);
    const later = await umbra('shrink', tokens[0]!);
    expect(later).toMatchObject({ code: 4, stderr: '' });
    expect(later.stdout).toBe(found.stdout.slice(found.stdout.indexOf('shrunk from')));
  });

  test('--json has all of it', async () => {
    const operation = 'load 0x00400000 -> r0';
    const shrunk = {
      vcpus: 2,
      operations: 2,
      switches: 2,
      preemptions: 1,
      proven: true,
      ending: 'oops',
      columns: [[operation], [operation]],
      token: tokens[1],
      passing: {
        difference: 'when the switch from CPU 0 comes 3 accesses later',
        token: tokens[2],
      },
      control: {
        discipline: 'guest-lock',
        defects: [],
        strategies: [],
        failure: null,
        verified: true,
        schedules: 24,
        wanted: 24,
      },
    };
    const explored = await umbra('explore', ...GIVEN, '--json', '-');
    expect(explored.code).toBe(4);
    const failure = { ending: 'oops', token: tokens[0], shrunk };
    expect(JSON.parse(explored.stdout)).toMatchObject({ found: [{ failure }] });
    const later = await umbra('shrink', tokens[0]!, '--json', '-');
    expect(JSON.parse(later.stdout)).toMatchObject({
      schema_version: 1,
      file: R10,
      paging: 'nonpae',
      discipline: 'guest-lock',
      defects: ['R10'],
      shrunk,
    });
    expect(JSON.parse(later.stdout).shrunk.whole.operations).toBe(8);
  });

  test('a schedule that ends well has nothing to shrink', async () => {
    const { code, stdout, stderr } = await umbra('shrink', tokens[2]!);
    expect(spaced(stderr)).toContain('the schedule passes');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test.runIf(hasTerminal)(
    'Ctrl-C keeps the smallest so far, which is not proven minimal',
    async () => {
      const file = 'litmus/7-setup/R14-first-page-table.yaml';
      const given = [file, '--defects', 'R14', '--discipline', 'guest-lock', '--paging', 'nonpae'];
      const { code, stdout } = await interrupted(/umbra replay umbra\d/, 'explore', ...given);
      expect(stdout).toMatch(/interrupted after \d+ runs: it is not proven that nothing more/);
      expect(stdout.match(/umbra replay umbra\d/g)!.length).toBe(2);
      const [, ending] = /^(killed|oops): /m.exec(stdout.replaceAll('\r', '\n'))!;
      expect(code).toBe(ending === 'oops' ? 4 : 3);
    },
  );
});

describe('umbra explore', () => {
  test('without a defect no schedule fails, in any setting', async () => {
    const { code, stdout, stderr } = await umbra('explore', R2, '--runs', '3');
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBe(12);
    for (const [i, line] of lines.entries()) {
      expect(line).toMatch(
        i % 2 === 0
          ? /^[\w-]+, \w+: 3 schedules, .*; nothing wrong$/
          : /^chance that one more schedule of portfolio shows a new behaviour: \d+ % \(\d+–\d+\)$/,
      );
    }
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('runs several strategies one after the other, each with all of its schedules', async () => {
    const given = [R2, ...FORM, '--strategy', 'surw,fewest', '--runs', '3', '--json', '-'];
    const { code, stdout } = await umbra('explore', ...given);
    const strategies = ['surw', 'fewest'];
    expect(JSON.parse(stdout)).toMatchObject({
      strategy: 'surw,fewest',
      found: strategies.map((strategy) => ({ strategy, schedules: 3 })),
    });
    const [drawn, listed] = JSON.parse(stdout).found;
    expect(drawn.unseen).toMatchObject({ low: expect.any(Number), high: expect.any(Number) });
    expect(listed.unseen).toBeNull();
    for (const { distinct } of [drawn, listed]) {
      expect(distinct).toBeGreaterThanOrEqual(1);
      expect(distinct).toBeLessThanOrEqual(3);
    }
    const { stdout: told } = await umbra('explore', ...given.slice(0, -2));
    for (const name of strategies)
      expect(told).toMatch(new RegExp(`^lock-free, nonpae, ${name}: 3 `, 'm'));
    expect(code).toBe(0);
    const outcomes = await umbra('litmus', ...given.slice(0, -2));
    expect(outcomes.stdout).toMatch(
      / \(6 schedules, [3-6] of them different\)\nchance that one more schedule, drawn alike, /,
    );
  });

  test('both engines find the same', async () => {
    const args = ['explore', R2, '--defects', 'R2', ...FORM, '--strategy', 'pct-3', '--no-shrink'];
    const lines = await Array.fromAsync(['isolate', 'threads'], async (engine) => {
      const { code, stdout } = await umbra(...args, '--engine', engine);
      expect(code).toBe(1);
      return stdout.split('\n').slice(1, 3);
    });
    expect(lines[0]![0]).toBe(COMES_BACK);
    expect(lines[1]).toEqual(lines[0]);
  });

  test('refuses what worker threads cannot do', async () => {
    const { code, stderr } = await umbra('explore', R2, '--engine', 'threads');
    expect(code).toBe(2);
    expect(spaced(stderr)).toContain('choose random, pct-1 to pct-5 or pos');
    expect((await umbra('explore', R2, '--engine', 'threads', '--races')).code).toBe(2);
  });

  test('--json says the same', async () => {
    const given = ['--defects', 'R2', '--seed', '5', '--json', '-'];
    const { code, stdout } = await umbra('explore', R2, ...given, ...QUICK);
    const report = JSON.parse(stdout);
    const setting = { paging: 'nonpae', discipline: 'lock-free', defects: ['R2'] };
    const failure = { ending: 'violation', token: expect.stringMatching(/^umbra\d\./) };
    expect(report).toMatchObject({
      schema_version: 1,
      file: R2,
      strategy: 'surw',
      seed: 5,
      found: [{ setting, failure }],
    });
    expect(report.found[0].schedules).toBeGreaterThanOrEqual(report.found[0].distinct);
    expect(report.found[0].steps).toBeGreaterThan(100);
    expect(code).toBe(1);
  });
});

describe('umbra litmus', () => {
  test('counts the outcomes of a test', async () => {
    const { code, stdout, stderr } = await umbra('litmus', R2, '--runs', '4', ...FORM);
    expect(stdout).toMatch(
      /R2-.*: an entry that the guest cleared stays cleared \(4 schedules, [1-4] of them different\)\n/,
    );
    const counts = Array.from(stdout.matchAll(/^ (\w+) +(\d+) /gm), ([, is, n]) => [is, Number(n)]);
    const forbidden = ['forbidden', 0];
    const allowed = ['allowed', expect.any(Number)];
    expect(counts).toEqual([forbidden, forbidden, forbidden, allowed, allowed]);
    expect(Number(counts[3]![1]) + Number(counts[4]![1])).toBe(4);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('a forbidden outcome is a failure, printed with its line', async () => {
    const { code, stdout } = await umbra('litmus', R2, '--runs', '150', '--defects', 'R2', ...FORM);
    expect(stdout).toMatch(/^ forbidden +[1-9]\d* +not A 0x00400000 is none/m);
    expect(stdout).toContain(
      `\nlock-free, nonpae, with R2: ${COMES_BACK}\numbra replay umbra${ENGINE_VERSION}.`,
    );
    expect(code).toBe(1);
  });

  test('refuses a folder without tests', async () => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    const { code, stderr } = await umbra('litmus', empty);
    expect(spaced(stderr)).toContain('there is no litmus test (*.yaml) below it');
    expect(code).toBe(2);
  });
});

test.each([
  [['explore', R2, '--strategy', 'luck'], /Allowed choices are random, pct-1, /],
  [['litmus', R2, '--strategy', 'luck'], /Allowed choices are random, pct-1, /],
  [['explore', 'no-such.yaml'], /no-such\.yaml cannot be read: ENOENT/],
  [['litmus', 'no-such'], /no-such: there is no such file or folder/],
  [
    ['explore', 'scenarios/false-sharing.yaml'],
    /is a scenario, and umbra explore takes a litmus test/,
  ],
  [['explore', R2, '--defects', 'R99'], /'R99' is no defect/],
  [['explore', R2, '--runs', '0'], /whole number/],
])('refuses %j with a message', async (args, words) => {
  const { code, stdout, stderr } = await umbra(...args);
  expect(spaced(stderr)).toMatch(words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('a failure that needs no defect has no reference, and that is said', async () => {
  const file = join(folder, 'wrong.yaml');
  writeFileSync(file, readFileSync(R2, 'utf8').replace(/^outcomes:[\s\S]*/m, WRONG));
  const { stdout } = await umbra('explore', file, ...QUICK);
  expect(stdout).toMatch(
    /\nthere is no reference, so .* than the whole test:\nwithout defects \(guest-lock\) that fails: violation: .*\numbra replay /,
  );
});

const WRONG = `outcomes:
  - when: alive
    is: forbidden
    because: somebody thought so
`;
