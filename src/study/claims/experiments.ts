/** The experiments: for each claim a guest that it is about, with the policy on and off. */

import { Counter } from '../../../shared/counters.ts';
import type { PagingName } from '../../../shared/entry.ts';
import { assert } from '../../../shared/errors.ts';
import type { Lguest } from '../../../shared/lguest.ts';
import { type PagingPolicy, POLICY_CHOICES } from '../../../shared/paging-policy.ts';
import type { CostTable } from '../../cost/model.ts';
import type { Program } from '../../guest/program.ts';
import { openProgram } from '../../guest/traces/reader.ts';
import { samplePath } from '../../guest/traces/samples.ts';
import { makeWorkload } from '../../guest/workloads/catalogue.ts';
import { type AloneShape, guestAlone, heldPages, type Look, runProgram } from '../guest-alone.ts';
import type { Arm, Levels, Measures } from '../study.ts';
import { measured } from './measures.ts';
import { contextSwitches, copyOnWrite, kernelChanges, manySpaces } from './programs.ts';
import { ORDERS, type Order, switchTopLevels } from './top-levels.ts';

/** Runs to the end, or the study is at fault. */
function ran(shape: AloneShape, program: Program, look?: Look): Lguest {
  const lg = guestAlone(shape);
  const ended = runProgram(lg, program, look);
  assert(ended, `a guest of the study was killed: ${lg.reason}`);
  return lg;
}

type Run = (seed: number, costs: CostTable) => Measures;

const arm = (experiment: string, levels: Levels, run: Run): Arm => ({
  experiment,
  levels,
  run: async (seed, costs) => run(seed, costs),
});

/** Pages that each copy writes, and how many copies there are. */
const COPIED_PAGES = 64;
const COPIES = 8;

const workload = (name: string) => (seed: number) => makeWorkload({ name, seed });
const pipeline = (): Program => openProgram(samplePath('pipeline'));

/** The micro-benchmark, workloads that copy, and a pipeline of real programs. */
const COPYING: Readonly<Record<string, (seed: number) => Program>> = {
  'copy-on-write': (seed) => copyOnWrite(seed, COPIED_PAGES, COPIES),
  'cow-break': workload('cow-break'),
  'fork-bomb': workload('fork-bomb'),
  pipeline,
};

/** Traces need more memory than programs from a seed. */
const PAGES = 16_384;

const setPte = (): Arm[] =>
  Object.entries(COPYING).flatMap(([program, make]) =>
    POLICY_CHOICES.setPte.map((choice) =>
      arm('set-pte', { program, set_pte: choice }, (seed, costs) => {
        const lg = ran({ seed, pages: PAGES, pagingPolicy: { setPte: choice } }, make(seed));
        return measured(lg, costs, program === 'copy-on-write' ? COPIED_PAGES * COPIES : undefined);
      }),
    ),
  );

const PROCESSES = 8;
const SWITCHES = 2000;

const eviction = (scale: number): Arm[] =>
  ORDERS.flatMap((order: Order) =>
    POLICY_CHOICES.eviction.map((choice) =>
      arm('eviction', { order, eviction: choice }, (seed, costs) => {
        const switches = Math.round(SWITCHES * scale);
        const what = { processes: PROCESSES, order, switches };
        const lg = switchTopLevels({ seed, pagingPolicy: { eviction: choice } }, what);
        return measured(lg, costs, switches);
      }),
    ),
  );

const ROUNDS = 60;

const kernelMappings = (scale: number): Arm[] =>
  [2, 4, 5, 6, 8, 12, 16].flatMap((processes) =>
    POLICY_CHOICES.kernelMappings.map((choice) =>
      arm('kernel-mappings', { processes, kernel_mappings: choice }, (seed, costs) => {
        const rounds = Math.round(ROUNDS * scale);
        const program = contextSwitches(seed, processes, rounds);
        return measured(
          ran({ seed, pagingPolicy: { kernelMappings: choice } }, program),
          costs,
          processes * rounds,
        );
      }),
    ),
  );

const CHANGES = 16;

/** How many pages the largest guest uses at the largest scale that is sensible. */
const MOST_USED = 8192;

function kernelChange(scale: number): Arm[] {
  const sizes = [16, 64, 256, 1024, 4096, MOST_USED].filter((pages) => pages <= 1024 * scale);
  return [...new Set([16, 64, ...sizes])].flatMap((used) =>
    POLICY_CHOICES.kernelChange.map((choice) =>
      arm('kernel-change', { used_pages: used, kernel_change: choice }, (seed, costs) => {
        const shape = { seed, pages: used + 2048, pagingPolicy: { kernelChange: choice } };
        const lg = ran(shape, kernelChanges(seed, used, CHANGES));
        const compared = lg.counters.get(Counter.EntriesCompared);
        return { ...measured(lg, costs, CHANGES), compared };
      }),
    ),
  );
}

/** With PAE a middle-level entry that is set throws all away, too, though it is a user's. */
const middleLevel = (): Arm[] =>
  ['fork-bomb', 'cow-break', 'mmap-churn'].flatMap((program) =>
    POLICY_CHOICES.kernelChange.map((choice) =>
      arm('middle-level', { program, kernel_change: choice }, (seed, costs) => {
        const shape = { seed, paging: 'pae' as PagingName, pagingPolicy: { kernelChange: choice } };
        const lg = ran(shape, makeWorkload({ name: program, seed }));
        return { ...measured(lg, costs), compared: lg.counters.get(Counter.EntriesCompared) };
      }),
    ),
  );

const BATCHES = [1, 2, 4, 8, 16, 32, 64] as const;

/** By whether what is beside a page is used as well. */
const FAULTING: Readonly<
  Record<string, (seed: number, prefault: number, scale: number) => Lguest>
> = {
  'all used': (seed, prefault, scale) => {
    const what = { processes: PROCESSES, order: 'circle' as Order };
    const switches = Math.round(500 * scale);
    return switchTopLevels({ seed, pagingPolicy: { prefault } }, { ...what, switches });
  },
  'few used': (seed, prefault, scale) =>
    ran({ seed, pagingPolicy: { prefault } }, contextSwitches(seed, 8, Math.round(ROUNDS * scale))),
  pipeline: (seed, prefault) => ran({ seed, pages: PAGES, pagingPolicy: { prefault } }, pipeline()),
};

const prefault = (scale: number): Arm[] =>
  Object.entries(FAULTING).flatMap(([program, run]) =>
    BATCHES.map((batch) =>
      arm('prefault', { program, prefault: batch }, (seed, costs) => {
        const lg = run(seed, batch, scale);
        const [now, before] = [measured(lg, costs), measured(run(seed, 1, scale), costs)];
        return {
          ...now,
          relative_cycles: now['cycles']! / before['cycles']!,
          prefaulted: lg.counters.get(Counter.Prefaulted),
        };
      }),
    ),
  );

const CHILDREN = 15;
const TABLES_EACH = 12;
const LOOK_EVERY = 2000;

const reclaim = (): Arm[] =>
  [4, 8, 16].flatMap((pgdirs) =>
    POLICY_CHOICES.reclaim.map((choice) =>
      arm('reclaim', { pgdirs, reclaim: choice }, (seed, costs) => {
        const program = (): Program => manySpaces(seed, CHILDREN, TABLES_EACH);
        const shape = { seed, pgdirs, pagingPolicy: { reclaim: choice } };
        const least = leastFrames(shape, program);
        let held = 0;
        const at = (lg: Lguest): void => {
          const now = heldPages(lg);
          if (now.backed > 0) held = Math.max(held, now.held / now.backed);
        };
        const lg = ran({ ...shape, frames: least }, program(), { every: LOOK_EVERY, at });
        return { ...measured(lg, costs), least_frames: least, held_share: held };
      }),
    ),
  );

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

/** What it costs that the host's shadows hear of each page that is discarded. */
const notifier = (): Arm[] =>
  POLICY_CHOICES.reclaim.map((choice: PagingPolicy['reclaim']) =>
    arm('notifier', { reclaim: choice }, (seed, costs) => {
      const shape = { seed, pagingPolicy: { reclaim: choice, kernelChange: 'compare' } } as const;
      const lg = ran(shape, kernelChanges(seed, 256, CHANGES));
      return {
        ...measured(lg, costs, CHANGES),
        compared: lg.counters.get(Counter.EntriesCompared),
      };
    }),
  );

export const armsOf = (scale: number): readonly Arm[] => [
  ...setPte(),
  ...eviction(scale),
  ...kernelMappings(scale),
  ...kernelChange(scale),
  ...middleLevel(),
  ...prefault(scale),
  ...reclaim(),
  ...notifier(),
];
