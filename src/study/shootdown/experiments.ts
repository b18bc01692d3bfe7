/** The guests of the study of shootdowns, and what is measured of them. */

import type { DisciplineName } from '../../../shared/discipline.ts';
import type { CostTable } from '../../cost/model.ts';
import type { Litmus } from '../../explore/litmus/litmus.ts';
import type { Operation } from '../../explore/litmus/operations.ts';
import type { Measure } from '../../report/study-result.ts';
import { countsOf, cyclesOn } from '../host-totals.ts';
import { flushUser, guestOf, load, pte, setPte } from '../lockstep/guest.ts';
import { runGuestsInLockstep, runInLockstep } from '../lockstep/run.ts';
import { PARTS } from '../sides.ts';
import type { Arm, Levels, Measures } from '../study.ts';

/** vCPUs beside the one that unmaps. */
export const OTHERS = [0, 1, 2, 3] as const;

/** By the top level that they run on; the one that unmaps runs on A. */
export const WHERE = { 'on the same pgdir': 'A', 'on another pgdir': 'B' } as const;

export const WAYS = ['a SET_PTE each', 'one flush'] as const;

/** Experiments, by how many others are in the guest. */
export const BATCHES = { 'batches-alone': 0, batches: 3 } as const;

/** Of the pages in use. */
export const UNMAPPED = [1, 2, 4, 8, 16, 24] as const;

/** vCPUs of the real guest, each with a thread of the process. */
export const THREADS = [1, 2, 4] as const;

const DISCIPLINE: DisciplineName = 'pgdir-lock';

/** A vCPU stays where it is. */
const FOR_EVER = { least: 0x7fff_ffff, most: 0x7fff_ffff };

export const MEASURES: Readonly<Record<string, Measure>> = {
  ticks_each: {
    title: 'Ticks a hypercall',
    unit: 'ticks',
    description: 'from the trap of a hypercall that unmaps until its CPU is in the guest again',
  },
  shootdowns_each: {
    title: 'Shootdowns a page',
    unit: '1',
    description: 'CPUs that had to come out of the guest, for each page unmapped',
  },
  cycles: {
    title: 'Cycles',
    unit: 'cycles',
    description:
      'simulated, of all CPUs: of tiny guests those more than without unmapping, for each page ' +
      'unmapped; of the real one for each memory access',
  },
  cycles_of_others: {
    title: 'Cycles, others',
    unit: 'cycles',
    description: 'of these, those on the CPUs that unmap nothing',
  },
  shootdowns_per_fault: {
    title: 'Shootdowns a fault',
    unit: '1',
    description: 'for each fault that demand_page repaired',
  },
  faults_again: {
    title: 'Faults again',
    unit: '1',
    description: 'page faults more than without unmapping, for each page unmapped',
  },
  ...PARTS,
};

export const armsOf = (scale: number): readonly Arm[] => [
  ...participants(scale),
  ...batches(scale),
  ...threads(scale),
];

/** Pages in use by the one that unmaps, and by the others, and how often by these. */
export const USED_PAGES = 32;
const KEPT_PAGES = 8;
const LOADS_OF_OTHERS = 1000;

const loadsOf = (pages: number): Operation[] => Array.from({ length: pages }, (_, i) => load(i));

/** So that the kernel's first change does not fault on the page of the guest's own table. */
const TOUCH_TABLE = pte('A', 0, true);

/** One vCPU does `ops`, the others use their pages meanwhile. */
function guestFor(
  ops: readonly Operation[],
  others: number,
  on: string = WHERE['on the same pgdir'],
): Litmus {
  const reading = Array.from({ length: LOADS_OF_OTHERS }, (_, i) =>
    load(USED_PAGES + (i % KEPT_PAGES)),
  );
  return guestOf([
    { on: 'A', ops: [TOUCH_TABLE, ...ops] },
    ...Array.from({ length: others }, () => ({ on, ops: reading })),
  ]);
}

/** Pages unmapped one after the other, by how many CPUs are in the guest, and where. */
const participants = (scale: number): Arm[] =>
  Object.entries(WHERE).flatMap(([where, on]) =>
    OTHERS.map((others) => {
      const pages = 16;
      const used = loadsOf(pages);
      const gone = used.map((_, i) => setPte('A', i, false));
      return arm('participants', { where, others }, scale, pages, {
        with: guestFor([...used, ...gone], others, on),
        without: guestFor(used, others, on),
      });
    }),
  );

/** Some of the pages in use unmapped in two ways, and what is left of them used again. */
const batches = (scale: number): Arm[] =>
  Object.entries(BATCHES).flatMap(([experiment, others]) =>
    WAYS.flatMap((way) =>
      UNMAPPED.map((pages) => {
        const used = loadsOf(USED_PAGES);
        const again = used.slice(pages);
        return arm(experiment, { way, pages }, scale, pages, {
          with: guestFor([...used, ...unmapping(way, pages), ...again], others),
          without: guestFor([...used, ...again], others),
        });
      }),
    ),
  );

function unmapping(way: (typeof WAYS)[number], pages: number): Operation[] {
  const change = way === 'one flush' ? pte : setPte;
  const changes = Array.from({ length: pages }, (_, i) => change('A', i, false));
  return way === 'one flush' ? [...changes, flushUser] : changes;
}

/** A real guest, whose threads map, write, protect and unmap parts of one process's memory. */
const threads = (scale: number): Arm[] =>
  THREADS.map((vcpus) => ({
    experiment: 'threads',
    levels: { vcpus },
    run: async (seed, costs) => {
      const program = { kind: 'workload', name: 'mmap-churn', seed } as const;
      const { host } = runGuestsInLockstep({
        hostCpus: vcpus,
        policy: 'pinned',
        seed,
        quantum: FOR_EVER,
        discipline: DISCIPLINE,
        guests: [
          {
            name: 'threads',
            pages: 1024,
            paging: 'nonpae',
            vcpus,
            program: { ...program, size: Math.max(1, Math.round(scale)) },
          },
        ],
      });
      const counts = countsOf(host);
      return {
        shootdowns_per_fault: counts.shootdowns / counts.faults_fixed,
        ...Object.fromEntries(
          Object.entries(cyclesOn(host, host.cpus, costs)).map(([name, n]) => [
            name,
            n / counts.accesses,
          ]),
        ),
      };
    },
  }));

/** A guest, and the same that unmaps nothing. */
interface Guests {
  readonly with: Litmus;
  readonly without: Litmus;
}

function arm(
  experiment: string,
  levels: Levels,
  scale: number,
  pages: number,
  guests: Guests,
): Arm {
  const runs = Math.max(1, Math.round(scale));
  return {
    experiment,
    levels,
    run: async (seed, costs) =>
      meanOf(
        Array.from({ length: runs }, (_, i) => measured(guests, seed * runs + i, pages, costs)),
      ),
  };
}

function measured(guests: Guests, seed: number, pages: number, costs: CostTable): Measures {
  const setting = { discipline: DISCIPLINE, seed };
  const run = runInLockstep(guests.with, setting);
  const other = runInLockstep(guests.without, setting);
  const [counts, countsWithout] = [run, other].map(({ host }) => countsOf(host));
  const [cycles, cyclesWithout] = [run, other].map(({ host }) => cyclesOn(host, host.cpus, costs));
  const [others, othersWithout] = [run, other].map(({ host }) =>
    cyclesOn(host, host.cpus.slice(1), costs),
  );
  const each = (more: number, less: number): number => (more - less) / pages;
  return {
    ticks_each: mean(run.hypercallTicks[0]!),
    shootdowns_each: counts!.shootdowns / pages,
    cycles_of_others: each(others!.cycles, othersWithout!.cycles),
    faults_again: each(counts!.faults_fixed, countsWithout!.faults_fixed),
    ...Object.fromEntries(
      Object.entries(cycles!).map(([name, n]) => [name, each(n, cyclesWithout![name]!)]),
    ),
  };
}

const mean = (samples: readonly number[]): number =>
  samples.reduce((a, b) => a + b, 0) / samples.length;

/** Of runs that measure the same. */
const meanOf = (runs: readonly Measures[]): Measures =>
  Object.fromEntries(
    Object.keys(runs[0]!).map((name) => [name, mean(runs.map((run) => run[name]!))]),
  );
