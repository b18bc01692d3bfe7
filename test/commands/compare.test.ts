/** `umbra compare` as a user runs it. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Benchmark } from '../../src/report/benchmark.ts';
import { madeBenchmark, madeLine } from '../report/synthetic.ts';
import { scratch } from '../scratch.ts';
import { spaced, umbra } from './umbra.ts';

const folder = scratch('compare');

function file(name: string, content: Benchmark | string): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const lineOf = (name: string, middle: number, seed: number) => madeLine({ name, middle, seed });

const before = madeBenchmark([lineOf('walk', 100, 1), lineOf('fault', 500, 2)]);
const after = madeBenchmark([lineOf('walk', 100, 3), lineOf('fault', 700, 4)]);
const [was, is] = [file('before.json', before), file('after.json', after)];

test('a regression is shown and counted, and sets the exit code', async () => {
  const { code, stdout, stderr } = await umbra('compare', was, is);
  expect(stdout).toMatch(/^ walk +\d+ ns +\d+ ns +[01]\.\d{3} +\[.*\] +pace +no difference *$/m);
  expect(stdout).toMatch(/^ fault +\d+ ns +\d+ ns +1\.[34]\d\d +\[.*\] +pace +slower *$/m);
  expect(stdout).toMatch(/^1 slower, 0 faster, 1 no difference, 0 too noisy to say$/m);
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
});

test('a speed-up is no regression', async () => {
  const { code, stdout } = await umbra('compare', is, was);
  expect(stdout).toMatch(/^ fault .* faster *$/m);
  expect(code).toBe(0);
});

test('the threshold sets which differences count', async () => {
  const { code, stdout } = await umbra('compare', was, is, '--threshold', '100');
  expect(stdout).toMatch(/^0 slower, 0 faster, 2 no difference/m);
  expect(code).toBe(0);
});

test('--json prints it all as data, and nothing else on stdout', async () => {
  const { code, stdout } = await umbra('compare', was, is, '--by', 'value', '--json', '-');
  const comparison = JSON.parse(stdout);
  expect(comparison).toMatchObject({ schema_version: 1, threshold: 0.05, regressions: 1 });
  expect(comparison.lines[1]).toMatchObject({ name: 'fault', by: 'value', verdict: 'slower' });
  expect(code).toBe(1);
});

const against = { version: '0.1.0', commit: 'def', only_here: ['new'] };
const inTurns = file('in-turns.json', { ...before, against });

test('one run is compared with the other checkout it was measured against', async () => {
  const { code, stdout } = await umbra('compare', inTurns, '--json', '-');
  expect(JSON.parse(stdout)).toMatchObject({
    lines: [{ name: 'walk', by: 'turns', before: 10, verdict: 'slower' }, { name: 'fault' }],
    only_after: ['new'],
    regressions: 2,
  });
  expect(code).toBe(1);
});

test('warns of another machine', async () => {
  const machine = { ...after.machine, cpu: 'another' };
  const { stdout } = await umbra('compare', was, file('elsewhere.json', { ...after, machine }));
  expect(stdout).toMatch(
    /^Beware: another processor: a CPU, 2 cores before, another, 2 cores after\./,
  );
});

const whole = JSON.stringify(before);
const broken = { ...before, lines: [{ ...before.lines[0]!, value: { median: 'much' } }] };

test.each([
  ['missing.json', undefined, /missing.json cannot be read: ENOENT; give what npm run bench/],
  ['text.json', 'hello', /found text that is not JSON \(.*\), expected what npm run bench/],
  ['cut.json', whole.slice(0, 1000), /found a file that is cut short after 1000 characters/],
  ['old.json', '{"schema_version":1}', /found schema version 1, expected 2: .* measure again/],
  ['other.json', '{"name":"umbra"}', /found no schema_version, expected schema_version/],
  [
    'broken.json',
    JSON.stringify(broken),
    /lines\[0\]\.value\.median: found "much", expected a number/,
  ],
])('refuses %s with a message', async (name, text, words) => {
  const path = text === undefined ? join(folder, name) : file(name, text);
  const { code, stdout, stderr } = await umbra('compare', was, path);
  expect(spaced(stderr)).toMatch(words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test.each([
  [[], /missing required argument 'before'/],
  [[was], /is one run alone, not measured --against another: give two/],
  [[inTurns, '--by', 'pace'], /--by is of two runs; these two were measured in turns/],
  [[was, is, '--by', 'luck'], /native, pace, baseline, value/],
  [[was, is, '--by', 'native'], /have no line measured in C in common/],
  [[was, is, '--threshold', 'much'], /A number of at least 0 is expected/],
  [[was, is, '--json', join(folder, 'no', 'such.json')], /the JSON cannot be written there/],
])('refuses %j with a message', async (args, words) => {
  const { code, stdout, stderr } = await umbra('compare', ...args);
  expect(spaced(stderr)).toMatch(words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});
