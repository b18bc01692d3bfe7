/** The experiments: the same guest with the same program, virtualized in each way. */

import { COUNTERS, Counter, type Counters } from '../../../shared/counters.ts';
import type { PagingName } from '../../../shared/entry.ts';
import { assert } from '../../../shared/errors.ts';
import { VIRTUALIZATIONS, type Virtualization } from '../../../shared/virtualization.ts';
import { checkAll } from '../../check/invariants.ts';
import { checkNothingLeft } from '../../check/references.ts';
import { type CostTable, cyclesOf, occurrences } from '../../cost/model.ts';
import { EVENT_IDS } from '../../cost/table.ts';
import type { Program } from '../../guest/program.ts';
import { workloads } from '../../guest/workloads/catalogue.ts';
import { close } from '../../host/launcher.ts';
import { partOf } from '../../report/figures.ts';
import type { Measure } from '../../report/study-result.ts';
import { guestAlone, runProgram } from '../guest-alone.ts';
import { PARTS } from '../sides.ts';
import type { Arm, Levels, Measures } from '../study.ts';
import { CHANGED_PAGES, changes, nothing, PROGRAMS, scattered } from './programs.ts';

export const MEASURES: Readonly<Record<string, Measure>> = {
  cycles: { title: 'Cycles', unit: 'cycles', description: 'simulated, beyond the baseline' },
  cycles_each: {
    title: 'Cycles each',
    unit: 'cycles',
    description: 'simulated, for each read, or each page table entry that is changed',
  },
  exits: {
    title: 'Exits',
    unit: '1',
    description: 'times that the guest was left and entered again',
  },
  references_per_walk: {
    title: 'References a walk',
    unit: '1',
    description: 'memory references that the processor makes to find a translation',
  },
  guest_faults: {
    title: 'Faults of the guest’s',
    unit: 'faults',
    description: 'page faults that the guest’s kernel had to see to',
  },
  host_faults: {
    title: 'Faults of the host’s',
    unit: 'faults',
    description: 'page faults that the host repaired, and the guest knew nothing of',
  },
  ...PARTS,
};

interface Setting {
  readonly virtualization: Virtualization;
  readonly paging: PagingName;
  /** Memory. */
  readonly pages: number;
}

/** Enough for each of the traces; for other programs; and for the one that reads the most. */
const TRACE_PAGES = 8192;
const FEW_PAGES = 1024;
const READ_PAGES = 3072;

type Counted = Pick<Counters, 'get'>;

/** What a guest counts from boot to its end; `check`: whether its machine is held to the invariants. */
function counted(program: Program, seed: number, setting: Setting, check: boolean): Counted {
  const lg = guestAlone({ ...setting, seed, frames: setting.pages + 2048 });
  assert(runProgram(lg, program), `a guest of the study was killed: ${lg.reason}`);
  const { counters, host } = lg;
  // A copy: they are in the machine's memory, which is to go.
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

/** What `program` counts beyond the baseline of that name, the same guest with less to do. */
function beyond(
  program: Program,
  baseline: readonly [name: string, program: Program],
  seed: number,
  setting: Setting,
): Counted {
  const key = JSON.stringify([baseline[0], seed, setting]);
  const base = baselines.get(key) ?? counted(baseline[1], seed, setting, false);
  baselines.set(key, base);
  const whole = counted(program, seed, setting, true);
  return { get: (counter) => whole.get(counter) - base.get(counter) };
}

function measured({ get }: Counted, { paging }: Setting, costs: CostTable, each?: number) {
  const happened = occurrences({ get }, paging === 'pae');
  const cycles = cyclesOf(happened, costs.cycles);
  return {
    cycles,
    ...(each === undefined ? {} : { cycles_each: cycles / each }),
    exits: get(Counter.Entries),
    references_per_walk: 2 + get(Counter.NestedReferences) / get(Counter.Walks),
    guest_faults: get(Counter.FaultsPassedOn) + get(Counter.DirectFaults),
    host_faults: get(Counter.FaultsFixed),
    ...Object.fromEntries(EVENT_IDS.map((id) => [partOf(id), happened[id] * costs.cycles[id]])),
  } satisfies Measures;
}

type Run = (seed: number, setting: Setting, costs: CostTable) => Measures;

/** An arm for each way, all else equal. */
const inEachWay = (experiment: string, levels: Levels, pages: number, run: Run) =>
  VIRTUALIZATIONS.map(
    (virtualization): Arm => ({
      experiment,
      levels: { ...levels, virtualization },
      run: async (seed, costs) => run(seed, { virtualization, pages, paging: 'nonpae' }, costs),
    }),
  );

const isTrace = (name: string): boolean => !(name in workloads);

/** Beyond a guest that boots and ends. */
const programs = (): Arm[] =>
  Object.entries(PROGRAMS).flatMap(([program, make]) =>
    inEachWay(
      'programs',
      { program },
      isTrace(program) ? TRACE_PAGES : FEW_PAGES,
      (seed, setting, costs) =>
        measured(beyond(make(seed), ['nothing', nothing()], seed, setting), setting, costs),
    ),
  );

const READS = 50_000;

/** More than what a TLB of 512 entries holds, and less. */
export const SCATTERED_PAGES = [128, 512, 1024, 2048] as const;

/** Beyond one that writes the pages, and reads none. */
const locality = (scale: number): Arm[] =>
  SCATTERED_PAGES.flatMap((pages) =>
    inEachWay('locality', { pages }, READ_PAGES, (seed, setting, costs) => {
      const reads = Math.round(READS * scale);
      const none = [`scattered ${pages}`, scattered(seed, pages, 0)] as const;
      const extra = beyond(scattered(seed, pages, reads), none, seed, setting);
      return measured(extra, setting, costs, reads);
    }),
  );

const ROUNDS = 20;

export const BATCHES = [1, 8, 64] as const;

/** Beyond one that changes none. */
const modification = (scale: number): Arm[] =>
  BATCHES.flatMap((batch) =>
    inEachWay('modification', { batch }, FEW_PAGES, (seed, setting, costs) => {
      const rounds = Math.round(ROUNDS * scale);
      const none = ['changes', changes(seed, batch, 0)] as const;
      const extra = beyond(changes(seed, batch, rounds), none, seed, setting);
      return measured(extra, setting, costs, rounds * 2 * CHANGED_PAGES);
    }),
  );

export const armsOf = (scale: number): readonly Arm[] => [
  ...programs(),
  ...locality(scale),
  ...modification(scale),
];
