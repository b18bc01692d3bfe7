/** Campaigns without their threads: plans, units, ledgers and reports. */

import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { formatMissed, pctBound } from '../../src/explore/campaign/bound.ts';
import { CampaignLedger } from '../../src/explore/campaign/ledger.ts';
import { mergeLedgers } from '../../src/explore/campaign/merge.ts';
import { type Plan, planOf, unitsOf } from '../../src/explore/campaign/plan.ts';
import { formatReport, reportOf } from '../../src/explore/campaign/report.ts';
import { runUnit, warmSubject } from '../../src/explore/campaign/unit.ts';
import { parseLitmus } from '../../src/explore/litmus/litmus.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { Subject } from '../../src/explore/subject.ts';
import { unit } from '../../workers/campaign-task.ts';
import { scratch } from '../scratch.ts';
import { dump, fill, resultOf, rowsIn } from './ledgers.ts';

/** Short runs, some of which fail. */
/** Another test. */
const changed = (text: string): string => text.replace(/^guest:$/m, 'guest:\n  pages: 65');

const R15 = 'litmus/7-setup/R15-two-reasons-to-die.yaml';
const R2 = 'litmus/1-fault/R2-dirty-erased.yaml';
const SETTING = { paging: 'nonpae', discipline: 'lock-free', defects: ['R15'] } as const;
const ALONE = { index: 1, of: 1 };

const folder = scratch('campaign');
const at = (name: string): string => join(folder, name);

/** In small units. */
const planned = (
  { runs = 60, seed = 1, strategies = ['portfolio', 'pct-3'], paths = [R15, R2] } = {},
  { paging, ...fixed }: Partial<Subject['setting']> = SETTING,
): Plan => ({
  ...planOf(paths, { ...fixed, ...(paging && { paging }) }, { runs, seed, strategies }),
  unit_runs: 7,
});

const PLAN = planned();

describe('the result of a campaign', () => {
  const whole = at('whole.sqlite');
  const shards = [1, 2, 3].map((index) => ({ index, of: 3 }));
  const parts = shards.map(({ index }) => at(`${index}.sqlite`));
  beforeAll(() => {
    fill(whole, PLAN);
    for (const [i, shard] of shards.entries()) {
      fill(parts[i]!, PLAN, { shard, order: (units) => units.toReversed() });
    }
  });

  test('has failures, and identical schedules', () => {
    expect(rowsIn(whole, 'failure')).toBeGreaterThan(10);
    expect(rowsIn(whole, 'behaviour')).toBeGreaterThan(50);
    expect(rowsIn(whole, 'behaviour')).toBeLessThan(2 * 120);
  });

  test('is the same in shards, with units in another order, after merging', () => {
    const out = at('merged.sqlite');
    const merged = mergeLedgers(parts, out);
    const told = reportOf(merged);
    merged.close();
    expect(dump(out)).toBe(dump(whole));
    const one = new CampaignLedger(whole);
    expect(told).toEqual(reportOf(one));
    one.close();
  });

  test('is the same when interrupted and resumed', () => {
    const path = at('resumed.sqlite');
    for (const most of [3, 5, 1]) fill(path, PLAN, { most });
    expect(rowsIn(path, 'unit')).toBe(9);
    fill(path, PLAN);
    expect(dump(path)).toBe(dump(whole));
  });

  test('loses only the unit that was running', () => {
    const path = at('thrown.sqlite');
    const ledger = new CampaignLedger(path, PLAN, ALONE);
    const [first, second] = ledger.unitsLeft();
    ledger.record(first!, resultOf(PLAN, first!));
    const twice = {
      ...resultOf(PLAN, second!),
      behaviours: new Map([
        ['00', 1],
        [null as never, 1],
      ]),
    };
    expect(() => ledger.record(second!, twice)).toThrow();
    ledger.close();
    fill(path, PLAN);
    expect(dump(path)).toBe(dump(whole));
  });

  describe('merging', () => {
    const merge = (...paths: string[]) => mergeLedgers(paths, at('none.sqlite'));
    const half = at('half.sqlite');
    const foreign = at('foreign.sqlite');
    beforeAll(() => {
      fill(half, PLAN, { shard: shards[1]!, most: 4 });
      fill(foreign, planned({ seed: 2 }), { shard: shards[1]!, most: 1 });
    });

    test.each([
      ['the same twice', () => [parts[0]!, parts[0]!], /1\.sqlite \(shard 1\/3\) overlap: \d+ un/],
      ['a part of the whole', () => [whole, parts[1]!], /shard 1\/1.* and .*shard 2\/3.* overlap/],
      [
        'one left out',
        () => [parts[0]!, parts[2]!],
        /missing: \d+ of \d+ units\nshard 2\/3 is not given/,
      ],
      [
        'one not ended',
        () => [parts[0]!, half, parts[2]!],
        /missing: 8 of 36 units\n.*half.sqlite has 4 of its/,
      ],
      [
        'another campaign',
        () => [parts[0]!, foreign],
        /different campaigns: .*seed 1 there, 2 here/,
      ],
      ['a missing one', () => [at('no-such')], /no-such: there is no such ledger/],
    ])('refuses %s', (_, paths, words) => {
      expect(() => merge(...paths())).toThrow(UserError);
      expect(() => merge(...paths())).toThrow(words);
    });

    test('does not overwrite a file', () => {
      const before = readFileSync(whole);
      expect(() => mergeLedgers(parts, whole)).toThrow(/is there already/);
      expect(readFileSync(whole).equals(before)).toBe(true);
    });
  });
});

describe('a ledger of another campaign is refused', () => {
  const path = at('mine.sqlite');
  const copy = at('R15.yaml');
  cpSync(R15, copy);
  const plan = planned({ paths: [R2] });
  beforeAll(() => fill(path, plan, { most: 1 }));

  test.each([
    ['seed', planned({ paths: [R2], seed: 2 }), /seed 1 there, 2 here/],
    ['runs', planned({ paths: [R2], runs: 61 }), /runs 60 there, 61 here/],
    ['strategies', planned({ paths: [R2], strategies: ['pos'] }), /strategies portfolio,pct-3 th/],
    ['engine', { ...plan, engine: 0 }, /engine \d+ there, 0 here/],
    ['units', { ...plan, unit_runs: 8 }, /unit runs 7 there, 8 here/],
    ['more files', planned({ paths: [R2, copy] }), /R15.yaml \(.*\) is not in it/],
    ['other files', planned({ paths: [R15] }), /R2.*is in it, and not among what is asked for/],
    ['another setting', planned({ paths: [R2] }, { ...SETTING, defects: [] }), /with R15\) is in/],
  ])('%s', (_, other, words) => {
    expect(() => new CampaignLedger(path, other, ALONE)).toThrow(words);
  });

  test('another shard', () => {
    expect(() => new CampaignLedger(path, plan, { index: 1, of: 2 })).toThrow(
      /1\/1 there, 1\/2 here/,
    );
  });

  test('a changed file', () => {
    const before = planned({ paths: [copy] });
    const ledger = at('changed.sqlite');
    fill(ledger, before, { most: 1 });
    const text = readFileSync(copy, 'utf8');
    writeFileSync(copy, `# A comment.\n${text}`);
    new CampaignLedger(ledger, planned({ paths: [copy] }), ALONE).close();
    writeFileSync(copy, changed(text));
    const after = planned({ paths: [copy] });
    expect(() => new CampaignLedger(ledger, after, ALONE)).toThrow(/R15.yaml has changed since/);
  });
});

describe('a file that is no ledger is refused and not changed', () => {
  const refused = (path: string, words: RegExp): void => {
    const before = readFileSync(path);
    expect(() => new CampaignLedger(path, PLAN, ALONE)).toThrow(UserError);
    expect(() => new CampaignLedger(path, PLAN, ALONE)).toThrow(words);
    expect(() => new CampaignLedger(path)).toThrow(words);
    expect(readFileSync(path).equals(before)).toBe(true);
  };

  test('text', () => {
    writeFileSync(at('text'), 'schedules: 7\n'.repeat(100));
    refused(at('text'), /text: no ledger, or a damaged one \(file is not a database\)/);
  });

  test('another database', () => {
    const db = new DatabaseSync(at('other'));
    db.exec('CREATE TABLE unit (id INTEGER)');
    db.close();
    refused(at('other'), /other is a database, but no ledger/);
  });

  test('a truncated one', () => {
    fill(at('cut'), PLAN, { most: 6 });
    truncateSync(at('cut'), 12_288);
    refused(at('cut'), /cut: no ledger, or a damaged one/);
  });

  test('one in use by another campaign', () => {
    const first = new CampaignLedger(at('busy'), PLAN, ALONE);
    expect(() => new CampaignLedger(at('busy'), PLAN, ALONE)).toThrow(
      /another process uses this ledger/,
    );
    first.close();
    new CampaignLedger(at('busy'), PLAN, ALONE).close();
  });

  test('a missing folder', () => {
    expect(() => new CampaignLedger(at('no/such'), PLAN, ALONE)).toThrow(
      /ledger cannot be used \(unable/,
    );
  });
});

test('a unit is not done after its file has changed since the plan', () => {
  const path = at('moving.yaml');
  cpSync(R15, path);
  const [planned15] = planned({ paths: [path] }).subjects;
  const task = { ...planned15!, work: { strategy: 'pos', seed: 1, runs: 2, warmUp: 0 } };
  expect(unit(task)).toMatchObject({ schedules: 2 });
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, `# A comment.\n${text}`);
  expect(unit(task)).toMatchObject({ schedules: 2 });
  writeFileSync(path, changed(text));
  expect(unit(task)).toBeUndefined();
  rmSync(path);
  expect(unit(task)).toBeUndefined();
});

test('a board is kept warm for the same test only, and not for another of its name', () => {
  const path = 'litmus/1-fault/R2-dirty-erased.yaml';
  const setting = { paging: 'pae', discipline: 'lock-free', defects: [] } as const;
  const text = readFileSync(path, 'utf8');
  const [one, same, changed] = [
    text,
    `# A comment.\n${text}`,
    text.replace(/^guest:$/m, 'guest:\n  pages: 65'),
  ].map((each) => parseLitmus(each, path));
  const warm = warmSubject(path, setting, one);
  expect(warmSubject(path, setting, same)).toBe(warm);
  expect(warmSubject(path, setting, changed).litmus).toBe(changed);
});

describe('a portfolio', () => {
  test('splits its schedules among its members', () => {
    const units = unitsOf(planned({ runs: 100, strategies: ['portfolio'], paths: [R15] }));
    const shares = Map.groupBy(units, ({ strategy }) => strategy);
    const sizes = [...shares.values()].map((own) => own.reduce((n, { runs }) => n + runs, 0));
    expect(sizes).toEqual([13, 13, 13, 13, 12, 12, 12, 12]);
  });

  test('has the members that umbra explore runs in turn', () => {
    const subject = new Subject(R15, readLitmus(R15), SETTING);
    const members = unitsOf(planned({ runs: 8, strategies: ['portfolio'], paths: [R15] }));
    const portfolio = STRATEGIES['portfolio']!();
    const inTurn = members.map(() => subject.run(portfolio, 5).run.digest);
    const alone = members.map(({ strategy }) => subject.run(STRATEGIES[strategy]!(), 5).run.digest);
    expect(alone).toEqual(inTurn);
  });
});

describe('the chance that a defect was missed', () => {
  test.each([
    // depth, n, k, r: 1 − (1 − 1/(n·k^(d−1)))^r
    [1, 2, 500, 1, 0.5],
    [1, 2, 500, 10, 1 - 2 ** -10],
    [2, 2, 10, 10, 1 - 0.95 ** 10],
    [3, 4, 5, 1, 0.01],
    [2, 3, 100, 0, 0],
    [1, 1, 9, 1, 1],
  ])('depth %i, n %i, k %i, %i schedules', (depth, n, k, r, met) => {
    const bound = pctBound(depth, n, k, r);
    expect(bound.met).toBeCloseTo(met, 12);
    expect(bound.missed).toBeCloseTo(1 - met, 12);
  });

  test('stays exact where the guarantee is tiny', () => {
    // r/(n·k⁴) to first order.
    expect(pctBound(5, 2, 1000, 100).met / 5e-11).toBeCloseTo(1, 9);
  });

  test.each([
    [{ missed: 0.98765, met: 0.01235 }, '0.988'],
    [{ missed: 1 - 2e-9, met: 2e-9 }, '1 − 2.0e-9'],
    [{ missed: 3.14e-7, met: 1 }, '3.1e-7'],
    [{ missed: 1, met: 0 }, '1'],
    [{ missed: 0, met: 1 }, '0'],
    [{ missed: 1 - 2.8e-6, met: 2.8e-6 }, '1 − 2.8e-6'],
  ])('%j is written as %s', (bound, text) => expect(formatMissed(bound)).toBe(text));

  test('is reported by setting, from its own n, k and r', () => {
    const plan = planned({
      runs: 30,
      strategies: ['pct-1', 'pct-3', 'pos', 'fewest'],
      paths: [R15],
    });
    const path = at('bounds.sqlite');
    fill(path, plan);
    const ledger = new CampaignLedger(path);
    const report = reportOf(ledger);
    ledger.close();
    const [setting] = report.tests[0]!.settings;
    const { actors, most_steps, strategies } = setting!;
    expect(actors).toBe(2);
    expect(most_steps).toBeGreaterThan(50);
    expect(strategies).toMatchObject([
      {
        strategy: 'pct-1',
        schedules: 30,
        bound: { depth: 1, schedules: 15, ...pctBound(1, 2, 1, 15) },
      },
      { strategy: 'pct-3', bound: { depth: 3, ...pctBound(3, 2, most_steps, 15) } },
      { strategy: 'pos' },
      { strategy: 'fewest', reached: { all_to: 0, some_with: 1 } },
    ]);
    expect(strategies[2]).not.toHaveProperty('bound');
    expect(strategies[2]).not.toHaveProperty('reached');
    const text = formatReport(report, { replay: ({ token }) => token });
    expect(text).toMatch(/ missed d=1 +missed d=3 +fewest *\n/);
    expect(text).toMatch(/ 3\.1e-5 +(0\.\d+|1 − \S+) +all ≤ 0, some 1/);
    expect(text).toContain('\npos: no bound is known on what it missed.\n');
  });

  test('depends on the store buffers too', () => {
    const plan = planned({ runs: 4, strategies: ['pct-2'] }, { ...SETTING, memory: 'tso' });
    expect(resultOf(plan, unitsOf(plan)[0]!)).toMatchObject({ actors: 4, bounded: 2 });
  });

  test('by fewest is zero within its bound once all schedules are run', () => {
    const alone = at('alone.yaml');
    writeFileSync(
      alone,
      'name: one vCPU\nabout: Only hardware can do something besides.\nguest:\n  tables:\n' +
        `    A: { 0x00400000: page 0x20 rw user }\nvcpus:\n  - on: A\n    ops: []\noutcomes:\n` +
        '  - when: alive\n    is: allowed\n    because: nothing can happen\n',
    );
    const subject = new Subject(alone, readLitmus(alone), { ...SETTING, defects: [] });
    const work = { strategy: 'fewest', seed: 1, warmUp: 0 };
    const result = runUnit(subject, { ...work, runs: 2000 });
    expect(result).toMatchObject({ exhausted: true, preemptions: 2, failures: [], bounded: 0 });
    // The schedules are distinct: none was run twice to find that it was the last.
    const { schedules } = result;
    const strategy = STRATEGIES['fewest']!();
    const digests = Array.from({ length: schedules }, () => subject.run(strategy, 1).run.digest);
    expect(new Set(digests).size).toBe(schedules);
    const times = [...result.behaviours.values()];
    expect(times.reduce((a, b) => a + b)).toBe(schedules);
    expect(runUnit(subject, { ...work, runs: schedules })).toEqual({ ...result, exhausted: false });
  });
});
