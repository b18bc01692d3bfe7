/** What a whole machine counted, all host CPUs and guests together. */

import type { Host } from '../../shared/host.ts';
import { type CostTable, cyclesOf, occurrences, sumOf } from '../cost/model.ts';
import { EVENT_IDS } from '../cost/table.ts';
import { statistics } from '../report/run-report.ts';
import { partOf } from './sides.ts';
import type { Measures } from './study.ts';

export const countsOf = (host: Host) =>
  statistics({ host }, [...host.cpus.keys()], [...host.guests.keys()]);

/** All cycles, and those of each event. */
export function cyclesOn(
  host: Host,
  { cycles }: CostTable,
): Measures & { readonly cycles: number } {
  const happened = sumOf(
    host.cpus.flatMap(({ index }) =>
      host.guests.map((lg) => occurrences(host.counters(index, lg.index), lg.form.pae)),
    ),
  );
  return {
    cycles: cyclesOf(happened, cycles),
    ...Object.fromEntries(EVENT_IDS.map((id) => [partOf(id), happened[id] * cycles[id]])),
  };
}
