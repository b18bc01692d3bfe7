/** `umbra replay --story` as a user runs it. */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { tokenOf } from '../../src/explore/replay.ts';
import type { PlayerData } from '../../src/report/player/data.ts';
import { find, R2, R10 } from '../explore/story/found.ts';
import { scratch } from '../scratch.ts';
import { hasTerminal, shell, spaced, umbra } from './umbra.ts';

const folder = scratch('story');

let failing: string;
let passing: string;
let other: string;
beforeAll(() => {
  const found = find(R2, 'R2', 'lock-free', 'nonpae');
  failing = tokenOf(found.subject, found.failing);
  passing = tokenOf(found.subject, found.passing!);
  const others = find(R10, 'R10', 'guest-lock', 'nonpae');
  other = tokenOf(others.subject, others.failing);
});

test('--story prints it after the verdict', async () => {
  const { code, stdout, stderr } = await umbra('replay', failing, '--story', '--against', passing);
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  const verdict = stdout.indexOf('\nviolation: forbidden: the guest cleared the entry');
  const story = stdout.indexOf('\n step CPU 0');
  expect(verdict).toBeGreaterThan(0);
  expect(story).toBeGreaterThan(verdict);
  expect(stdout).toMatch(/^ +\d+ !!! here it breaks$/m);
  expect(spaced(stdout)).toContain('In the schedule that passes,');
});

test('--all prints each step', async () => {
  const { code, stdout } = await umbra('replay', failing, '--story', '--all');
  const [, steps] = /^(\d+) steps/m.exec(stdout)!;
  expect(stdout).toContain(`${steps} of ${steps} steps are shown`);
  const told = Array.from(stdout.matchAll(/^([ \d]{4}\d) /gm), ([, step]) => Number(step));
  expect(told).toEqual(Array.from({ length: Number(steps) }, (_, i) => i));
  expect(code).toBe(1);
});

test('--html writes a complete page and leaves nothing beside it', async () => {
  const file = join(folder, 'story.html');
  writeFileSync(file, 'old');
  const { code, stdout } = await umbra('replay', failing, '--html', file);
  const page = readFileSync(file, 'utf8');
  expect(page).toMatch(/^<!doctype html>.*<\/html>\n$/s);
  expect(page).toContain(`umbra replay ${failing} --story`);
  expect(readdirSync(folder)).toEqual(['story.html']);
  expect(stdout).not.toContain('step CPU 0');
  expect(code).toBe(1);
});

test('--json has the story as data, if asked for', async () => {
  const { stdout } = await umbra('replay', failing, '--story', '--json', '-');
  const { story, steps } = JSON.parse(stdout);
  expect(story.steps).toBe(steps);
  expect(story.lines.length).toBeGreaterThan(story.told);
  expect(JSON.parse((await umbra('replay', failing, '--json', '-')).stdout)).not.toHaveProperty(
    'story',
  );
});

test.skipIf(!hasTerminal)('is coloured at a terminal, unless NO_COLOR is set', () => {
  const line = `replay ${failing} --story`;
  const script = (prefix: string): string =>
    shell(`script -qec '${prefix} "${process.execPath}" src/main.ts ${line}' /dev/null`).stdout;
  expect(script('env -u NO_COLOR')).toContain('\x1b[1;31m');
  expect(script('env NO_COLOR=1')).not.toContain('\x1b[');
});

test.each([
  ['--all alone', () => [failing, '--all'], /--all is about the story, .* add --story or --html/],
  ['--against alone', () => [failing, '--against', passing], /--against is about the story/],
  ['against itself', () => [failing, '--story', '--against', failing], /ends badly as well/],
  ['against another test', () => [failing, '--story', '--against', other], /in another setting/],
  ['against no token', () => [failing, '--story', '--against', 'R2'], /'R2' is no token/],
  [
    'a page in a missing folder',
    () => [failing, '--html', '/nowhere/s.html'],
    /story cannot be written there/,
  ],
  ['a page that is a folder', () => [failing, '--html', folder], /story cannot be written there/],
])('refuses %s with a message, and runs nothing', async (_, args, words) => {
  const { code, stdout, stderr } = await umbra('replay', ...args());
  expect(spaced(stderr)).toMatch(words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(existsSync('/nowhere')).toBe(false);
});

test('explore writes the page of its failure, shrunk, beside a passing schedule', async () => {
  const file = join(folder, 'race.html');
  const args = ['R2-cleared-entry-comes-back', '--discipline', 'lock-free', '--paging', 'nonpae'];
  const { code, stdout } = await umbra('explore', ...args, '--defects', 'R2', '--html', file);
  expect(code).toBe(1);
  const [, json] = /<script type="application\/json">(.*)<\/script>\n<script/s.exec(
    readFileSync(file, 'utf8'),
  )!;
  const { tracks } = JSON.parse(json!) as PlayerData;
  expect(tracks.map((track) => track!.story.good)).toEqual([false, true]);
  expect(stdout).toContain(`${tracks[0].steps.length} steps\n`);
  rmSync(file);
  const none = await umbra('explore', ...args, '--runs', '3', '--html', file);
  expect(none.code).toBe(0);
  expect(none.stdout).toContain(`nothing went wrong: ${file} is not written`);
  expect(existsSync(file)).toBe(false);
  const both = await umbra('explore', ...args, '--races', '--html', file);
  expect(both.code).toBe(2);
});
