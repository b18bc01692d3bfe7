/** Whole machines: worker threads for the host CPUs, guests that move between them. */

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Dead } from '../shared/lguest.ts';
import { type CheckedRun, runChecked } from '../src/check/checked-run.ts';
import { UserError } from '../src/errors.ts';
import { type GuestSpec, Machine, type MachineSpec } from '../src/machine.ts';
import { makeReport, succeeded } from '../src/report/run-report.ts';

const builtin = (name: string, paging: 'nonpae' | 'pae' = 'nonpae'): GuestSpec => ({
  name,
  program: { kind: 'builtin', name },
  pages: 1024,
  paging,
});

const trace = (name: string, paging: 'nonpae' | 'pae' = 'nonpae'): GuestSpec => ({
  name,
  program: {
    kind: 'trace',
    path: fileURLToPath(new URL(`../scenarios/traces/${name}.umbra`, import.meta.url)),
  },
  pages: 4096,
  paging,
});

const boot = (spec: Partial<MachineSpec>): Promise<Machine> =>
  Machine.boot({
    hostCpus: 2,
    guests: [builtin('fork')],
    policy: 'random',
    quantum: { least: 50, most: 500 },
    seed: 1,
    ...spec,
  });

const run = async (spec: Partial<MachineSpec>): Promise<CheckedRun> => runChecked(await boot(spec));

const memories = (result: CheckedRun): string[] => result.guests.map((guest) => guest.memory.user);

describe('the final memory of all guests', () => {
  const names = ['touch', 'fork', 'churn', 'threads'];
  const guests = (paging: 'nonpae' | 'pae'): GuestSpec[] => [
    ...names.map((name) => builtin(name, paging)),
    trace('wc', paging),
    trace('pipeline', paging),
  ];

  test('is the same on 1, 2 and 4 host CPUs and in both paging forms', async () => {
    const ends = [];
    for (const [paging, hostCpus] of [
      ['nonpae', 1],
      ['nonpae', 4],
      ['pae', 2],
      ['pae', 4],
    ] as const) {
      const result = await run({ hostCpus, guests: guests(paging) });
      expect(result.ending.kind).toBe('done');
      expect(result.guests.map((guest) => guest.reason)).toEqual(Array(6).fill('Power down'));
      expect(result.violations).toEqual([]);
      ends.push(memories(result));
    }
    for (const end of ends) expect(end).toEqual(ends[0]);
  });

  test('is the same under every policy and for every seed', async () => {
    const spec = { guests: names.map((name) => builtin(name)), hostCpus: 3 };
    const expected = memories(await run({ ...spec, policy: 'pinned' }));
    for (const [seed, policy] of (['random', 'round-robin', 'sticky'] as const).entries()) {
      expect(memories(await run({ ...spec, policy, seed }))).toEqual(expected);
    }
  });
});

test('guests of several vCPUs under the guest lock end as with one vCPU', async () => {
  const guests = (vcpus: number, paging: 'nonpae' | 'pae'): GuestSpec[] =>
    ['parallel', 'fork'].map((name) => ({ ...builtin(name, paging), vcpus }));
  const repaired = {
    discipline: 'guest-lock',
    defects: [],
    quantum: { least: 20, most: 900 },
  } as const;
  const alone = memories(await run({ ...repaired, guests: guests(1, 'nonpae') }));
  for (const [i, paging] of (['nonpae', 'pae', 'nonpae', 'pae'] as const).entries()) {
    const spec = { ...repaired, guests: guests([2, 4, 8, 3][i]!, paging), seed: i };
    const result = await run({ ...spec, hostCpus: [2, 4, 3, 1][i]! });
    expect([result.ending.kind, result.violations]).toEqual(['done', []]);
    expect(memories(result)).toEqual(alone);
  }
});

test('five runs in a row with more CPUs than cores end alike and leak nothing', async () => {
  const ends: string[][] = [];
  for (let i = 0; i < 5; i++) {
    const result = await run({ hostCpus: 4, guests: ['fork', 'churn'].map((n) => builtin(n)) });
    expect([result.ending.kind, result.violations]).toEqual(['done', []]);
    ends.push(memories(result));
  }
  expect(new Set(ends.map(String)).size).toBe(1);
});

test('the report’s parts add up', async () => {
  const machine = await boot({ guests: ['fork', 'churn', 'threads'].map((n) => builtin(n)) });
  const report = makeReport(machine, await runChecked(machine));
  expect(succeeded(report)).toBe(true);
  const { total } = report;
  for (const part of [report.guests, report.host_cpus]) {
    for (const key of ['accesses', 'walks', 'faults_fixed', 'entries', 'migrations'] as const) {
      expect(part.reduce((n, s) => n + s[key], 0)).toBe(total[key]);
    }
  }
  const { cached, one_cpu_removed, unknown_all_removed } = total.switcher_remaps;
  expect(cached + one_cpu_removed + unknown_all_removed).toBe(total.entries);
  expect(total.migrations).toBeGreaterThan(0);
  expect(total.tlb_hits).toBeGreaterThan(0);
  expect(total.tlb_hits).toBeLessThan(total.accesses);
});

describe('a run that fails', () => {
  test('ends with a report when a host CPU’s worker ends', async () => {
    const machine = await boot({ guests: [trace('pigz')] });
    const running = runChecked(machine);
    await machine.killHostCpu(1);
    const { ending } = await running;
    expect(ending).toMatchObject({ kind: 'cpu died', hostCpu: 1 });
  });

  test('ends with the stack when a host CPU meets a bug of ours', async () => {
    const machine = await boot({ guests: [trace('ls')] });
    machine.host.vcpus[0]!.cpuPgd = 99;
    const { ending } = await runChecked(machine);
    expect(ending.kind).toBe('cpu died');
    expect(ending.kind === 'cpu died' && ending.message).toContain('undefined');
  });

  test('ends with the oops when the host dies', async () => {
    const machine = await boot({});
    machine.host.guests[0]!.pgdirs[machine.host.vcpus[0]!.cpuPgd]!.switcherMapped = false;
    const { ending } = await runChecked(machine);
    expect(ending).toMatchObject({ kind: 'oops', message: 'BUG_ON in map_switcher_in_guest' });
  });

  test('ends when it is interrupted, with its results so far and nothing leaked', async () => {
    const machine = await boot({ guests: [trace('pigz'), trace('ls')] });
    const running = runChecked(machine);
    machine.interrupt();
    const result = await running;
    expect([result.ending.kind, result.violations]).toEqual(['interrupted', []]);
  });
});

test('a killed guest stops with its first reason, and the others continue', async () => {
  const machine = await boot({ guests: [trace('pigz'), builtin('fork')] });
  const running = runChecked(machine);
  machine.host.guests[0]!.die(Dead.Killed, 'first');
  machine.host.guests[0]!.die(Dead.Killed, 'second');
  const result = await running;
  expect(result.guests.map((guest) => guest.reason)).toEqual(['first', 'Power down']);
  expect([result.ending.kind, result.violations]).toEqual(['done', []]);
});

describe('mistakes of the user', () => {
  test('too little host memory kills the guest with the kernel’s reason and leaks nothing', async () => {
    const result = await run({ guests: [builtin('touch')], frames: 70, hostCpus: 1 });
    expect(result.guests[0]!.reason).toMatch(/^(failed to get page|out of memory allocating)/);
    expect([result.ending.kind, result.violations]).toEqual(['done', []]);
  });

  test.each([
    [{ hostCpus: 511 }, /Switcher's window.*1 to 510 host CPUs/],
    [{ hostCpus: 0 }, /1 to 510 host CPUs/],
    [{ frames: 4 }, /too little to boot/],
    [{ guests: [{ ...builtin('fork'), vcpus: 9 }] }, /1 to 8 \(--vcpus\)/],
    [
      { hostCpus: 300, discipline: 'guest-lock', guests: [builtin('fork', 'pae')] },
      /one table of the Switcher.*1 to 255/,
    ],
    [{ guests: [{ ...builtin('fork'), pages: 8 }] }, /--guest-memory/],
    [{ guests: [builtin('nonesuch')] }, /no program 'nonesuch'/],
    [{ guests: [trace('nonesuch')] }, /nonesuch/],
  ])('%o is refused with a message', async (spec, words) => {
    const booting = boot(spec as Partial<MachineSpec>);
    await expect(booting).rejects.toThrow(words);
    await expect(booting).rejects.toBeInstanceOf(UserError);
  });
});
