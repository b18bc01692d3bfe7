/** What the study of lguest's claims counts of a guest. */

import { Counter } from '../../../shared/counters.ts';
import type { Lguest } from '../../../shared/lguest.ts';
import { type CostTable, cyclesOf, occurrences } from '../../cost/model.ts';
import { EVENT_IDS } from '../../cost/table.ts';
import { partOf } from '../../report/figures.ts';
import type { Measure } from '../../report/study-result.ts';
import { measureOf, PARTS } from '../sides.ts';
import type { Measures } from '../study.ts';

export const MEASURES: Readonly<Record<string, Measure>> = {
  cycles: { title: 'Cycles', unit: 'cycles', description: 'simulated, of the whole run' },
  cycles_each: {
    title: 'Cycles each',
    unit: 'cycles',
    description: 'simulated, for each page written, context switch or change of a kernel mapping',
  },
  relative_cycles: {
    title: 'Cycles, to one page a fault',
    unit: '1',
    description: 'simulated, for one of the same program without prefaulting',
  },
  faults_fixed: measureOf('FaultsFixed'),
  faults_passed_on: measureOf('FaultsPassedOn'),
  prefaulted: measureOf('Prefaulted'),
  compared: measureOf('EntriesCompared'),
  least_frames: {
    title: 'Least host memory',
    unit: 'frames',
    description: 'with which the guest comes to its end, to within 4 frames',
  },
  held_share: {
    title: 'Held',
    unit: '1',
    description: 'of the guest’s pages in memory, those that a shadow held, when most were',
  },
  ...PARTS,
};

/** Of one run; `each`: of how many the cycles are to be told for one. */
export function measured(lg: Lguest, costs: CostTable, each?: number): Measures {
  const { counters } = lg;
  const happened = occurrences(counters, lg.form.pae);
  const cycles = cyclesOf(happened, costs.cycles);
  return {
    cycles,
    ...(each === undefined ? {} : { cycles_each: cycles / each }),
    faults_fixed: counters.get(Counter.FaultsFixed),
    faults_passed_on: counters.get(Counter.FaultsPassedOn),
    ...Object.fromEntries(EVENT_IDS.map((id) => [partOf(id), happened[id] * costs.cycles[id]])),
  };
}
