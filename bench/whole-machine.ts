/**
 * Machines with worker threads: four programs from cold to their end, as `umbra start` runs
 * them, and the steady part of a longer run, in which every worker's compiler has learnt the code.
 */

import { execFile } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PolicyName } from '../src/host/policy.ts';
import { type GuestSpec, Machine } from '../src/machine.ts';
import { statistics } from '../src/report/run-report.ts';
import type { ColdRun } from './cold-run.ts';
import type { Batch, Line, Side } from './pair.ts';
import { GUEST_PAGES, tracePath } from './trace-path.ts';

const PROGRAMS = ['pigz', 'ls', 'sort', 'wc'];

const guest = (name: string): GuestSpec => ({
  name,
  program: { kind: 'trace', path: tracePath(name) },
  pages: GUEST_PAGES,
  paging: 'nonpae',
});

const boot = (hostCpus: number, policy: PolicyName, guests: readonly GuestSpec[]) =>
  Machine.boot({ hostCpus, policy, seed: 1, quantum: { least: 2_000, most: 20_000 }, guests });

const accesses = (machine: Machine): number =>
  statistics(machine, [...machine.host.cpus.keys()], [...machine.host.guests.keys()]).accesses;

/** A process for each batch; loading its modules is not timed. */
const cold = (
  hostCpus: number,
  policy: PolicyName,
  programs: readonly string[],
  batchOf: (run: ColdRun) => Batch,
): Side => ({
  name: `on ${hostCpus}`,
  batch: async () => {
    const script = fileURLToPath(new URL('./cold-run.ts', import.meta.url));
    const args = [script, `${hostCpus}`, policy, ...programs];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return batchOf(JSON.parse(stdout) as ColdRun);
  },
});

const rate = ({ accesses, seconds }: ColdRun): Batch => ({ count: accesses, ns: seconds * 1e9 });
const once = (ms: number): Batch => ({ count: 1, ns: ms * 1e6 });
const warmUp = ({ warm_up_s, seconds }: ColdRun): Batch => once((warm_up_s ?? seconds) * 1000);
const compiling = ({ v8_ms }: ColdRun): Batch => once(v8_ms);
const firstOperation = ({ first_operation_ms }: ColdRun): Batch => once(first_operation_ms);

const MANY_GUESTS = Array<string>(60).fill('pigz');

const FOUR_PROGRAMS: readonly (readonly [string, NonNullable<Line['goal']>])[] = [
  ['four programs from cold to their end on 2 host CPUs', { of: 'value', least: 40e6 }],
  ['four programs from cold to their end, 2 host CPUs for 1', { of: 'baseline', least: 1.5 }],
];

/** Starting a machine from cold: ratios of a whole run. */
const coldLines: readonly Line[] = [
  ...(['pinned', 'sticky', 'random'] as const).flatMap((policy) =>
    (
      [
        [2, 1, policy === 'random' ? 1.7 : 1.8],
        [4, 2, 0.95],
      ] as const
    ).map(
      ([hostCpus, others, least]): Line => ({
        name: `60 guests from cold to their end on ${hostCpus} host CPUs, ${policy}`,
        unit: 'accesses/s',
        rounds: 6,
        threads: true,
        goal: { of: 'baseline', least },
        measured: () => cold(hostCpus, policy, MANY_GUESTS, rate),
        baseline: () => cold(others, policy, MANY_GUESTS, rate),
      }),
    ),
  ),
  ...FOUR_PROGRAMS.map(
    ([name, goal]): Line => ({
      name,
      unit: 'accesses/s',
      rounds: 6,
      threads: true,
      goal,
      measured: () => cold(2, 'random', PROGRAMS, rate),
      baseline: () => cold(1, 'random', PROGRAMS, rate),
    }),
  ),
  {
    name: 'until nine tenths of the warm rate, 60 guests on 2 host CPUs',
    unit: 'ms',
    rounds: 6,
    threads: true,
    goal: { of: 'value', most: 500 },
    measured: () => cold(2, 'pinned', MANY_GUESTS, warmUp),
    baseline: () => cold(1, 'pinned', MANY_GUESTS, warmUp),
  },
  {
    name: 'V8’s own threads, processor time, 60 guests on 2 host CPUs',
    unit: 'ms',
    rounds: 6,
    threads: true,
    measured: () => cold(2, 'pinned', MANY_GUESTS, compiling),
    baseline: () => cold(1, 'pinned', MANY_GUESTS, compiling),
  },
  ...(
    [
      [2, 200],
      [16, 600],
      [64, 2000],
    ] as const
  ).map(
    ([hostCpus, most]): Line => ({
      name: `from cold to the first guest operation, ${hostCpus} host CPUs`,
      unit: 'ms',
      rounds: 6,
      threads: true,
      goal: { of: 'value', most },
      measured: () => cold(hostCpus, 'pinned', ['ls'], firstOperation),
      baseline: () => cold(1, 'pinned', ['ls'], firstOperation),
    }),
  ),
];

const STRESS_RUNS = 8;

/**
 * Machines of one host CPU each, so that it is the jobs that use the cores; begun in a new process.
 */
const stress = (jobs: number): Side => ({
  name: jobs === 1 ? '1 job' : `${jobs} jobs`,
  batch: async () => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const drawn = ['--runs', `${STRESS_RUNS}`, '--guests', '1', '--cpus', '1'];
    const args = [main, 'stress', ...drawn, '--jobs', `${jobs}`, '--quiet', '--json', '-'];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { runs, seconds } = JSON.parse(stdout) as { runs: number; seconds: number };
    return { count: runs, ns: seconds * 1e9 };
  },
});

/** All the same, so that none is left at the end with nothing beside it. */
const SAME_GUESTS = 8;
const PIGZ_ACCESSES = 4_900_000;
/** The part of all the accesses that is timed. */
const STEADY = { from: 0.4, to: 0.75 };
const LOOK_MS = 5;

const steady = (hostCpus: number, policy: PolicyName): Side => ({
  name: `on ${hostCpus}`,
  batch: async (): Promise<Batch> => {
    const same = Array.from({ length: SAME_GUESTS }, () => guest('pigz'));
    const machine = await boot(hostCpus, policy, same);
    const run = machine.run();
    const after = async (part: number): Promise<{ count: number; at: number }> => {
      for (;;) {
        const [count, at] = [accesses(machine), performance.now()];
        if (count >= part * SAME_GUESTS * PIGZ_ACCESSES) return { count, at };
        await setTimeout(LOOK_MS);
      }
    };
    const [from, to] = [await after(STEADY.from), await after(STEADY.to)];
    machine.interrupt();
    await run;
    return { count: to.count - from.count, ns: (to.at - from.at) * 1e6 };
  },
});

const HOST_CPUS = [2, 4];

export const machineLines: readonly Line[] = [
  ...coldLines,
  {
    name: `${SAME_GUESTS} guests on 1 host CPU, once warm`,
    ...({ unit: 'accesses/s', rounds: 6, threads: true } as const),
    goal: { of: 'value', least: 100e6 },
    measured: () => steady(1, 'sticky'),
    baseline: () => steady(2, 'sticky'),
  },
  {
    name: 'stress with 2 jobs',
    ...({ unit: 'machines/s', rounds: 6, threads: true } as const),
    goal: { of: 'baseline', least: 1.9 },
    measured: () => stress(2),
    baseline: () => stress(1),
  },
  ...(['sticky', 'random'] as const).flatMap((policy) =>
    HOST_CPUS.map((hostCpus) => ({
      name: `${SAME_GUESTS} guests on ${hostCpus} host CPUs, ${policy}, once warm`,
      ...({ unit: 'accesses/s', rounds: 6, threads: true } as const),
      measured: () => steady(hostCpus, policy),
      baseline: () => steady(1, policy),
    })),
  ),
];
