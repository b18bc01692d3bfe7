/** `umbra stress` as a user runs it. */

import { expect, test } from 'vitest';
import { drawMachine } from '../../src/check/stress.ts';
import { hasTerminal, interrupted, spaced, umbra } from './umbra.ts';

const QUICK = ['--discipline', 'guest-lock', '--guests', '1', '--cpus', '2', '--vcpus', '2'];

test('reports the machines it ran, with the given options', async () => {
  const { code, stdout, stderr } = await umbra(
    ...['stress', '--runs', '2', '--seed', '7', '--paging', 'pae', ...QUICK],
  );
  expect(stdout).toMatch(/^2 runs from seed 7 .*checks passed, nothing wrong\n/);
  expect(stdout).toMatch(/^ *guest-lock, pae +2 /m);
  expect(stdout).not.toContain('nonpae');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('prints the totals as JSON too, and they add up', async () => {
  const { stdout } = await umbra(
    'stress',
    '--ops',
    '1_000',
    '--seed',
    '5',
    '--json',
    '-',
    ...QUICK,
  );
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ schema_version: 1, seed: 5, interrupted: false, failures: [] });
  expect(report.total.operations).toBeGreaterThan(1000);
  for (const key of ['guests', 'operations', 'faults', 'migrations']) {
    const sum = report.by_kind.reduce(
      (n: number, kind: Record<string, number>) => n + kind[key]!,
      0,
    );
    expect(sum).toBe(report.total[key]);
  }
});

test('prints the command that repeats a failing run', async () => {
  // As written two vCPUs kill their guest, or the host.
  const fixed = { discipline: 'as-written', cpus: 2, vcpus: 2, guests: 1 } as const;
  const isParallel = (seed: number): boolean => {
    const { guests, defects } = drawMachine(seed, fixed);
    return JSON.stringify(guests[0]!.program).includes('"parallel"') && defects!.length > 0;
  };
  const seed = Array.from({ length: 200 }, (_, n) => n).find(isParallel)!;
  const given = ['--discipline as-written', '--cpus 2', '--vcpus 2', '--guests 1'].join(' ');
  const args = `stress --seed ${seed} --runs 1 ${given}`;
  const { code, stdout } = await umbra(...args.split(' '));
  expect(stdout).toContain(`the same machine again: umbra ${args}`);
  expect(stdout).toMatch(/checks passed, 1 went wrong/);
  expect(code).toBe(1);
});

test('a mutant is on in every drawn machine, has several vCPUs, and its first failure can end it', async () => {
  // A second vCPU cannot start: the result does not depend on timing.
  const given = '--cpus 2 --guests 1 --defects R15';
  const { code, stdout } = await umbra(
    ...`stress --seed 3 --runs 5 --jobs 1 --until-failure --json - ${given}`.split(' '),
  );
  const { runs, first_failure, failures } = JSON.parse(stdout);
  expect([code, runs, first_failure.runs, failures.length]).toEqual([1, 1, 1, 1]);
  expect(first_failure.seconds).toBeGreaterThan(0);
  expect(failures[0].faults[0]).toContain('ended with "already have lguest_data"');
  const command = `stress --seed 3 --runs 1 ${given}`;
  expect(failures[0].command).toBe(`umbra ${command}`);
  const again = await umbra(...command.split(' '));
  expect(again.stdout).toMatch(/^seed 3: .* defects R15, /);
  expect(again.stdout).toMatch(/1 went wrong, the first after \d+\.\d s in run 1\n/);
});

test('cuts short a run that exceeds the time', async () => {
  const isLong = (seed: number): boolean =>
    JSON.stringify(drawMachine(seed, { guests: 1 }).guests[0]!.program).includes(
      '"name":"swap-storm","seed":0,"size":4',
    );
  const seed = Array.from({ length: 5000 }, (_, n) => n).find(isLong)!;
  const args = [
    'stress',
    '--seed',
    `${seed}`,
    '--seconds',
    '1',
    '--guests',
    '1',
    '--json',
    '-',
  ].concat('--jobs', '1');
  const { code, stdout } = await umbra(...args);
  const { runs, cut_short, interrupted } = JSON.parse(stdout);
  expect({ code, runs, cut_short, interrupted }).toEqual({
    code: 0,
    runs: 1,
    cut_short: 1,
    interrupted: false,
  });
});

test('all guests can be virtualized in one way', async () => {
  const { code, stdout } = await umbra(
    ...['stress', '--runs', '2', '--seed', '7', '--virtualization', 'nested', '--cpus', '2'],
  );
  expect(stdout).toMatch(/^ *nested, (non)?pae +\d/m);
  expect(stdout).not.toMatch(/-lock|lock-free|as-written/);
  expect(code).toBe(0);
});

test.runIf(hasTerminal)('shows progress at a terminal, and Ctrl-C ends it', async () => {
  const sign =
    /seed \d+: \d+ runs, \d.* operations\/s, .* faults\/s, .* migrations\/s, \d+ checks passed/;
  const { code, stdout } = await interrupted(sign, 'stress', '--seconds', '100', ...QUICK);
  expect(spaced(stdout)).toMatch(
    /runs? from seed 1 in \d+ s, the last( \d+)? cut short: .*nothing wrong/,
  );
  expect(code).toBe(130);
});

test.each([
  [['--seconds', 'long'], /whole number/],
  [['--ops', '1.5'], /whole number/],
  [['--vcpus', '9'], /1 to 8/],
  [['--defects', 'R99'], /'R99' is no defect/],
  [['--paging', 'none'], /Allowed choices are nonpae, pae/],
  [['--virtualization', 'none'], /Allowed choices are shadow, direct, nested/],
  [['--virtualization', 'direct', '--vcpus', '2'], /with direct paging a guest has one/],
])('refuses %j with a message', async (args, words) => {
  const { code, stderr } = await umbra('stress', '--runs', '1', ...args);
  expect(spaced(stderr)).toMatch(words);
  expect(code).toBe(2);
});

test('several machines at a time are the same machines', async () => {
  const reportOf = async (jobs: string) => {
    const { code, stdout } = await umbra(
      ...['stress', '--runs', '4', '--seed', '5', '--jobs', jobs, '--json', '-', ...QUICK],
    );
    expect(code).toBe(0);
    return JSON.parse(stdout);
  };
  const reports = [await reportOf('1'), await reportOf('3')];
  const [one, three] = reports.map(({ runs, total, by_kind }) => ({
    runs,
    guests: total.guests,
    kinds: by_kind.map(({ paging, guests }: Record<string, unknown>) => ({ paging, guests })),
  }));
  expect(one!.runs).toBe(4);
  expect(three).toEqual(one);
});

test('the first failure of several machines ends the others', async () => {
  const given = '--cpus 2 --guests 1 --defects R15 --jobs 2 --until-failure --seconds 60';
  const { code, stdout } = await umbra(...`stress --seed 1 ${given} --json -`.split(' '));
  const report = JSON.parse(stdout);
  expect(report.failures.length).toBeGreaterThan(0);
  expect(report.runs).toBeLessThanOrEqual(2 + report.failures.length);
  expect(code).toBe(1);
});
