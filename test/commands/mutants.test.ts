/** `umbra mutants` as a user runs it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { mutantsReport, mutantTasks } from '../../src/explore/mutants/mutants.ts';
import { formatMutants } from '../../src/explore/mutants/table.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { Subject } from '../../src/explore/subject.ts';
import { mutant } from '../../workers/mutant-task.ts';
import { scratch } from '../scratch.ts';
import { hasTerminal, interrupted, spaced, umbra } from './umbra.ts';

const folder = scratch('mutants');

test('reports which strategy caught a defect, how soon, how often, and how short the failure becomes', async () => {
  const what = ['--only', 'R15', '--runs', '3', '--strategy', 'random,fewest'];
  const given = [...what, '--threads', '2'];
  const page = join(folder, 'mutants.md');
  const { code, stdout, stderr } = await umbra(
    'mutants',
    ...given,
    '--json',
    '-',
    '--markdown',
    page,
  );
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ schema_version: 1, runs: 3, seed: 1 });
  const [{ strategies, ...r15 }, ...others] = report.mutants;
  expect(others).toEqual([]);
  expect(r15).toMatchObject({ defect: 'R15', missed: false });
  expect(r15.tests.map((path: string) => path.replace(/.*R15-/, ''))).toEqual([
    'two-faults-at-once.yaml',
    'two-reasons-to-die.yaml',
  ]);
  for (const [i, strategy] of ['random', 'fewest'].entries()) {
    expect(strategies[i]).toMatchObject({ strategy, settings: 12, runs: 36, after: 1 });
    const { caught, shrunk, found } = strategies[i];
    expect(caught).toBeGreaterThan(11);
    expect(shrunk.operations).toBeLessThanOrEqual(2);
    // Both lines fail when replayed, the shrunk one in as many steps as printed.
    for (const token of [found, shrunk.token])
      expect([1, 3]).toContain((await umbra('replay', token)).code);
    const replayed = await umbra('replay', shrunk.token, '--json', '-');
    expect(JSON.parse(replayed.stdout).steps).toBe(shrunk.steps);
  }
  const text = readFileSync(page, 'utf8');
  const command = 'umbra mutants --runs 3 --strategy random,fewest --only R15';
  expect(text).toContain(`Made by \`${command}\`.\n`);
  expect(text).toContain('|  | defect | random | fewest | steps | switches | operations |\n');
  expect(text).toMatch(/^\| R15 \| .* \| 1 \(\d+ %\) \| 1 \(\d+ %\) \| \d+ \| \d \| [12] \|$/m);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('reports a defect that no strategy caught as missed; exit code 1', async () => {
  const given = ['mutants', '--only', 'R9,R6', '--runs', '1', '--strategy', 'pct-1'];
  const { code, stdout } = await umbra(...given);
  expect(stdout).toMatch(/^ +pct-1 +steps +switches +operations *\n R6 +– +missed +– +– *$/m);
  expect(stdout).toMatch(/^ R9 +1 \(100 %\) +\d+ +\d+ +\d+ *$/m);
  expect(code).toBe(1);
});

test('with given tests, reports which defects each catches', async () => {
  const path = 'litmus/7-setup/R15-two-reasons-to-die.yaml';
  const given = ['--only', 'R9,R15', '--runs', '2', '--strategy', 'random'];
  const some = await umbra('mutants', path, ...given, '--json', '-');
  const report = JSON.parse(some.stdout);
  expect(report.given).toEqual([path]);
  expect(report.mutants.map(({ defect, missed, tests }: never) => [defect, missed, tests])).toEqual(
    [
      ['R9', true, [path]],
      ['R15', false, [path]],
    ],
  );
  expect(some.code).toBe(0);
  const none = await umbra('mutants', path, '--only', 'R9', '--runs', '2', '--strategy', 'random');
  expect(none.stdout).toContain('on the litmus tests given, ');
  expect(none.code).toBe(1);
});

test('counts the schedules that umbra explore would run', () => {
  const path = 'litmus/7-setup/R15-two-reasons-to-die.yaml';
  const setting = { paging: 'pae', discipline: 'pgdir-lock', defects: ['R15'] } as const;
  const subject = new Subject(path, readLitmus(path), setting);
  const strategy = STRATEGIES['portfolio']!();
  const seeds = Array.from({ length: 30 }, (_, i) => 7 + i);
  const endings = seeds.map((seed) => subject.run(strategy, seed).ending);
  const runs = mutant({ defect: 'R15', path, setting, strategy: 'portfolio', seed: 7, runs: 30 });
  expect(runs).toMatchObject({
    runs: 30,
    caught: endings.filter((ending) => ending !== 'ok').length,
    first: { after: endings.findIndex((ending) => ending !== 'ok') + 1 },
  });
});

test('a cell of which a part is done says so', () => {
  const asked = { strategies: ['random'], seed: 1, runs: 5, given: null };
  const tasks = mutantTasks(['R15'], asked);
  expect(tasks.length).toBeGreaterThan(1);
  const first = { after: 2, token: 'umbra5.…' };
  const cellOf = (done: number): string => {
    const results = new Map(
      tasks.slice(0, done).map((one) => [one, { runs: 5, caught: 4, first }]),
    );
    const text = formatMutants(mutantsReport(asked, tasks, results, new Map()));
    return /R15 .*/.exec(text)![0];
  };
  expect(cellOf(1)).toMatch(/2 \(80 %\) …/);
  expect(cellOf(tasks.length)).not.toMatch(/2 \(80 %\) …/);
});

test.skipIf(!hasTerminal)('after Ctrl-C no defect is reported as missed', async () => {
  const { code, stdout } = await interrupted(/ETA \d/, 'mutants', '--runs', '1000');
  expect(code).toBe(130);
  expect(stdout).toMatch(/umbra: interrupted, and the matrix is not whole/);
  expect(stdout).not.toMatch(/missed/);
});

test.each([
  [['no-such.yaml'], /no-such.yaml: there is no such file or folder/],
  [['--only', 'U4'], /U4 is none of R1, .*R17, D1, .*which several vCPUs meet/],
  [['--only', 'none'], /none is none of R1/],
  [['--only', 'R99'], /'R99' is no defect/],
  [['--strategy', 'luck'], /'luck' is no strategy/],
  [['--runs', '0'], /whole number/],
  [['--json', '-', '--markdown', '-'], /ask for stdout/],
  [
    ['--markdown', join(folder, 'no', 'such.md')],
    /the table cannot be written there .* --markdown/,
  ],
])('refuses %j with a message', async (args, words) => {
  const { code, stdout, stderr } = await umbra('mutants', ...args);
  expect(spaced(stderr)).toMatch(words);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});
