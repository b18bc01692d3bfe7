/** The experiments: for each claim a guest that it is about, with the policy on and off. */

import { Counter } from '../../../shared/counters.ts';
import type { Lguest } from '../../../shared/lguest.ts';
import { type CostTable, occurrences } from '../../cost/model.ts';
import type { Program } from '../../guest/program.ts';
import { PAGING_POLICIES, type PagingPolicy } from '../../paging/policies/declared.ts';
import { crossed } from '../experiment.ts';
import { type AloneShape, guestAlone, heldPages, ran, runProgram } from '../guest-alone.ts';
import { cyclesAndParts } from '../measures.ts';
import { type Maker, trace, workload } from '../programs.ts';
import type { Arm, Measures } from '../study.ts';
import { contextSwitches, copyOnWrite, kernelChanges, manySpaces } from './programs.ts';
import { ORDERS, switchTopLevels } from './top-levels.ts';

/** Pages that each copy writes, and how many copies there are. */
const COPIED_PAGES = 64;
const COPIES = 8;

/** The micro-benchmark, workloads that copy, and a pipeline of real programs. */
const COPYING: Readonly<Record<string, Maker>> = {
  'copy-on-write': (seed) => copyOnWrite(seed, COPIED_PAGES, COPIES),
  'cow-break': workload('cow-break'),
  'fork-bomb': workload('fork-bomb'),
  pipeline: trace('pipeline'),
};

/** Traces need more memory than programs from a seed. */
const PAGES = 16_384;

const PROCESSES = 8;
const SWITCHES = 2000;

const ROUNDS = 60;

const CHANGES = 16;

/** How many pages the largest guest uses at the largest scale that is sensible. */
const MOST_USED = 8192;

const BATCHES = [1, 2, 4, 8, 16, 32, 64] as const;

/** By whether a page's neighbours are used as well. */
const FAULTING: Readonly<
  Record<string, (seed: number, prefault: number, times: (n: number) => number) => Lguest>
> = {
  'all used': (seed, prefault, times) =>
    switchTopLevels(
      { seed, pagingPolicy: { prefault } },
      { processes: PROCESSES, order: 'circle', switches: times(500) },
    ),
  'few used': (seed, prefault, times) =>
    ran({ seed, pagingPolicy: { prefault } }, contextSwitches(seed, PROCESSES, times(ROUNDS))),
  pipeline: (seed, prefault) =>
    ran({ seed, pages: PAGES, pagingPolicy: { prefault } }, trace('pipeline')(seed)),
};

const CHILDREN = 15;
const TABLES_EACH = 12;
const LOOK_EVERY = 2000;

/** With as little host memory as the guest can finish with. */
function reclaimed(
  pgdirs: number,
  reclaim: PagingPolicy['reclaim'],
  seed: number,
  costs: CostTable,
) {
  const program = (): Program => manySpaces(seed, CHILDREN, TABLES_EACH);
  const shape = { seed, pgdirs, pagingPolicy: { reclaim } };
  const least = leastFrames(shape, program);
  let held = 0;
  const at = (lg: Lguest): void => {
    const now = heldPages(lg);
    if (now.backed > 0) held = Math.max(held, now.held / now.backed);
  };
  const lg = ran({ ...shape, frames: least }, program(), { every: LOOK_EVERY, at });
  return { ...measured(lg, costs), least_frames: least, held_share: held };
}

/** To within so many frames. */
const FINE = 4;

function leastFrames(shape: AloneShape, program: () => Program): number {
  let [tooFew, enough] = [128, 2048];
  while (enough - tooFew > FINE) {
    const frames = Math.round((tooFew + enough) / 2);
    if (survives({ ...shape, frames }, program())) enough = frames;
    else tooFew = frames;
  }
  return enough;
}

const survives = (shape: AloneShape, program: Program): boolean =>
  runProgram(guestAlone(shape), program, { every: LOOK_EVERY, at: () => {} });

/** Sizes of the guest whose kernel changes, as far as the scale goes. */
const usedPages = (scale: number): number[] => [
  ...[16, 64],
  ...[256, 1024, 4096, MOST_USED].filter((pages) => pages <= 1024 * scale),
];

export const armsOf = (scale: number): readonly Arm[] => {
  const times = (n: number): number => Math.round(n * scale);
  return [
    ...crossed(
      'set-pte',
      { program: Object.keys(COPYING), set_pte: PAGING_POLICIES.setPte.options },
      ({ program, set_pte: setPte }, seed, costs) => {
        const lg = ran({ seed, pages: PAGES, pagingPolicy: { setPte } }, COPYING[program]!(seed));
        return measured(lg, costs, program === 'copy-on-write' ? COPIED_PAGES * COPIES : undefined);
      },
    ),
    ...crossed(
      'eviction',
      { order: ORDERS, eviction: PAGING_POLICIES.eviction.options },
      ({ order, eviction }, seed, costs) => {
        const switches = times(SWITCHES);
        const what = { processes: PROCESSES, order, switches };
        const lg = switchTopLevels({ seed, pagingPolicy: { eviction } }, what);
        return measured(lg, costs, switches);
      },
    ),
    ...crossed(
      'kernel-mappings',
      {
        processes: [2, 4, 5, 6, 8, 12, 16],
        kernel_mappings: PAGING_POLICIES.kernelMappings.options,
      },
      ({ processes, kernel_mappings: kernelMappings }, seed, costs) => {
        const program = contextSwitches(seed, processes, times(ROUNDS));
        const lg = ran({ seed, pagingPolicy: { kernelMappings } }, program);
        return measured(lg, costs, processes * times(ROUNDS));
      },
    ),
    ...crossed(
      'kernel-change',
      { used_pages: usedPages(scale), kernel_change: PAGING_POLICIES.kernelChange.options },
      ({ used_pages: used, kernel_change: kernelChange }, seed, costs) => {
        const shape = { seed, pages: used + 2048, pagingPolicy: { kernelChange } };
        return comparing(ran(shape, kernelChanges(seed, used, CHANGES)), costs, CHANGES);
      },
    ),
    /** With PAE a middle-level entry that is set throws all away, too, though it is a user's. */
    ...crossed(
      'middle-level',
      {
        program: ['fork-bomb', 'cow-break', 'mmap-churn'],
        kernel_change: PAGING_POLICIES.kernelChange.options,
      },
      ({ program, kernel_change: kernelChange }, seed, costs) => {
        const shape: AloneShape = { seed, paging: 'pae', pagingPolicy: { kernelChange } };
        return comparing(ran(shape, workload(program)(seed)), costs);
      },
    ),
    ...crossed(
      'prefault',
      { program: Object.keys(FAULTING), prefault: BATCHES },
      ({ program, prefault }, seed, costs) => {
        const run = FAULTING[program]!;
        const lg = run(seed, prefault, times);
        const now = measured(lg, costs);
        return {
          ...now,
          relative_cycles: now.cycles / measured(run(seed, 1, times), costs).cycles,
          prefaulted: lg.counters.get(Counter.Prefaulted),
        };
      },
    ),
    ...crossed(
      'reclaim',
      { pgdirs: [4, 8, 16], reclaim: PAGING_POLICIES.reclaim.options },
      ({ pgdirs, reclaim }, seed, costs) => reclaimed(pgdirs, reclaim, seed, costs),
    ),
    /** The cost of notifying the host's shadows of each discarded page. */
    ...crossed(
      'notifier',
      { reclaim: PAGING_POLICIES.reclaim.options },
      ({ reclaim }, seed, costs) => {
        const shape: AloneShape = { seed, pagingPolicy: { reclaim, kernelChange: 'compare' } };
        return comparing(ran(shape, kernelChanges(seed, 256, CHANGES)), costs, CHANGES);
      },
    ),
  ];
};

/** Of one run; `each`: of how many the cycles are told for one. */
function measured({ counters, form }: Lguest, costs: CostTable, each?: number) {
  const cycles = cyclesAndParts(occurrences(counters, form.pae), costs);
  return {
    ...cycles,
    ...(each !== undefined && { cycles_each: cycles.cycles / each }),
    faults_fixed: counters.get(Counter.FaultsFixed),
    faults_passed_on: counters.get(Counter.FaultsPassedOn),
  };
}

const comparing = (lg: Lguest, costs: CostTable, each?: number): Measures => ({
  ...measured(lg, costs, each),
  compared: lg.counters.get(Counter.EntriesCompared),
});
