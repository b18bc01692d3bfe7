/** `umbra verify` as a user runs it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratch } from '../scratch.ts';
import { spaced, terminated, umbra } from './umbra.ts';

const folder = scratch('verify');
const at = (name: string): string => join(folder, name);

const R4 = 'R4-both-allocate-the-table';
const FORM = ['--paging', 'nonpae'];
const LOCKED = [...FORM, '--discipline', 'guest-lock'];

interface Report {
  readonly tests: readonly {
    readonly classes: number;
    readonly blocked: number | null;
    readonly bound: number | null;
    readonly complete: boolean;
    readonly outcomes: readonly {
      readonly classes: number;
      readonly ending: string;
      readonly outcome: number | null;
      readonly token: string;
    }[];
  }[];
}

const reportIn = (text: string): Report => JSON.parse(text) as Report;

test('reports the number of behaviours, their outcomes, and what was not run', async () => {
  const { code, stdout, stderr } = await umbra('verify', R4, ...LOCKED);
  expect(stdout).toMatch(
    /R4-both-allocate-the-table.yaml: two faults .* \(guest-lock, nonpae\)\nsequential cons/,
  );
  expect(stdout).toMatch(
    /, no acts of hardware, no bound: all 16 behaviours, each once, 0 runs left in the middle; \d/,
  );
  expect(stdout).toMatch(/^ +16 +allowed +alive and vcpu 0 r0 == 0x20/m);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('prints each test when it is done, and on SIGTERM the part of the current one', async () => {
  const out = at('terminated.json');
  const tests = [R4, 'R2-cleared-entry-comes-back', ...LOCKED, '--jobs', '1', '--out', out];
  const { code, stdout, stderr } = await terminated(/all 16 behaviours/, 'verify', ...tests);
  const [first, second] = stdout.split('\n\n');
  expect(first).toMatch(/R4-both.*\n.*: all 16 behaviours, each once/);
  expect(second).toMatch(/R2-cleared.*\n.* behaviours.*, not all,/);
  expect(code).toBe(130);
  expect(stderr).toMatch(/^umbra: interrupted; the same command resumes from .*terminated.json\n$/);
  expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ kind: 'umbra verify' });
});

describe('as JSON', () => {
  test('each outcome has the token of a run that ends in it', async () => {
    const { stdout } = await umbra('verify', 'R15-two-reasons-to-die', ...LOCKED, '--json', '-');
    const [tested] = reportIn(stdout).tests;
    expect(tested).toMatchObject({ blocked: 0, bound: null, complete: true });
    const { outcomes, classes } = tested!;
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([0, 1]);
    expect(outcomes.reduce((sum, each) => sum + each.classes, 0)).toBe(classes);
    for (const { token } of outcomes) {
      const replayed = await umbra('replay', token);
      expect(replayed.stdout).toMatch(/\(guest-lock, nonpae, abridged\)\n.*\nit passes/);
      expect(replayed.code).toBe(0);
    }
  });

  test('finds a defect, and the printed line replays it', async () => {
    const given = ['R6-no-shootdown', ...LOCKED, '--defects', 'R6'];
    const { code, stdout } = await umbra('verify', ...given, '--preemptions', '1');
    expect(code).toBe(1);
    expect(stdout).toMatch(/no acts of hardware: all behaviours with at most 1 preemption: \d+;/);
    expect(stdout).toMatch(/^ +\d+ +violation +forbidden: the old page .* 1$/m);
    const [, line] = /^umbra (replay \S+)$/m.exec(stdout)!;
    const { code: again } = await umbra(...line!.split(' '));
    expect(again).toBe(1);
  });
});

describe('--out', () => {
  const WHOLE = [
    { bound: [], classes: 74, blocked: 0 },
    { bound: ['--preemptions', '2'], classes: 42, blocked: null },
  ];

  test.each(WHOLE)(
    'resumes to the result of one go, on any number of threads: $bound',
    async (of) => {
      const { bound, classes, blocked } = of;
      const work = at(`work${bound.length}.json`);
      const given = ['verify', R4, ...FORM, '--discipline', 'lock-free', ...bound, '--out', work];
      const first = await umbra(...given, '--seconds', '1', '--jobs', '1', '--json', at('a.json'));
      expect(first.code).toBe(0);
      await umbra(...given, '--jobs', '3', '--json', at('b.json'));
      const [tested] = reportIn(readFileSync(at('b.json'), 'utf8')).tests;
      expect(tested).toMatchObject({ classes, blocked, complete: true });
      const third = await umbra(...given, '--json', at('c.json'));
      expect(third.code).toBe(0);
      const [again] = reportIn(readFileSync(at('c.json'), 'utf8')).tests;
      expect(again).toEqual(tested);
    },
  );

  test('keeps the estimate; there is none where it was broken off', async () => {
    const out = at('estimated.json');
    const test = ['verify', 'discarded-while-mapped', ...FORM, '--discipline', 'lock-free'];
    const given = [...test, '--jobs', '1', '--out', out];
    await umbra(...given, '--seconds', '100', '--or-preemptions', '0');
    const work = JSON.parse(readFileSync(out, 'utf8'));
    expect(work.entries[0].estimate).toBeGreaterThan(100);
    for (const estimate of [1e12, null]) {
      work.entries[0].estimate = estimate;
      writeFileSync(out, JSON.stringify(work));
      const { code, stdout } = await umbra(...given, '--seconds', '1');
      expect(/ of some ([\d,]+) \(an estimate/.exec(stdout)?.[1]).toBe(
        estimate === null ? undefined : '1,000,000,000,000',
      );
      expect(code).toBe(0);
      const [kept] = JSON.parse(readFileSync(out, 'utf8')).entries;
      expect(kept.estimate).toBe(estimate);
    }
  });

  test('refuses a file of other contents', async () => {
    writeFileSync(at('other.json'), '{}');
    const { code, stderr } = await umbra('verify', R4, ...LOCKED, '--out', at('other.json'));
    expect(stderr).toMatch(/other.json: found a file that umbra verify has not written/);
    expect(code).toBe(2);
  });

  test('refuses a bounded search with the frontier of an unbounded one', async () => {
    const given = ['verify', R4, ...LOCKED, '--preemptions', '0', '--out', at('bounded.json')];
    expect((await umbra(...given)).code).toBe(0);
    const work = JSON.parse(readFileSync(at('bounded.json'), 'utf8'));
    work.entries[0].frontier = { met: [], places: [], branches: [] };
    writeFileSync(at('bounded.json'), JSON.stringify(work));
    const { code, stderr } = await umbra(...given);
    expect(stderr).toMatch(/bounded.json: found a file that umbra verify has not written/);
    expect(code).toBe(2);
  });

  test('refuses a file that another process uses, until that ends', async () => {
    const [out, there] = [at('used.json'), () => existsSync(`${at('used.json')}.lock`)];
    const holder = spawn(process.execPath, [
      ...['--input-type=module-typescript', '--eval'],
      "import { lockedFile } from './src/commands/locked-file.ts';" +
        `globalThis.held = lockedFile(${JSON.stringify(out)}); console.log('held'); setInterval(() => {}, 1000);`,
    ]);
    const ended = once(holder, 'exit');
    await Promise.race([once(holder.stdout, 'data'), ended]);
    const given = ['verify', R4, ...LOCKED, '--out', out];
    try {
      const { code, stdout, stderr } = await umbra(...given);
      expect(stderr).toMatch(/used.json: another process uses this file/);
      expect({ code, stdout, there: there() }).toEqual({ code: 2, stdout: '', there: true });
    } finally {
      holder.kill('SIGKILL');
      await ended;
    }
    expect((await umbra(...given)).code).toBe(0);
    expect(there()).toBe(false);
  });

  test('refuses a folder', async () => {
    const { code, stderr } = await umbra('verify', R4, ...LOCKED, '--out', folder);
    expect(stderr).toMatch(/is a folder: give --out a file/);
    expect(code).toBe(2);
  });

  test('refuses the file of another version of the code', async () => {
    await umbra('verify', R4, ...LOCKED, '--out', at('old.json'));
    const text = readFileSync(at('old.json'), 'utf8');
    writeFileSync(at('old.json'), text.replace(/"first":"\w/, '"first":"x'));
    const { code, stderr } = await umbra('verify', R4, ...LOCKED, '--out', at('old.json'));
    expect(spaced(stderr)).toMatch(/the code that is verified has changed since/);
    expect(code).toBe(2);
  });
});

test('bounds a test at once that is estimated to take too long', async () => {
  const given = ['discarded-while-mapped', ...FORM, '--discipline', 'lock-free', '--jobs', '1'];
  const limits = ['--seconds', '100', '--or-preemptions', '0', '--json', '-'];
  const { tests } = reportIn((await umbra('verify', ...given, ...limits)).stdout);
  expect(tests).toMatchObject([
    { bound: null, complete: false, classes: 100 },
    { bound: 0, complete: true },
  ]);
});

describe('the page', () => {
  const pageOf = async (...given: readonly string[]): Promise<readonly string[]> =>
    (await umbra('verify', ...given, '--markdown', '-', '-q')).stdout
      .split('\n')
      .filter((line) => line.startsWith('|'));

  test('has all behaviours of tests that end in time, and the largest finished bound of the rest', async () => {
    const tests = ['R15-two-faults-at-once', 'clear-all-against-entry'];
    const given = [...tests, ...LOCKED, '--seconds', '1', '--or-preemptions', '0'];
    const rows = await pageOf(...given);
    expect(rows[0]).toBe('| test | guest-lock, nonpae |');
    // How much of it ends within a second depends on the machine.
    expect(rows[2]).toMatch(/R15-two-faults-at-once \| (\*\*34\*\*|≤ 0: \d+|[\d,]+\+.*) \|$/);
    expect(rows[3]).toMatch(/clear-all-against-entry \| (≤ 0: [\d,]+|[\d,]+\+.*) \|$/);
  });

  test('alone is on stdout, and says under which conditions', async () => {
    const given = [R4, ...LOCKED, '--preemptions', '0', '--acts', '1', '--between-steps'];
    const { stdout } = await umbra('verify', ...given, '--markdown', '-');
    expect(stdout).toMatch(/^<!-- written by umbra verify --markdown: begin -->\n/);
    expect(stdout).toMatch(
      /^umbra .*; sequential consistency, at most 1 act of hardware, invariants between steps, too:$/m,
    );
  });

  test('has for each defect the fewest preemptions that it needs', async () => {
    const rows = await pageOf('R6-no-shootdown', ...LOCKED, '--own-defect', '--preemptions', '1');
    expect(rows[2]).toBe('| R6 | 1 | violation | 5-flush/R6-no-shootdown | guest-lock, nonpae |');
  });
});

const MISTAKES: readonly (readonly [readonly string[], RegExp])[] = [
  [[R4, '--memory', 'tso', '--preemptions', '1'], /a bound goes by sequential consistency/],
  [[R4, '--acts', '1'], /give --preemptions N with --acts/],
  [[R4, '--or-preemptions', '2'], /give --seconds with it, and leave --preemptions out/],
  [['R13-three-cpus', '--own-defect', '--defects', 'R1'], /leave --defects out/],
  [['message-passing', '--own-defect'], /none of these tests is aimed at a defect/],
  [[R4, '--between-steps'], /give --preemptions N with --between-steps/],
  [[R4, '--json', '-', '--markdown', '-'], /--json - and --markdown - ask for stdout/],
  [['no-such'], /no-such: there is no such file or folder/],
  [[R4, '--preemptions', 'x'], /whole number/],
];

test.each(MISTAKES)('refuses %j', async (given, says) => {
  const { code, stderr } = await umbra('verify', ...given);
  expect(spaced(stderr)).toMatch(says);
  expect(code).toBe(2);
});
