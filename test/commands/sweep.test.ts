/** `umbra sweep` and `umbra ab` as a user runs them. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkStudyResult } from '../../src/report/study-result.ts';
import { rowsIn } from '../explore/ledgers.ts';
import { scratch } from '../scratch.ts';
import { hasTerminal, interrupted, spaced, umbra } from './umbra.ts';

const folder = scratch('sweep');
const at = (...path: readonly string[]): string => join(folder, ...path);

const small = (text: string, more = '', size = 1): string => {
  const path = at(`${text}.yaml`);
  writeFileSync(
    path,
    `cpus: 2\n${more}guests:\n  - {program: {workload: cow-storm, size: ${size}}, memory: {pages: 1024}}\n`,
  );
  return path;
};
const SMALL = small('small');

const sweep = (...args: readonly string[]) => umbra('sweep', SMALL, ...args);
const readJson = (path: string) => checkStudyResult(JSON.parse(readFileSync(path, 'utf8')), path);

test('each setting has the same seeds, a table and bars, and is kept in every form', async () => {
  const files = ['--json', at('a.json'), '--csv', at('a.csv'), '--html', at('a.html')];
  const vary = ['--vary', 'policy=pinned,ping-pong', '--vary', 'slice=200,2000'];
  const { code, stdout, stderr } = await sweep(...vary, ...files, '--out', at('runs'));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^ ping-pong +200 +[\d.]+[kM] ±[\d.]+ %/m);
  expect(stdout).toMatch(/^ policy=pinned, slice=200 +█+/m);
  expect(stdout).toContain('The order was drawn from seed 1.');
  const result = readJson(at('a.json'));
  expect(result.seeds).toEqual([1, 2, 3, 4, 5, 6]);
  expect(result.points.map(({ levels }) => Object.values(levels).join())).toEqual([
    ...['pinned,200', 'pinned,2000', 'ping-pong,200', 'ping-pong,2000'],
  ]);
  for (const { measures, levels } of result.points) {
    expect(measures['cycles']!.samples).toHaveLength(6);
    expect(measures['migrations']!.median > 0).toBe(levels['policy'] === 'ping-pong');
    expect(measures['seconds']).toBeUndefined();
  }
  const lines = readFileSync(at('a.csv'), 'utf8').trim().split('\n');
  expect(lines[0]).toMatch(/^policy,slice,seed,cycles,/);
  expect(lines).toHaveLength(1 + 4 * 6);
  expect(readFileSync(at('a.html'), 'utf8')).toMatch(/Cycles by slice/);
  expect(readdirSync(at('runs')).toSorted()).toEqual([
    ...['findings.csv', 'findings.parquet', 'points.csv', 'points.parquet', 'result.json'],
    ...['run.json', 'runs.csv', 'runs.parquet'],
  ]);
  expect(existsSync(at('runs.part'))).toBe(false);
});

test('counts are a function of the seed, in any order and on any number of cores', async () => {
  const once = async (...args: readonly string[]) => {
    const name = at(`${args.join('')}.json`);
    await sweep('--vary', 'policy=sticky,random', '--repeat', '2', ...args, '--json', name);
    return readJson(name).points;
  };
  const first = await once('--jobs', '1');
  expect(await once('--order-seed', '7', '--jobs', '2')).toEqual(first);
});

test('times are measured on threads, one run at a time', async () => {
  const args = ['--vary', 'cpus=1,2', '--repeat', '1', '--measure', 'faults_per_s'];
  const { code } = await sweep(...args, '--json', at('timed.json'));
  expect(code).toBe(0);
  const { points, method } = readJson(at('timed.json'));
  expect(method).toMatch(/a thread, one run at a time/);
  for (const { measures } of points) {
    expect(measures['faults_per_s']!.median).toBeGreaterThan(0);
  }
  const { code: refused, stderr } = await sweep(...args, '--jobs', '2');
  expect(refused).toBe(2);
  expect(stderr).toContain('what is timed runs alone');
});

describe('thresholds', () => {
  const held = (threshold: string, ...args: readonly string[]) =>
    sweep('--vary', 'policy=pinned', '--expect', threshold, '-q', ...args);

  test('met: exits with 0', async () => {
    expect(await held('migrations == 0')).toEqual({ code: 0, stdout: '', stderr: '' });
  });
  test('not met: exits with 1', async () => {
    const { code, stdout } = await held('migrations > 0');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^NOT MET: migrations > 0 \(0 .*\): policy=pinned$/m);
  });
  test('with too few runs are undecided', async () => {
    const { code, stdout } = await held('migrations == 0', '--repeat', '2');
    expect(code).toBe(7);
    expect(stdout).toContain('Not clear: migrations == 0');
  });
  test('of umbra run', async () => {
    const run = (threshold: string) => umbra('run', SMALL, '-q', '--expect', threshold);
    expect((await run('entries > 1')).code).toBe(0);
    const { code, stdout } = await run('entries < 1');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^NOT MET: entries < 1 \([\d,]+\)$/m);
  });
});

test('a machine that fails is reported, and the others are measured', async () => {
  const vary = ['--vary', 'discipline=as-written,guest-lock', '--vary', 'vcpus=2'];
  const died = ['--repeat', '1', '--json', at('died.json')];
  const { code, stdout } = await umbra('sweep', small('larger', '', 2), ...vary, ...died);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^WENT WRONG: seed 1, discipline=as-written, vcpus=2: /m);
  const { points, sweep: swept } = readJson(at('died.json'));
  expect(points.map(({ levels }) => levels['discipline'])).toEqual(['guest-lock']);
  expect(swept!.failed).toMatchObject([{ seed: 1, levels: { discipline: 'as-written' } }]);
});

test.runIf(hasTerminal)('after Ctrl-C the same command resumes, with more seeds too', async () => {
  const out = at('cut');
  const args = ['sweep', SMALL, '--vary', 'slice=100,200,300,400', '--out', out];
  const written = ['--json', at('cut.json'), '--csv', at('cut.csv')];
  const given = [...args, '--repeat', '100', ...written];
  const ended = await interrupted(/[1-9]\d* of 400 runs/, ...given);
  expect(ended.code).toBe(130);
  expect(ended.stdout).toMatch(/resumes from there/);
  expect(existsSync(out)).toBe(false);
  expect(readJson(at('cut.json'))).toMatchObject({ interrupted: true });
  expect(readFileSync(at('cut.csv'), 'utf8').split('\n').length).toBeGreaterThan(1);
  expect(rowsIn(`${out}.part`, 'unit')).toBeGreaterThan(0);
  const other = small('other', 'seed: 3\n');
  const refused = await umbra('sweep', other, ...args.slice(2));
  expect(refused.code).toBe(2);
  expect(spaced(refused.stderr)).toMatch(/ledger of another study: study /);
  expect((await umbra(...args, '--repeat', '2')).code).toBe(0);
  expect(readJson(join(out, 'result.json')).points).toHaveLength(4);
});

describe('two settings side by side', () => {
  const ab = (...args: readonly string[]) => umbra('ab', SMALL, ...args);
  const moved = ['--vary', 'policy=pinned,ping-pong', '--vary', 'slice=200'];

  test('the second is worse: higher, with its interval and the number of seeds', async () => {
    const { code, stdout } = await ab(...moved);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^Yes: ping-pong has more cycles than pinned\. [\d.]+ \[[\d.]+, [\d.]+\] times/m,
    );
    expect(stdout).toMatch(
      /more migrations than pinned\. [^:]*, where\s+the\s+other\s+has\s+none\./,
    );
    expect(stdout).toContain('Medians over 6 seeds from 1');
  });

  test('swapped, it is no worse', async () => {
    const { code, stdout } = await ab('--vary', 'policy=ping-pong,pinned', '--vary', 'slice=200');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Yes: pinned has fewer cycles than [^:]*\s+times\s+as\s+many\./m);
  });

  test('a difference below the threshold does not count', async () => {
    const { code, stdout } = await ab(...moved, '--threshold', '10000');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Yes: ping-pong has as many cycles as pinned\./m);
  });

  test('fewer than six seeds decide nothing', async () => {
    const { code, stdout } = await ab(...moved, '--repeat', '5');
    expect(code).toBe(7);
    expect(stdout).toMatch(/^Not clear: ping-pong has more cycles/m);
  });

  test('numbers are shown with their field', async () => {
    const { stdout } = await ab('--vary', 'slice=200,50', '--measure', 'entries');
    expect(stdout).toMatch(/^Which has more, slice=200 or slice=50\?$/m);
    expect(stdout).toMatch(/^Yes: slice=50 has more entries than slice=200\./m);
  });

  test('two scenarios', async () => {
    const { code, stdout } = await ab(small('slow', 'slice: 50\n'), '--measure', 'entries');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Yes: slow has more entries than small\./m);
  });

  test.each([
    ['more than two settings', ['--vary', 'cpus=1,2,3'], /found 3 settings, expected two/],
    ['one setting', [], /found one setting, expected two/],
    ['the same scenario twice', [SMALL], /found .*small\.yaml twice/],
    [
      'both a second scenario and --vary',
      [at('slow.yaml'), '--vary', 'cpus=1,2'],
      /leave --vary out/,
    ],
  ])('refuses %s', async (_, args, message) => {
    const { code, stderr } = await ab(...args);
    expect(code).toBe(2);
    expect(spaced(stderr)).toMatch(message);
  });
});

test('prints one format to stdout', async () => {
  const { code, stdout } = await sweep('--vary', 'cpus=1,2', '--repeat', '1', '--csv', '-');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^cpus,seed,cycles,/);
  const both = await sweep('--vary', 'cpus=1,2', '--csv', '-', '--json', '-');
  expect(both.code).toBe(2);
  expect(both.stderr).toContain('--json - and --csv - ask for stdout');
});

test('shows infinity in a mistake', async () => {
  const { code, stderr } = await sweep('--vary', 'slice=1e400,500');
  expect(code).toBe(2);
  expect(spaced(stderr)).toContain('with slice=Infinity: slice: found Infinity, expected ');
});

test('two settings with no clear difference', async () => {
  const { stdout } = await sweep('--vary', 'slice=100000,200000', '--repeat', '2');
  expect(spaced(stdout)).toMatch(/times as many; the two cannot be told apart\./);
});

test('refuses a sweep without a varied field', async () => {
  const { code, stderr } = await sweep();
  expect(code).toBe(2);
  expect(stderr).toContain('give --vary FIELD=VALUES');
});

test('takes seeds as umbra run does', async () => {
  const given = ['--seed', '4294967295', '--repeat', '2'];
  for (const args of [
    ['sweep', SMALL, '--vary', 'cpus=1,2', ...given],
    ['ab', SMALL, '--vary', 'cpus=1,2', ...given],
    ['study', 'migration', '--seed', '4294967295', '--seeds', '2'],
    ['stress', '--seed', '4294967295', '--runs', '2'],
  ]) {
    const { code, stderr } = await umbra(...args);
    expect(spaced(stderr)).toBe(
      'umbra: found seeds from 4294967295 to 4294967296, expected none above 4294967295: ' +
        'give a lower --seed ',
    );
    expect(code).toBe(2);
  }
});
