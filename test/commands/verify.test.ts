/** `umbra verify` as a user runs it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { scratch } from '../scratch.ts';
import { killedAtFirstUnit, spaced, terminated, umbra } from './umbra.ts';

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
    readonly within_bound: number | null;
    readonly complete: boolean;
    readonly outcomes: readonly {
      readonly classes: number;
      readonly ending: string;
      readonly outcome: number | null;
      readonly preemptions?: number;
      readonly token: string;
    }[];
  }[];
}

/** Changes the ledger, or returns the first value that it has. */
function changed(out: string, sql: string): unknown {
  using db = new DatabaseSync(out);
  return Object.values(db.prepare(sql).get() ?? {})[0];
}

const unitsIn = (out: string): unknown => changed(out, 'SELECT count(*) FROM unit');
const firstUnitIn = (out: string): unknown =>
  changed(out, 'SELECT hex(result) FROM unit ORDER BY id');

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
  const out = at('terminated.sqlite');
  const tests = [R4, 'R2-cleared-entry-comes-back', ...LOCKED, '--jobs', '1', '--out', out];
  const { code, stdout, stderr } = await terminated(/all 16 behaviours/, 'verify', ...tests);
  const [first, second] = stdout.split('\n\n');
  expect(first).toMatch(/R4-both.*\n.*: all 16 behaviours, each once/);
  expect(second).toMatch(/R2-cleared.*\n.* behaviours.*, not all,/);
  expect(code).toBe(130);
  expect(stderr).toMatch(
    /^umbra: interrupted; the same command resumes from .*terminated.sqlite\n$/,
  );
  expect(unitsIn(out)).toBeGreaterThan(0);
});

describe('as JSON', () => {
  const reported = async (...given: readonly string[]): Promise<Report['tests'][number]> =>
    reportIn((await umbra('verify', ...given, '--json', '-')).stdout).tests[0]!;

  /** Each outcome has the token of a run that ends in it, and each behaviour has an outcome. */
  async function replays({ outcomes, classes }: Report['tests'][number]): Promise<void> {
    expect(outcomes.length).toBeGreaterThan(0);
    expect(outcomes.reduce((sum, each) => sum + each.classes, 0)).toBe(classes);
    for (const { token, ending, outcome } of outcomes) {
      const replayed = await umbra('replay', token, '--json', '-');
      expect(JSON.parse(replayed.stdout)).toMatchObject({ ending, outcome });
      expect(replayed.code).toBe(0);
    }
  }

  test('all behaviours', async () => {
    const all = await reported('R15-two-reasons-to-die', ...LOCKED);
    expect(all).toMatchObject({
      ...{ bound: null, within_bound: null, complete: true, guess: null },
      ...{ classes: 1092, blocked: 0 },
    });
    expect(all.outcomes.map(({ outcome, preemptions }) => [outcome, preemptions])).toEqual([
      [0, undefined],
      [1, undefined],
    ]);
    await replays(all);
  });

  test('all within a bound', async () => {
    const bounded = await reported('R15-two-reasons-to-die', ...LOCKED, '--preemptions', '1');
    const { classes } = bounded;
    expect(bounded).toMatchObject({
      ...{ bound: 1, within_bound: classes, complete: true, guess: null, blocked: null },
      outcomes: [{ preemptions: 0 }, { preemptions: 0 }],
    });
    expect(classes).toBeLessThan(1092);
    await replays(bounded);
  });

  test.each([
    ['without a bound', [], { bound: null, within_bound: null, blocked: expect.any(Number) }],
    ['with one', ['--preemptions', '9'], { blocked: null }],
  ])('a part, where it was ended: %s', async (_, bound, expected) => {
    const [json, given] = [at('part.json'), ['R3-released-while-mapped', ...LOCKED, '--jobs', '1']];
    const first = ['verify', R4, ...given, ...bound, '--json', json];
    const { code, stdout } = await terminated(/R4-both-allocate/, ...first);
    expect(code).toBe(130);
    const [, part] = reportIn(readFileSync(json, 'utf8')).tests;
    expect(part).toMatchObject({ complete: false, ...expected });
    expect(stdout).toMatch(bound.length === 0 ? /, not all, / : / behaviours, and not all | more;/);
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
    { bound: [], classes: 50, blocked: 0, within_bound: null },
    { bound: ['--preemptions', '2'], classes: 34, blocked: null, within_bound: 34 },
  ];

  test.each(WHOLE)(
    'resumes to the result of one go, on any number of threads: $bound',
    async ({ bound, ...result }) => {
      const work = at(`work${bound.length}.sqlite`);
      const given = ['verify', R4, ...FORM, '--discipline', 'lock-free', ...bound, '--out', work];
      const first = await umbra(...given, '--seconds', '1', '--jobs', '1', '--json', at('a.json'));
      expect(first.code).toBe(0);
      await umbra(...given, '--jobs', '3', '--json', at('b.json'));
      const [tested] = reportIn(readFileSync(at('b.json'), 'utf8')).tests;
      expect(tested).toMatchObject({ ...result, complete: true });
      const third = await umbra(...given, '--json', at('c.json'));
      expect(third.code).toBe(0);
      const [again] = reportIn(readFileSync(at('c.json'), 'utf8')).tests;
      expect(again).toEqual(tested);
    },
  );

  test('resumes after kill -9, and keeps the units that were done', async () => {
    const out = at('killed.sqlite');
    const given = ['verify', 'R6-no-shootdown', ...LOCKED, '--jobs', '1'];
    await killedAtFirstUnit(out, ...given);
    expect(unitsIn(out)).toBeGreaterThan(0);
    const before = firstUnitIn(out);
    const { stdout } = await umbra(...given, '--out', out);
    expect(stdout).toMatch(/: all 1,009 behaviours, each once, 0 runs left in the middle;/);
    expect(firstUnitIn(out)).toBe(before);
  });

  test('keeps the estimate; there is none where it was broken off', async () => {
    const out = at('estimated.sqlite');
    const test = ['verify', 'discarded-while-mapped', ...FORM, '--discipline', 'lock-free'];
    const given = [...test, '--jobs', '1', '--out', out, '--or-preemptions', '0', '--seconds'];
    await umbra(...given, '100');
    expect(changed(out, 'SELECT behaviours FROM estimate')).toBeGreaterThan(100);
    for (const estimate of [1e12, null]) {
      changed(out, `UPDATE estimate SET behaviours = ${estimate}`);
      const { code, stdout } = await umbra(...given, '1');
      expect(/ of some ([\d,]+) \(an estimate/.exec(stdout)?.[1]).toBe(
        estimate === null ? undefined : '1,000,000,000,000',
      );
      expect(code).toBe(0);
      expect(changed(out, 'SELECT behaviours FROM estimate')).toBe(estimate);
    }
  });

  test('refuses a file of other contents', async () => {
    writeFileSync(at('other.json'), '{}');
    const { code, stderr } = await umbra('verify', R4, ...LOCKED, '--out', at('other.json'));
    expect(spaced(stderr)).toMatch(/other.json: no ledger, or a damaged one/);
    expect(code).toBe(2);
  });

  test('refuses a file that another process uses, until that ends', async () => {
    const out = at('used.sqlite');
    const given = ['verify', R4, ...LOCKED, '--out', out];
    const holder = spawn(process.execPath, [
      ...['--input-type=module-typescript', '--eval'],
      "import { DatabaseSync } from 'node:sqlite';" +
        `globalThis.held = new DatabaseSync(${JSON.stringify(out)});` +
        "held.exec('BEGIN EXCLUSIVE'); console.log('held'); setInterval(() => {}, 1000);",
    ]);
    const ended = once(holder, 'exit');
    await Promise.race([once(holder.stdout, 'data'), ended]);
    try {
      const { code, stdout, stderr } = await umbra(...given);
      expect(stderr).toMatch(/used.sqlite: another process uses this ledger/);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    } finally {
      holder.kill('SIGKILL');
      await ended;
    }
    expect((await umbra(...given)).code).toBe(0);
  });

  test('refuses a folder', async () => {
    const { code, stderr } = await umbra('verify', R4, ...LOCKED, '--out', folder);
    expect(spaced(stderr)).toMatch(/is a folder, and a ledger is a file/);
    expect(code).toBe(2);
  });

  test('refuses other options, and says which', async () => {
    const given = ['verify', R4, ...LOCKED, '--out', at('options.sqlite')];
    await umbra(...given);
    const { code, stdout, stderr } = await umbra(...given, '--preemptions', '1');
    expect(spaced(stderr)).toMatch(
      /options.sqlite is the ledger of another search: preemptions any there, 1 here; give --out another file, or what it was begun with/,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

test('bounds a test at once that is estimated to take too long', async () => {
  // Of some 700 million behaviours.
  const given = ['moved-without-telling', ...FORM, '--discipline', 'lock-free', '--jobs', '1'];
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
