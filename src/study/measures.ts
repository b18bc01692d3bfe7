/**
 * Measures that several studies have: cycles with what each event has of them, counters, and tails.
 */

import { quantile } from 'd3-array';
import { type CounterName, infoOf } from '../../shared/counters.ts';
import type { Host } from '../../shared/host.ts';
import type { HostCpu } from '../../shared/host-cpu.ts';
import { type CostTable, cyclesOf, occurrences, sumOf } from '../cost/model.ts';
import { EVENT_IDS } from '../cost/table.ts';
import { FIGURES, partOf } from '../report/figures.ts';
import { statistics } from '../report/run-report.ts';
import type { Measure } from '../report/study-result.ts';
import type { Measures } from './study.ts';

type Described = Readonly<Record<string, Measure>>;

/** The parts of the cycles that events have: what hangs on a cost is found out by them. */
export const PARTS: Described = Object.fromEntries(
  EVENT_IDS.map((id) => [partOf(id), FIGURES[partOf(id)]!]),
);

/** All simulated cycles of what happened, and those of each event. */
export const cyclesAndParts = (
  happened: ReturnType<typeof occurrences>,
  { cycles }: CostTable,
): Measures & { readonly cycles: number } => ({
  cycles: cyclesOf(happened, cycles),
  ...Object.fromEntries(EVENT_IDS.map((id) => [partOf(id), happened[id] * cycles[id]])),
});

/** The same of all guests together, on these CPUs. */
export const cyclesOn = (host: Host, cpus: readonly HostCpu[], costs: CostTable) =>
  cyclesAndParts(
    sumOf(
      cpus.flatMap(({ index }) =>
        host.guests.map((lg) => occurrences(host.counters(index, lg.index), lg.form.pae)),
      ),
    ),
    costs,
  );

/** All counters of all CPUs. */
export const countsOf = (host: Host) =>
  statistics({ host }, [...host.cpus.keys()], [...host.guests.keys()]);

/** A counter as a measure. */
export function measureOf(name: CounterName): Measure {
  const { title, unit, is } = infoOf(name);
  return { title, unit, description: is };
}

/** Of what took long: the figures below which so many of a hundred lie. */
const TAIL = [
  { name: 'p50', share: 0.5, words: 'median' },
  { name: 'p90', share: 0.9, words: '90 %' },
  { name: 'p99', share: 0.99, words: '99 %' },
  { name: 'p999', share: 0.999, words: '99.9 %' },
] as const;

/** `prefix`_p50 and so on; 0 where there is nothing. */
export const tailOf = (prefix: string, values: readonly number[]): Measures =>
  Object.fromEntries(
    TAIL.map(({ name, share }) => [`${prefix}_${name}`, quantile(values, share) ?? 0]),
  );

export const tailMeasures = (prefix: string, title: string, unit: string, is: string): Described =>
  Object.fromEntries(
    TAIL.map(({ name, words }) => [
      `${prefix}_${name}`,
      { title: `${title}, ${words}`, unit, description: `${is}: ${words}` },
    ]),
  );
