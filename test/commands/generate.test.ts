/** `umbra generate` as a user runs it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { formatGenerated, type GenerateReport } from '../../src/explore/generate/report.ts';
import { scratch } from '../scratch.ts';
import { hasTerminal, interrupted, spaced, umbra } from './umbra.ts';

const folder = scratch('generate');
const at = (name: string): string => join(folder, name);

const SETTING = ['--paging', 'nonpae', '--discipline', 'lock-free', '--configuration', 'AA'];
const CORE = ['generate', '--ops', '2', '--alphabet', 'core', ...SETTING];

test('says which share of which space it searched', async () => {
  const { code, stdout, stderr } = await umbra(...CORE, '--json', at('core.json'));
  expect(stdout).toMatch(
    /^2 operations, core, AA, nonpae, lock-free: 57 of 57 programs, [\d,]+ schedules; nothing wrong\n/,
  );
  expect(stdout).toMatch(/\n57 programs, [\d,]+ schedules, nothing wrong\n$/);
  expect(JSON.parse(readFileSync(at('core.json'), 'utf8'))).toMatchObject({
    schema_version: 1,
    operations: 2,
    alphabet: 'core',
    failed: 0,
    end: 'whole',
    spaces: [{ configuration: 'AA', tried: 57, programs: 57, failed: 0 }],
    clusters: [],
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('--exhaustive counts the behaviours, and names the programs not fully searched', async () => {
  const asked = [...CORE, '--exhaustive', '3', '--out', at('all'), '--threads', '2'];
  const { stdout } = await umbra(...asked);
  expect(stdout).toMatch(
    /^2 operations, core, AA, nonpae, lock-free, 3 behaviours at most: 57 of 57 programs, 17\d behaviours, each once, not all of 5\d programs; nothing wrong\n\n57 programs, 17\d behaviours, each once, not all of 5\d programs, nothing wrong\n$/,
  );
  const again = await umbra(...asked, '--json', '-');
  expect(JSON.parse(again.stdout)).toMatchObject({
    blocked: 0,
    spaces: [{ abridged: true, most: 3, tried: 57, blocked: 0 }],
  });
  const all = await umbra(...CORE, '--exhaustive', '--seconds', '1', '--json', '-');
  const [space] = (JSON.parse(all.stdout) as { spaces: Record<string, unknown>[] }).spaces;
  expect(space).toMatchObject({ abridged: true, blocked: 0, unfinished: 0, failed: 0 });
  expect(space).not.toHaveProperty('most');
});

describe('with a folder', () => {
  const found = at('found');
  const given = [...CORE, '--defects', 'R4', '--out', found];

  test('writes its findings as litmus tests that replay, litmus and explore take', async () => {
    const { code, stdout } = await umbra(...given, '--until-failure');
    expect(code).toBe(1);
    expect(stdout).toMatch(/, R4: (25|32) of 57 programs, .* failed\n\ninvariant 2: a wrong count/);
    const tests = readdirSync(found).filter((name) => name.endsWith('.yaml'));
    expect(tests.length).toBeGreaterThan(0);
    for (const name of tests) {
      expect(name).toMatch(/^gen-[0-9a-f]{10}\.yaml$/);
      expect(stdout).toContain(`\n  ${join(found, name)}\n`);
      const file = join(found, name);
      const replayed = await umbra('replay', file, '--json', '-');
      expect(JSON.parse(replayed.stdout)).toMatchObject({ ending: 'violation' });
      const setting = ['--paging', 'nonpae', '--discipline', 'lock-free'];
      expect((await umbra('litmus', file, ...setting, '--runs', '60')).code).toBe(0);
      const explored = await umbra(
        ...['explore', file, '--defects', 'R4', ...setting, '--strategy', 'sweep', '--no-shrink'],
      );
      expect(explored.code).toBe(1);
    }
  });

  test('resumes from it, to the result of one run', async () => {
    const again = await umbra(...given, '--json', '-');
    expect(again.code).toBe(1);
    const whole = await umbra(...CORE, '--defects', 'R4', '--json', '-');
    const report = JSON.parse(again.stdout);
    const alone = JSON.parse(whole.stdout);
    expect(report.spaces).toEqual(alone.spaces);
    expect(report.spaces[0].tried).toBe(57);
    const unwritten = (clusters: { file: unknown; token: unknown }[]) =>
      clusters.map((cluster) => ({ ...cluster, file: null, token: null }));
    expect(unwritten(report.clusters)).toEqual(unwritten(alone.clusters));
    expect(alone.clusters[0]).toMatchObject({ file: null, token: null });
  });

  test('another search does not resume from it', async () => {
    const { code, stderr } = await umbra(...given, '--seed', '2');
    expect(spaced(stderr)).toMatch(
      /generate\.sqlite is the ledger of another search: seed 1 there, 2 here/,
    );
    expect(code).toBe(2);
  });

  test('of a search in another setting it names what differs', async () => {
    const { stderr } = await umbra(...given, '--discipline', 'pgdir-lock', '--exhaustive', '9');
    expect(spaced(stderr)).toContain(
      'another search: discipline lock-free there, pgdir-lock here; exhaustive no there, 9 here;',
    );
  });
});

test('programs too small for their vCPUs are an error, not a verdict', async () => {
  const given = ['--configuration', 'AB,ABA', '--ops', '2'];
  const { code, stdout, stderr } = await umbra('generate', ...given);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(spaced(stderr)).toBe(
    'umbra: found --ops 2 for the 3 vCPUs of ABA, expected an operation of each: give --ops 3 or more ',
  );
});

test('after nothing was run, nothing is said of failures', async () => {
  const small = ['--alphabet', 'core', '--configuration', 'AA', '--paging', 'nonpae'];
  const shard = ['--discipline', 'lock-free', '--shard', '65535/65535'];
  const { code, stdout } = await umbra('generate', ...small, ...shard);
  expect(stdout).toMatch(/: 0 of [1-9]\d* programs, 0 schedules; nothing tried\n/);
  expect(stdout).toMatch(/: 0 programs, 0 schedules, nothing tried\n$/);
  expect(code).toBe(0);
});

test.each([
  [
    0,
    '0 programs, 0 schedules, nothing tried: time was up before the first unit of programs was done',
  ],
  [32, '32 programs, 0 schedules, nothing wrong'],
])('after --seconds, with %i programs tried', async (tried, words) => {
  const { stdout } = await umbra(...CORE, '--shard', '65535/65535', '--json', '-');
  const report = JSON.parse(stdout) as GenerateReport;
  const spaces = report.spaces.map((space) => ({ ...space, tried }));
  expect(formatGenerated({ ...report, shard: { index: 1, of: 1 }, spaces }, [], true)).toMatch(
    new RegExp(`\\n${words}\\n$`),
  );
});

test('refuses too large a space, and says how large it may be', async () => {
  const refused = async (...args: readonly string[]) => {
    const { code, stderr } = await umbra('generate', ...args);
    return `${code} ${spaced(stderr)}`;
  };
  expect(await refused('--shard', '1/1000000')).toMatch(/^2 .*n at most 65535/);
  expect(await refused('--threads', '9999')).toMatch(
    /^2 .*A whole number from 1 to 512 is expected/,
  );
});

test('shards together are the whole', async () => {
  const tried = await Array.fromAsync(['1/2', '2/2'], async (shard) => {
    const { stdout } = await umbra(...CORE, '--shard', shard, '--json', '-');
    return JSON.parse(stdout).spaces[0].tried;
  });
  expect(tried).toEqual([32, 25]);
});

describe('refuses', () => {
  writeFileSync(at('file'), '');
  test.each([
    [['--ops', '1'], /from 2 to 5 is expected/],
    [['--alphabet', 'cor'], /core/],
    [['--configuration', 'AD'], /'AD' is none: two or three tables/],
    [['--out', at('file')], /file is a file: give --out a folder/],
    [['--each-defect', '--out', at('x')], /cannot be used with option '--out <dir>'/],
    [['--each-defect', '--json', '-', '--markdown', '-'], /ask for stdout/],
    [['--each-defect', '--seconds', '5'], /cannot be used with option '--seconds <s>'/],
    [['--each-defect', '--ops', '2'], /cannot be used with option '--ops <n>'/],
    [['--markdown', at('x.md')], /--markdown is for --each-defect: give both, or neither/],
  ])('%j', async (given, says) => {
    const { code, stderr } = await umbra('generate', ...given);
    expect(spaced(stderr)).toMatch(says);
    expect(code).toBe(2);
  });
});

test('a single defect: the first program that fails under it, as a table too', async () => {
  const { code, stdout } = await umbra(
    ...['generate', '--each-defect', '--defects', 'R13', ...SETTING, '--markdown', at('each.md')],
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/^R13 {2}invariant 3: the last host CPU is another one/);
  expect(readFileSync(at('each.md'), 'utf8')).toMatch(
    /\n\| R13 \| last_host_cpu is overwritten \| 2, `all` \| AA, nonpae, lock-free: `.*1 of 1 \|\n/,
  );
});

test('a signal ends it at once while programs are made, which takes long', async () => {
  const given = ['src/main.ts', 'generate', '--ops', '4', '--out', at('making')];
  const child = spawn(process.execPath, given, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  while (!existsSync(at('making/generate.sqlite')) && child.exitCode === null) await setTimeout(5);
  child.kill('SIGTERM');
  await ended;
  expect(child.signalCode).toBe('SIGTERM');
});

test.skipIf(!hasTerminal)('Ctrl-C keeps the finished part', async () => {
  const given = ['generate', '--ops', '3', '--alphabet', 'core', '--threads', '1'];
  const ran = await interrupted(/[1-9]\d* of [\d,]+ programs/, ...given, '--out', at('kept'));
  expect(ran.stdout).toMatch(/3 operations, core, AA, nonpae, guest-lock: \d+ of 1,175 programs/);
  expect(ran.stdout).toContain('umbra: interrupted; the same command resumes from here');
  expect(ran.code).toBe(130);
});
