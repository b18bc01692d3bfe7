/** What a whole machine counted, all guests together: on all of its CPUs, or on some. */

import type { Host } from '../../shared/host.ts';
import type { HostCpu } from '../../shared/host-cpu.ts';
import { type CostTable, cyclesOf, occurrences, sumOf } from '../cost/model.ts';
import { EVENT_IDS } from '../cost/table.ts';
import { partOf } from '../report/figures.ts';
import { statistics } from '../report/run-report.ts';
import type { Measures } from './study.ts';

type Cycles = Measures & { readonly cycles: number };

/** All simulated cycles on these CPUs, and those of each event. */
export function cyclesOn(host: Host, cpus: readonly HostCpu[], { cycles }: CostTable): Cycles {
  const happened = sumOf(
    cpus.flatMap(({ index }) =>
      host.guests.map((lg) => occurrences(host.counters(index, lg.index), lg.form.pae)),
    ),
  );
  return {
    cycles: cyclesOf(happened, cycles),
    ...Object.fromEntries(EVENT_IDS.map((id) => [partOf(id), happened[id] * cycles[id]])),
  };
}

/** All counters of all CPUs. */
export const countsOf = (host: Host) =>
  statistics({ host }, [...host.cpus.keys()], [...host.guests.keys()]);
