/** Guests that do nothing but fault, under each discipline, on ever more host CPUs. */

import { DISCIPLINES, type DisciplineName } from '../../../shared/discipline.ts';
import type { CostTable } from '../../cost/model.ts';
import { crossed } from '../experiment.ts';
import { flushUser, guestOf, load, USER_PAGES } from '../lockstep/guest.ts';
import { runInLockstep, WAITED_FOR, type WaitedFor } from '../lockstep/run.ts';
import { cyclesOn, tailOf } from '../measures.ts';
import type { Arm, Measures } from '../study.ts';
import { onThreads } from './threads.ts';

/** All whose host survives several CPUs. */
export const REPAIRED = DISCIPLINES.filter((name) => name !== 'as-written');

export const CPUS = [1, 2, 3, 4] as const;

/** Whether the vCPUs run on one top level, or each on its own. */
export const PGDIRS = ['shared', 'separate'] as const;

export type Pgdirs = (typeof PGDIRS)[number];

/** The measure of a cause of waiting. */
export const waitsFor = (what: WaitedFor): string => `waits_${what.replaceAll(' ', '_')}`;

/** Pages that each vCPU reads before it has all forgotten. */
const PAGES = 16;
/** A column of operations has no room for more. */
const MOST_ROUNDS = 56;

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

export const armsOf = (scale: number): readonly Arm[] => [
  ...PGDIRS.flatMap((pgdirs) =>
    crossed(pgdirs, { discipline: DISCIPLINES, cpus: CPUS }, ({ discipline, cpus }, seed, costs) =>
      inLockstep({ discipline, cpus, pgdirs, rounds: Math.round(8 * scale) }, seed, costs),
    ).filter(({ levels }) => levels['cpus'] === 1 || levels['discipline'] !== 'as-written'),
  ),
  ...crossed('threads', { discipline: REPAIRED, cpus: THREADS }, ({ discipline, cpus }, seed) =>
    onThreads(discipline, cpus, Math.round(12 * scale), seed),
  ),
];
