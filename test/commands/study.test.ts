/** `umbra study` as a user runs it. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkStudyResult, type StudyResult } from '../../src/report/study-result.ts';
import { rowsIn } from '../explore/ledgers.ts';
import { scratch } from '../scratch.ts';
import { hasTerminal, interrupted, umbra } from './umbra.ts';

const folder = scratch('study');

const readResult = (path: string): StudyResult =>
  checkStudyResult(JSON.parse(readFileSync(path, 'utf8')), path);

const QUICK = ['disciplines', '--experiment', 'separate', '--scale', '0.2'];

test('without a name lists the questions', async () => {
  const { code, stdout, stderr } = await umbra('study');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^migration +What does a guest pay/m);
});

test('runs a study, reports it, and keeps it in a run folder', async () => {
  const out = join(folder, 'runs', 'one');
  const { code, stdout, stderr } = await umbra('study', ...QUICK, '--seeds', '1', '--out', out);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^separate\n Discipline /m);
  expect(stdout).toContain('One run, of seed 1: too few for intervals and verdicts, which need 6;');
  expect(stdout).toMatch(/^Not clear: With guest-lock, faults on a pgdir each scale/m);
  expect(stdout).not.toMatch(/^(Yes|No): |\[\d|±/m);
  expect(readdirSync(out).toSorted()).toEqual([
    ...[
      'findings.csv',
      'findings.parquet',
      'points.csv',
      'points.parquet',
      'result.json',
      'run.json',
    ],
  ]);
  expect(existsSync(`${out}.part`)).toBe(false);
  const { seeds, points, interrupted: cut } = readResult(join(out, 'result.json'));
  expect({ seeds, cut }).toEqual({ seeds: [1], cut: false });
  const waits = points.map(({ levels, measures }) => [
    `${levels['discipline']} ${levels['cpus']}`,
    measures['waits_guest_lock']!.median > 0.05,
  ]);
  expect(waits.filter(([, many]) => many)).toEqual([
    ...[
      ['guest-lock 3', true],
      ['guest-lock 4', true],
    ],
  ]);
  expect(waits).toHaveLength(13);
});

test('six seeds give intervals and verdicts', async () => {
  const { code, stdout } = await umbra(
    'study',
    'disciplines',
    '--experiment',
    'separate',
    '--scale',
    '0.1',
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/Medians over 6 seeds from 1, ± the 95 % interval; without ± all seeds/);
  expect(stdout).toMatch(/^No: With guest-lock, faults on a pgdir each scale/m);
  expect(stdout).toMatch(/\d \[[\d.]+, [\d.]+\]/);
  expect(stdout).not.toMatch(/\[(\S+), \1\]/);
});

test.runIf(hasTerminal)('after Ctrl-C the same command resumes', async () => {
  const out = join(folder, 'cut');
  const args = ['study', ...QUICK, '--seeds', '4', '--out', out];
  const soFar = join(folder, 'so-far.json');
  const ended = await interrupted(/[1-9]\d* of 52 runs/, ...args, '--json', soFar);
  expect(ended.code).toBe(130);
  expect(readResult(soFar)).toMatchObject({ study: 'disciplines', interrupted: true });
  expect(ended.stdout).toMatch(/resumes from there/);
  expect(existsSync(out)).toBe(false);
  expect(rowsIn(`${out}.part`, 'unit')).toBeGreaterThan(0);
  expect((await umbra(...args)).code).toBe(0);
  const straight = join(folder, 'straight.json');
  await umbra(...args.slice(0, -2), '--json', straight);
  expect(readResult(join(out, 'result.json'))).toEqual(readResult(straight));
});

test.runIf(hasTerminal)('Ctrl-C ends a run that takes hours', async () => {
  const args = ['claims', '--experiment', 'eviction', '--seeds', '1', '--scale', '1000'];
  const ended = await interrupted(/0 of \d+ runs/, 'study', ...args);
  expect(ended.code).toBe(130);
  expect(ended.stdout).toMatch(/: no run was completed\.\r?\n/);
});

test('writes the results between the marks of a page, and a picture beside it', async () => {
  const page = join(folder, 'page.md');
  const args = ['study', ...QUICK, '--seeds', '1', '--markdown'];
  expect((await umbra(...args, page)).code).toBe(0);
  const written = readFileSync(page, 'utf8');
  expect(written).toContain('study disciplines --seeds 1 --scale 0.2 --experiment ');
  expect(written).toContain('(disciplines-separate.svg)');
  expect(readFileSync(join(folder, 'disciplines-separate.svg'), 'utf8')).toContain('<svg');
  writeFileSync(page, `Above.\n\n${written}\nBelow.\n`);
  expect((await umbra(...args, page)).code).toBe(0);
  expect(readFileSync(page, 'utf8')).toBe(`Above.\n\n${written}\nBelow.\n`);
});

test.each([
  [['migraton'], /there is no study 'migraton'.*did you mean migration\?/],
  [['migration', '--json', '-', '--markdown', '-'], /ask for stdout/],
  [['migration', '--markdown', 'package.json'], /found a file with no place for the study/],
  [['migration', '--scale', '0'], /A number above 0, at most 1000, is expected/],
  [['migration', '--scale', '1e30'], /A number above 0, at most 1000, is expected/],
  [
    ['migration', '--experiment', 'nix'],
    /'nix' matches no experiment of migration; there are interval, policy, shared/,
  ],
])('refuses %j with a message', async (args, said) => {
  const { code, stdout, stderr } = await umbra('study', ...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr.replaceAll(/\n\s*/g, ' ')).toMatch(said);
});
