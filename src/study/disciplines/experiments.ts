/** Guests that do nothing but fault, under each discipline, on ever more host CPUs. */

import type { DisciplineName } from '../../../shared/discipline.ts';
import { DISCIPLINES } from '../../../shared/discipline.ts';
import type { CostTable } from '../../cost/model.ts';
import type { Measure } from '../../report/study-result.ts';
import { cyclesOn } from '../host-totals.ts';
import { flushUser, guestOf, load, USER_PAGES } from '../lockstep/guest.ts';
import { runInLockstep, WAITED_FOR, type WaitedFor } from '../lockstep/run.ts';
import { tailMeasures, tailOf } from '../quantiles.ts';
import type { Arm, Measures } from '../study.ts';
import { onThreads } from './threads.ts';

/** All whose host survives several CPUs. */
export const REPAIRED = DISCIPLINES.filter((name) => name !== 'as-written');

export const CPUS = [1, 2, 3, 4] as const;

/** Whether the vCPUs run on one top level, or each on its own. */
export const PGDIRS = ['shared', 'separate'] as const;

export type Pgdirs = (typeof PGDIRS)[number];

/** The measure of what is waited for. */
export const waitsFor = (what: WaitedFor): string => `waits_${what.replaceAll(' ', '_')}`;

const WORDS: Readonly<Record<WaitedFor, string>> = {
  'guest lock': 'the lock of the guest',
  'pgdir lock': 'the lock of a pgdir',
  'pool lock': 'the lock of the pool of frames',
  'another CPU': 'a CPU to come out of the guest or of a fault, or to get on',
};

const SHARE = 'of the time of all CPUs, what is spent waiting for';

export const MEASURES: Readonly<Record<string, Measure>> = {
  faults_per_ktick: {
    title: 'Faults a thousand ticks',
    unit: 'faults',
    description: 'repaired by demand_page, all CPUs together, until the last CPU is at its end',
  },
  faults_per_s: {
    title: 'Faults a second',
    unit: 'faults/s',
    description: 'repaired and passed on, in real time',
  },
  ...tailMeasures('fault_ticks', 'Ticks', 'ticks', 'from a fault’s trap until it is repaired'),
  ...tailMeasures('fault_ns', 'Time', 'ns', 'from a fault’s trap until it is repaired'),
  ...Object.fromEntries(
    WAITED_FOR.map((what): [string, Measure] => [
      waitsFor(what),
      { title: `Waits, ${what}`, unit: '1', description: `${SHARE} ${WORDS[what]}` },
    ]),
  ),
  cycles_per_fault: {
    title: 'Cycles a fault',
    unit: 'cycles',
    description: 'simulated, of all that the guest did, for each fault that was repaired',
  },
};

export const armsOf = (scale: number): readonly Arm[] => [
  ...PGDIRS.flatMap((pgdirs) => lockstepArms(pgdirs, scale)),
  ...threadArms(scale),
];

/** Pages that each vCPU reads before it has all forgotten. */
const PAGES = 16;
/** A column of operations has no room for more. */
const MOST_ROUNDS = 56;

const lockstepArms = (pgdirs: Pgdirs, scale: number): Arm[] =>
  DISCIPLINES.flatMap((discipline) =>
    CPUS.filter((cpus) => cpus === 1 || discipline !== 'as-written').map((cpus) => ({
      experiment: pgdirs,
      levels: { discipline, cpus },
      run: async (seed, costs) =>
        inLockstep({ discipline, cpus, pgdirs, rounds: Math.round(8 * scale) }, seed, costs),
    })),
  );

interface Shape {
  readonly discipline: DisciplineName;
  readonly cpus: number;
  readonly pgdirs: Pgdirs;
  readonly rounds: number;
}

function inLockstep({ discipline, cpus, pgdirs, rounds }: Shape, seed: number, costs: CostTable) {
  const columns = Array.from({ length: cpus }, (_, cpu) => {
    const round = Array.from({ length: PAGES }, (_, i) => load((cpu * PAGES + i) % USER_PAGES));
    return {
      on: pgdirs === 'shared' ? 'A' : 'ABCD'[cpu]!,
      ops: Array.from({ length: Math.min(rounds, MOST_ROUNDS) }, () => [
        ...round,
        flushUser,
      ]).flat(),
    };
  });
  const run = runInLockstep(guestOf(columns), { discipline, seed });
  const { host, ticks, waits, faultTicks } = run;
  const share = (what: WaitedFor): number => waits[what] / (ticks * cpus);
  return {
    faults_per_ktick: (1000 * faultTicks.length) / ticks,
    ...tailOf('fault_ticks', faultTicks),
    ...Object.fromEntries(WAITED_FOR.map((what) => [waitsFor(what), share(what)])),
    cycles_per_fault: cyclesOn(host, host.cpus, costs).cycles / faultTicks.length,
  } satisfies Measures;
}

const THREADS = [1, 2, 4] as const;

const threadArms = (scale: number): Arm[] =>
  REPAIRED.flatMap((discipline) =>
    THREADS.map((cpus) => ({
      experiment: 'threads',
      levels: { discipline, cpus },
      run: (seed) => onThreads(discipline, cpus, Math.round(12 * scale), seed),
    })),
  );
