/** The experiments: the same guest with the same program, virtualized in each way. */

import { COUNTERS, Counter, type Counters } from '../../../shared/counters.ts';
import { VIRTUALIZATIONS, type Virtualization } from '../../../shared/virtualization.ts';
import { checkAll } from '../../check/invariants.ts';
import { checkNothingLeft } from '../../check/references.ts';
import { type CostTable, occurrences } from '../../cost/model.ts';
import { assert } from '../../errors.ts';
import type { Program } from '../../guest/program.ts';
import type { PagingName } from '../../hardware/entry.ts';
import { close } from '../../host/launcher.ts';
import { crossed } from '../experiment.ts';
import { ran } from '../guest-alone.ts';
import { cyclesAndParts } from '../measures.ts';
import { type Maker, trace, workload } from '../programs.ts';
import type { Arm, Measures } from '../study.ts';
import { CHANGED_PAGES, changes, nothing, scattered } from './programs.ts';

interface Setting {
  readonly virtualization: Virtualization;
  readonly paging: PagingName;
  /** Memory. */
  readonly pages: number;
}

type Counted = Pick<Counters, 'get'>;

/** A guest's counts from boot to its end; `check`: check the invariants. */
function counted(program: Program, seed: number, setting: Setting, check: boolean): Counted {
  const lg = ran({ ...setting, seed, frames: setting.pages + 2048 }, program);
  const { counters, host } = lg;
  // A copy: they are in the machine's memory, which is freed.
  const values = Array.from({ length: COUNTERS }, (_, counter) => counters.get(counter));
  if (check) {
    const broken = checkAll(host);
    close(host, lg);
    const [first] = [...broken, ...checkNothingLeft(host)];
    assert(first === undefined, `a study's machine is not sound: ${first?.text}`);
  }
  return { get: (counter) => values[counter]! };
}

/** Baselines are the same for many arms. */
const baselines = new Map<string, Counted>();

interface Measured {
  /** Of its seed. */
  readonly program: Program;
  /** The same guest with less work, by name: its counts are subtracted. */
  readonly baseline: readonly [name: string, program: Program];
  readonly pages: number;
  /** Of how many the cycles are told for one. */
  readonly each?: number;
}

function measured(
  { program, baseline: [name, less], pages, each }: Measured,
  virtualization: Virtualization,
  seed: number,
  costs: CostTable,
): Measures {
  const setting: Setting = { virtualization, pages, paging: 'nonpae' };
  const key = JSON.stringify([name, seed, setting]);
  const base = baselines.get(key) ?? counted(less, seed, setting, false);
  baselines.set(key, base);
  const whole = counted(program, seed, setting, true);
  const get: Counted['get'] = (counter) => whole.get(counter) - base.get(counter);
  const cycles = cyclesAndParts(occurrences({ get }, false), costs);
  return {
    ...cycles,
    ...(each !== undefined && { cycles_each: cycles.cycles / each }),
    exits: get(Counter.Entries),
    references_per_walk: 2 + get(Counter.NestedReferences) / get(Counter.Walks),
    guest_faults: get(Counter.FaultsPassedOn) + get(Counter.DirectFaults),
    host_faults: get(Counter.FaultsFixed),
  };
}

/** Enough for each of the traces; for other programs; and for the one that reads the most. */
const TRACE_PAGES = 8192;
const FEW_PAGES = 1024;
const READ_PAGES = 3072;

/** Mostly computing ones first, those that mostly change mappings last. */
const PROGRAMS: Readonly<Record<string, { readonly make: Maker; readonly pages: number }>> = {
  pigz: { make: trace('pigz'), pages: TRACE_PAGES },
  sort: { make: trace('sort'), pages: TRACE_PAGES },
  pipeline: { make: trace('pipeline'), pages: TRACE_PAGES },
  'cow-storm': { make: workload('cow-storm'), pages: FEW_PAGES },
  'fork-bomb': { make: workload('fork-bomb'), pages: FEW_PAGES },
  'mmap-churn': { make: workload('mmap-churn'), pages: FEW_PAGES },
};

/** More pages than a TLB of 512 entries holds, and fewer. */
export const SCATTERED_PAGES = [128, 512, 1024, 2048] as const;
const READS = 50_000;

export const BATCHES = [1, 8, 64] as const;
const ROUNDS = 20;

const virtualization = VIRTUALIZATIONS;

export const armsOf = (scale: number): readonly Arm[] => [
  /** Beyond a guest that boots and ends. */
  ...crossed(
    'programs',
    { program: Object.keys(PROGRAMS), virtualization },
    (levels, seed, costs) => {
      const { make, pages } = PROGRAMS[levels.program]!;
      const what: Measured = { program: make(seed), baseline: ['nothing', nothing()], pages };
      return measured(what, levels.virtualization, seed, costs);
    },
  ),
  /** Beyond one that writes the pages, and reads none. */
  ...crossed('locality', { pages: SCATTERED_PAGES, virtualization }, (levels, seed, costs) => {
    const { pages } = levels;
    const reads = Math.round(READS * scale);
    const what: Measured = {
      program: scattered(seed, pages, reads),
      baseline: [`scattered ${pages}`, scattered(seed, pages, 0)],
      pages: READ_PAGES,
      each: reads,
    };
    return measured(what, levels.virtualization, seed, costs);
  }),
  /** Beyond one that changes no entry. */
  ...crossed('modification', { batch: BATCHES, virtualization }, (levels, seed, costs) => {
    const { batch } = levels;
    const rounds = Math.round(ROUNDS * scale);
    const what: Measured = {
      program: changes(seed, batch, rounds),
      baseline: ['changes', changes(seed, batch, 0)],
      pages: FEW_PAGES,
      each: rounds * 2 * CHANGED_PAGES,
    };
    return measured(what, levels.virtualization, seed, costs);
  }),
];
