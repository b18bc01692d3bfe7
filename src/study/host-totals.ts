/** What a whole machine counted, all host CPUs and guests together. */

import type { Host } from '../../shared/host.ts';
import { type CostTable, occurrences, sumOf } from '../cost/model.ts';
import { statistics } from '../report/run-report.ts';
import { cyclesByEvent } from './event-parts.ts';

export const happenedOn = (host: Host) =>
  sumOf(
    host.cpus.flatMap(({ index }) =>
      host.guests.map((lg) => occurrences(host.counters(index, lg.index), lg.form.pae)),
    ),
  );

/** Cycles by event, and all counters. */
export const totalsOf = (host: Host, costs: CostTable) => ({
  cycles: cyclesByEvent(happenedOn(host), costs),
  counts: statistics({ host }, [...host.cpus.keys()], [...host.guests.keys()]),
});
