/** `umbra campaign` and `umbra merge` as a user runs them. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dump, rowsIn } from '../explore/ledgers.ts';
import { scratch } from '../scratch.ts';
import { hasTerminal, interrupted, killedAtFirstUnit, spaced, umbra } from './umbra.ts';

const R15 = 'litmus/7-setup/R15-two-reasons-to-die.yaml';
const FORM = ['--discipline', 'lock-free', '--paging', 'nonpae'];

const folder = scratch('campaigns');
const at = (name: string): string => join(folder, name);

test('reports what was run, how much of it was different, and what may have been missed', async () => {
  const { code, stdout, stderr } = await umbra(
    ...['campaign', R15, '--runs', '70', '--paging', 'nonpae', '--json', at('all.json')],
  );
  expect(stdout).toMatch(
    /R15-two-reasons-to-die.yaml: .*\n +schedules +different +unseen +failed +n +k +mi/,
  );
  for (const discipline of ['guest-lock', 'pgdir-lock', 'lock-free']) {
    expect(stdout).toMatch(
      new RegExp(
        `^ ${discipline}, nonpae +70 +\\d+ +\\d+ % \\(\\d+–\\d+\\) +0 +2 +\\d+ +0\\.\\d+ +1 − .* +all ≤ 0, some 1$`,
        'm',
      ),
    );
  }
  expect(stdout).toMatch(/\n210 schedules, \d+ of them different, nothing wrong\n$/);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

describe('a campaign with failures', () => {
  const given = ['campaign', R15, '--defects', 'R15', '--runs', '220', ...FORM, '--strategy'];

  test('runs to its end and prints lines that can be replayed', async () => {
    const { code, stdout } = await umbra(...given, 'random,pct-2', '--json', '-');
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ schema_version: 1, schedules: 440, units: { done: 4, all: 4 } });
    expect(report.failures).toBeGreaterThan(3);
    const [setting] = report.tests[0].settings;
    expect(setting).toMatchObject({ discipline: 'lock-free', failures: report.failures });
    const [{ ending, message, token }] = setting.first_failures;
    const replayed = await umbra('replay', token, '--json', '-');
    expect(JSON.parse(replayed.stdout)).toMatchObject({ ending, message });
    expect(code).toBe(1);
  });

  test('ends at the first failure if told to', async () => {
    const { code, stdout } = await umbra(
      ...[...given, 'random', '--runs', '4000', '--threads', '1', '--until-failure'],
    );
    expect(stdout).toContain('; 1 of 20 units done\n');
    expect(stdout).toMatch(/\numbra replay umbra\d+\./);
    expect(code).toBe(1);
  });
});

describe('with a ledger', () => {
  const given = ['campaign', R15, '--defects', 'R15', ...FORM, '--strategy', 'random,pct-2,pos'];
  const run = (out: string, ...more: string[]) =>
    umbra(...given, '--runs', '410', '--out', at(out), '--threads', '2', ...more);

  test('merged shards equal the campaign, and so does one that was killed half-way and resumed', async () => {
    const whole = await run('whole.sqlite', '--json', '-');
    expect(whole.code).toBe(1);

    await killedAtFirstUnit(at('killed.sqlite'), ...given, '--runs', '410');
    const again = await run('killed.sqlite', '--json', '-');
    expect(again).toEqual(whole);
    expect(dump(at('killed.sqlite'))).toBe(dump(at('whole.sqlite')));
    expect(rowsIn(at('whole.sqlite'), 'unit')).toBe(9);

    const parts = await Array.fromAsync(['1/2', '2/2'], async (shard) => {
      const out = `part-${shard[0]}.sqlite`;
      expect((await run(out, '--shard', shard)).stdout).toContain(`\nshard ${shard}: `);
      return at(out);
    });
    const merged = await umbra('merge', ...parts, '-o', at('merged.sqlite'), '--json', '-');
    expect(merged).toEqual(whole);
    expect(dump(at('merged.sqlite'))).toBe(dump(at('whole.sqlite')));

    const incomplete = await umbra('merge', parts[1]!, '-o', at('no.sqlite'));
    expect(spaced(incomplete.stderr)).toMatch(/missing: 5 of 9 units umbra: shard 1\/2 is not/);
    const other = await run('whole.sqlite', '--seed', '2');
    expect(spaced(other.stderr)).toMatch(/ledger of another campaign: seed 1 there, 2 here; give/);
    expect([incomplete.code, other.code]).toEqual([2, 2]);
  });

  test.skipIf(!hasTerminal)(
    'Ctrl-C keeps the finished units and prints how to resume',
    async () => {
      const more = ['--runs', '4000', '--out', at('left.sqlite'), '--threads', '1'];
      const { code, stdout } = await interrupted(
        /[1-9]\d* of 12,000 .*\/s, ETA \d/,
        ...given,
        ...more,
      );
      expect(code).toBe(130);
      expect(stdout).toMatch(/\d+ FAILED, [\d,]+ of 12,000 schedules/);
      const [, done] =
        /interrupted; in \S+left.sqlite: (\d+) of 60 units; the same command/.exec(stdout) ?? [];
      expect(Number(done)).toBeGreaterThan(0);
      expect(rowsIn(at('left.sqlite'), 'unit')).toBe(Number(done));
    },
  );
});

test.each([
  [['campaign', R15, '--shard', '3/2'], /i\/n is expected/],
  [['campaign', R15, '--strategy', 'pct-3,pct-9'], /'pct-9' is no strategy; did you mean pct-1\?/],
  [['campaign', R15, '--runs', '0'], /whole number/],
  [['campaign', 'no-such'], /no-such: there is no such file or folder/],
  [
    ['campaign', 'scenarios/false-sharing.yaml'],
    /is a scenario, and umbra campaign takes a litmus test/,
  ],
  [['campaign', R15, '--out', at('text')], /text: no ledger, or a damaged one/],
  [['merge', at('no-such'), '-o', at('x')], /no-such: there is no such ledger/],
  [['merge', at('text')], /required option '-o, --out <ledger>' not specified/],
])('refuses %j with a message', async (args, words) => {
  writeFileSync(at('text'), 'what was done: much\n'.repeat(50));
  const { code, stdout, stderr } = await umbra(...args);
  expect(spaced(stderr)).toMatch(words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});
