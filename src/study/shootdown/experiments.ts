/** Guests in which one vCPU changes mappings and others run on them. */

import type { DisciplineName } from '../../../shared/discipline.ts';
import type { CostTable } from '../../cost/model.ts';
import type { Operation } from '../../explore/litmus/operations.ts';
import type { Measure } from '../../report/study-result.ts';
import { countsOf, cyclesOn } from '../host-totals.ts';
import { flushUser, guestOf, load, pte, setPte } from '../lockstep/guest.ts';
import { runInLockstep } from '../lockstep/run.ts';
import { tailMeasures, tailOf } from '../quantiles.ts';
import { PARTS } from '../sides.ts';
import type { Arm, Levels, Measures } from '../study.ts';

export const CPUS = [1, 2, 3, 4] as const;

/** Pages that go at once. */
export const PAGES = [1, 2, 4, 8, 16, 32] as const;

/** Loads of the others between two changes; 0: nobody changes anything. */
export const INTERVALS = [0, 256, 64, 16, 4] as const;

export const MEASURES: Readonly<Record<string, Measure>> = {
  ...tailMeasures('change_ticks', 'Ticks', 'ticks', 'of a hypercall, until the guest goes on'),
  change_ticks: {
    ...{ title: 'Ticks of changes', unit: 'ticks' },
    description: 'of all hypercalls that take the pages away',
  },
  shootdowns: {
    ...{ title: 'Shootdowns', unit: '1' },
    description: 'CPUs that had to be got out of the guest before a translation went away',
  },
  faults_fixed: {
    ...{ title: 'Faults', unit: 'faults' },
    description: 'repaired by demand_page: the first ones, and what was thrown away too much',
  },
  ticks_per_load: {
    ...{ title: 'Ticks a load', unit: 'ticks' },
    description: 'of the CPUs that change nothing, all their time for all their loads',
  },
  cycles: { title: 'Cycles', unit: 'cycles', description: 'simulated, of all CPUs' },
  ...PARTS,
};

export const armsOf = (scale: number): readonly Arm[] => [
  ...takingPart(scale),
  ...batching(scale),
  ...meanwhile(scale),
];

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Pages that the others read, beside those that are changed. */
const OTHERS_FIRST = 48;
const OTHERS_PAGES = 8;
/** A column of operations has no room for more. */
const MOST_LOADS = 1000;

const reads = (loads: number): Operation[] =>
  range(Math.min(loads, MOST_LOADS)).map((i) => load(OTHERS_FIRST + (i % OTHERS_PAGES)));

/** One changes, the others run on the same pgdir, or on others that do not matter. */
const takingPart = (scale: number): Arm[] =>
  (['guest-lock', 'lock-free'] as const).flatMap((discipline) =>
    (['the same', 'another'] as const).flatMap((pgdir) =>
      CPUS.map((cpus) =>
        arm('cpus', { discipline, pgdir, cpus }, discipline, () => {
          const changes = range(Math.round(16 * scale)).flatMap((i) => [
            load(i % 32),
            setPte('A', i % 32, false),
            setPte('A', i % 32, true),
          ]);
          const on = (cpu: number): string => (pgdir === 'the same' ? 'A' : 'ABCD'[cpu]!);
          return [
            { on: 'A', ops: changes.slice(0, MOST_LOADS) },
            ...range(cpus - 1).map((i) => ({ on: on(i + 1), ops: reads(MOST_LOADS) })),
          ];
        }),
      ),
    ),
  );

/** Pages go one by one, each told at once; or all at once, by one flush. */
const batching = (scale: number): Arm[] =>
  (['a SET_PTE each', 'one flush'] as const).flatMap((how) =>
    PAGES.map((pages) =>
      arm('batching', { how, pages }, 'lock-free', () => {
        const all = range(pages);
        const gone =
          how === 'one flush'
            ? [...all.map((page) => pte('A', page, false)), flushUser]
            : all.map((page) => setPte('A', page, false));
        const ops = range(Math.max(1, Math.round(scale))).flatMap(() => [
          ...all.map((page) => pte('A', page, true)),
          ...all.map(load),
          ...gone,
        ]);
        return [
          { on: 'A', ops: ops.slice(0, MOST_LOADS) },
          ...range(3).map(() => ({ on: 'A', ops: reads(MOST_LOADS) })),
        ];
      }),
    ),
  );

/** Three CPUs that read while one takes pages away and puts them back, ever so often. */
const meanwhile = (scale: number): Arm[] =>
  INTERVALS.map((interval) =>
    arm('meanwhile', { interval }, 'lock-free', () => {
      const loads = Math.min(Math.round(500 * scale), MOST_LOADS);
      const changer =
        interval === 0
          ? reads(loads)
          : range(Math.max(1, Math.floor(loads / interval))).flatMap((i) => [
              ...reads(interval),
              load(i % 32),
              setPte('A', i % 32, false),
              pte('A', i % 32, true),
            ]);
      return [
        { on: 'A', ops: changer.slice(0, MOST_LOADS) },
        ...range(3).map(() => ({ on: 'A', ops: reads(loads) })),
      ];
    }),
  );

type Columns = Parameters<typeof guestOf>[0];

const arm = (
  experiment: string,
  levels: Levels,
  discipline: DisciplineName,
  columns: () => Columns,
): Arm => ({
  ...{ experiment, levels },
  run: async (seed, costs) => measured(columns(), discipline, seed, costs),
});

function measured(
  columns: Columns,
  discipline: DisciplineName,
  seed: number,
  costs: CostTable,
): Measures {
  const { host, busyTicks, changeTicks } = runInLockstep(guestOf(columns), { discipline, seed });
  const { shootdowns, faults_fixed } = countsOf(host);
  const [, ...others] = columns;
  const loads = others.reduce((n, { ops }) => n + ops.length, 0);
  const time = busyTicks.slice(1).reduce((a, b) => a + b, 0);
  return {
    ...tailOf('change_ticks', changeTicks),
    change_ticks: changeTicks.reduce((a, b) => a + b, 0),
    ...{ shootdowns, faults_fixed },
    ...(loads > 0 && { ticks_per_load: time / loads }),
    ...cyclesOn(host, costs),
  };
}
