/** Simulated cycles by what they were for, so that what hangs on a single cost can be found out. */

import { type CostTable, cyclesOf, type Occurrences } from '../cost/model.ts';
import { EVENT_IDS, EVENTS, type EventId } from '../cost/table.ts';
import type { Measure } from '../report/study-result.ts';
import type { Measures } from './study.ts';

/** The measure that is the part of the cycles that one event has. */
export const partOf = (id: EventId): string => `cycles_${id}`;

export const EVENT_PARTS: Readonly<Record<string, Measure>> = Object.fromEntries(
  EVENT_IDS.map((id) => [
    partOf(id),
    { title: `Cycles, ${id}`, unit: 'cycles', description: EVENTS[id].title, detail: true },
  ]),
);

/** All cycles, and those of each event. */
export const cyclesByEvent = (
  happened: Occurrences,
  { cycles }: CostTable,
): Measures & { readonly cycles: number } => ({
  cycles: cyclesOf(happened, cycles),
  ...Object.fromEntries(EVENT_IDS.map((id) => [partOf(id), happened[id] * cycles[id]])),
});
