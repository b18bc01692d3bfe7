/** The guests of the study of shootdowns, and their measures. */

import { mean } from 'd3-array';
import type { DisciplineName } from '../../../shared/discipline.ts';
import type { CostTable } from '../../cost/model.ts';
import type { Litmus } from '../../explore/litmus/litmus.ts';
import type { Operation } from '../../explore/litmus/operations.ts';
import { crossed } from '../experiment.ts';
import { flushUser, guestOf, load, pte, setPte } from '../lockstep/guest.ts';
import { runGuestsInLockstep, runInLockstep } from '../lockstep/run.ts';
import { countsOf, cyclesOn } from '../measures.ts';
import type { Arm, Measures } from '../study.ts';

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

function unmapping(way: (typeof WAYS)[number], pages: number): Operation[] {
  const change = way === 'one flush' ? pte : setPte;
  const changes = Array.from({ length: pages }, (_, i) => change('A', i, false));
  return way === 'one flush' ? [...changes, flushUser] : changes;
}

/** A real guest, whose threads map, write, protect and unmap parts of one process's memory. */
function realGuest(vcpus: number, size: number, seed: number, costs: CostTable): Measures {
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
        program: { kind: 'workload', name: 'mmap-churn', seed, size },
      },
    ],
  });
  const counts = countsOf(host);
  const cycles = Object.entries(cyclesOn(host, host.cpus, costs));
  return {
    shootdowns_per_fault: counts.shootdowns / counts.faults_fixed,
    ...Object.fromEntries(cycles.map(([name, n]) => [name, n / counts.accesses])),
  };
}

/** A guest, and the same that unmaps nothing. */
interface Guests {
  readonly with: Litmus;
  readonly without: Litmus;
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
    ticks_each: mean(run.hypercallTicks[0]!)!,
    shootdowns_each: counts!.shootdowns / pages,
    cycles_of_others: each(others!.cycles, othersWithout!.cycles),
    faults_again: each(counts!.faults_fixed, countsWithout!.faults_fixed),
    ...Object.fromEntries(
      Object.entries(cycles!).map(([name, n]) => [name, each(n, cyclesWithout![name]!)]),
    ),
  };
}

/** Of several runs that measure the same. */
const meanOf = (runs: readonly Measures[]): Measures =>
  Object.fromEntries(
    Object.keys(runs[0]!).map((name) => [name, mean(runs.map((run) => run[name]!))!]),
  );

export const armsOf = (scale: number): readonly Arm[] => {
  const runs = Math.max(1, Math.round(scale));
  const measuredOften = (guests: Guests, pages: number, seed: number, costs: CostTable): Measures =>
    meanOf(Array.from({ length: runs }, (_, i) => measured(guests, seed * runs + i, pages, costs)));
  return [
    /** Pages unmapped one after the other, by how many CPUs are in the guest, and where. */
    ...crossed(
      'participants',
      { where: Object.keys(WHERE) as (keyof typeof WHERE)[], others: OTHERS },
      ({ where, others }, seed, costs) => {
        const pages = 16;
        const used = loadsOf(pages);
        const guests = {
          with: guestFor([...used, ...unmapping('a SET_PTE each', pages)], others, WHERE[where]),
          without: guestFor(used, others, WHERE[where]),
        };
        return measuredOften(guests, pages, seed, costs);
      },
    ),
    /** Unmaps some of the pages in use in two ways, and uses the others again. */
    ...Object.entries(BATCHES).flatMap(([experiment, others]) =>
      crossed(experiment, { way: WAYS, pages: UNMAPPED }, ({ way, pages }, seed, costs) => {
        const used = loadsOf(USED_PAGES);
        const again = used.slice(pages);
        const guests = {
          with: guestFor([...used, ...unmapping(way, pages), ...again], others),
          without: guestFor([...used, ...again], others),
        };
        return measuredOften(guests, pages, seed, costs);
      }),
    ),
    ...crossed('threads', { vcpus: THREADS }, ({ vcpus }, seed, costs) =>
      realGuest(vcpus, runs, seed, costs),
    ),
  ];
};
