/** `umbra run` as a user runs it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunReport } from '../../src/report/run-report.ts';
import { scratch } from '../scratch.ts';
import { shell, spaced, umbra } from './umbra.ts';

const folder = scratch('run');

const file = (...lines: readonly string[]): string => {
  const path = join(folder, 'machine.yaml');
  writeFileSync(path, lines.join('\n'));
  return path;
};

const SMALL = [
  'discipline: guest-lock',
  'slice: 70',
  'seed: 3',
  'hotplug: [{cpu: 1, after: 3, for: 5}]',
  'guests:',
  '  - {program: {builtin: touch}, vcpus: 2, memory: {pages: 512}}',
];

test('runs a file, and options override it', async () => {
  const json = join(folder, 'run.json');
  const args = ['--cpus', '3', '--paging', 'pae', '--policy', 'sticky', '--seed', '8'];
  const { code, stdout } = await umbra('run', file(...SMALL), ...args, '--json', json);
  expect(stdout).toContain('touch: powered off');
  expect(stdout).toMatch(/Host CPUs went offline .* time slices/);
  expect(code).toBe(0);
  const report = JSON.parse(readFileSync(json, 'utf8')) as RunReport;
  expect(report.configuration).toMatchObject({
    host_cpus: 3,
    paging: 'pae',
    policy: 'sticky',
    seed: 8,
    discipline: 'guest-lock',
    defects: [],
    vcpus: [2],
    guest_memory_pages: [512],
    quantum: { least: 70, most: 70 },
    hotplug: [{ cpu: 1, after: 3, for: 5 }],
  });
});

test("vCPUs and time slices may be given; the file's expected end then does not count", async () => {
  const config = async (...args: readonly string[]) => {
    const { code, stdout } = await umbra('run', 'as-written-two-vcpus', ...args, '--json', '-');
    return { code, ...(JSON.parse(stdout) as RunReport).configuration };
  };
  expect(await config('--slice', '300..400')).toMatchObject({
    code: 0,
    quantum: { least: 300, most: 400 },
    vcpus: [2],
  });
  expect(await config('--vcpus', '1', '--slice', '777')).toMatchObject({
    code: 0,
    quantum: { least: 777, most: 777 },
    vcpus: [1],
  });
});

test('a run that ends as expected succeeds, another one fails', async () => {
  const lines = [...SMALL, 'fail_allocation_after: 20', 'expect:'];
  const good = await umbra('run', file(...lines, '  ending: killed', '  reason: (page|memory)'));
  expect(good.stdout).toMatch(/As expected: a guest was killed\.\n$/);
  expect(good).toMatchObject({ code: 0, stderr: '' });
  const other = await umbra(
    'run',
    file(...lines, '  ending: killed', '  reason: thirst'),
    '--json',
    '-',
  );
  expect(JSON.parse(other.stdout).as_expected).toBe(false);
  expect(other.code).toBe(1);
  const done = await umbra('run', file(...lines, '  ending: done'));
  expect(done.stdout).toMatch(/Not as expected: a guest was killed; expected was: every guest/);
  expect(done.code).toBe(1);
});

test('the specimens that come with umbra end as they declare', async () => {
  for (const name of ['as-written-two-vcpus', 'out-of-memory']) {
    const { code, stdout } = await umbra('run', name);
    expect(stdout).toContain('As expected');
    expect(code).toBe(0);
  }
});

test('reports an absence of a host CPU that did not take place', async () => {
  const lines = SMALL.map((line) =>
    line.replace('hotplug: [', 'hotplug: [{cpu: 0, after: 4000000}, '),
  );
  const { code, stdout } = await umbra('run', file(...lines));
  expect(stdout).toContain('CPU 0 never went offline: 4,000,000 slices did not begin.');
  expect(stdout).not.toContain('CPU 1 never went offline');
  expect(code).toBe(0);
});

test('without a scenario lists those that come with umbra', async () => {
  const { code, stdout } = await umbra('run');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^parallel-pigz +A real program/m);
});

test('reports all mistakes in a file with line and column, and runs nothing', async () => {
  const { code, stdout, stderr } = await umbra('run', file('cpus: 0', 'polcy: random', ...SMALL));
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  const said = stderr.replaceAll('\n  ', ' ').trimEnd().split('\n');
  expect(said[0]).toMatch(/^umbra: .*machine\.yaml:1:7: found 0, expected a whole number/);
  expect(said[1]).toMatch(/^umbra: .*machine\.yaml:2:1: .*did you mean policy\?$/);
  expect(said).toHaveLength(2);
});

test.each([
  [['nowhere.yaml'], /nowhere\.yaml cannot be read: ENOENT/],
  [['parallel-pig'], /did you mean parallel-pigz\?/],
  [['parallel-pigz', '--discipline', 'none'], /Allowed choices are as-written, guest-lock/],
  [['three-ways', '--vcpus', '2'], /vcpus of guest direct: found 2, expected 1/],
  [['swarm', '--vcpus', '9'], /A whole number from 1 to 8 is expected/],
  [['swarm', '--slice', '5..3'], /N or N\.\.M is expected, .* N no more than M/],
  [['swarm', '--slice', '0'], /N or N\.\.M is expected/],
  [['swarm', '--slice', '5..'], /N or N\.\.M is expected/],
  [['swarm', '--cpus', '2'], /hotplug: there is no host CPU 2/],
])('refuses %j with a message', async (args, words) => {
  const { code, stderr } = await umbra('run', ...args);
  expect(spaced(stderr)).toMatch(words);
  expect(code).toBe(2);
});

test('reads a scenario from a pipe', () => {
  const text = SMALL.join('\\n');
  const { code, stdout } = shell(`printf '${text}' | umbra run /dev/stdin | tail -1`);
  expect(stdout).toContain('every reference count adds up');
  expect(code).toBe(0);
});
