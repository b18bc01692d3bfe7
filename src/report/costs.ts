/** Simulated cycles of a run by host CPU and event, with the cost table, as data and as text. */

import type { Host } from '../../shared/host.ts';
import { type Bill, billOf, type CostTable, occurrences, sumOf } from '../cost/model.ts';
import { PRESETS } from '../cost/presets.ts';
import { EVENT_IDS, type EventId } from '../cost/table.ts';
import { grouped, percent } from '../numbers.ts';
import { tableText } from './text-table.ts';

export interface CostReport extends CostTable {
  /** Of all host CPUs together. Cycles add up; time does not, since they run side by side. */
  readonly total: Bill;
  readonly host_cpus: readonly Bill[];
}

export function costReport(host: Pick<Host, 'cpus' | 'guests' | 'counters'>, table: CostTable) {
  const happened = host.cpus.map((cpu) =>
    sumOf(host.guests.map((lg) => occurrences(host.counters(cpu.index, lg.index), lg.form.pae))),
  );
  return {
    ...table,
    total: billOf(sumOf(happened), table),
    host_cpus: happened.map((one) => billOf(one, table)),
  } satisfies CostReport;
}

/** A row for each event that happened, the dearest first; then what each CPU spent. */
export function formatCosts(report: CostReport): string[] {
  const { total, host_cpus } = report;
  const dear = (id: EventId): number => total.by_event[id].cycles;
  const happened = EVENT_IDS.filter((id) => total.by_event[id].count > 0);
  const rows = [
    ...happened
      .toSorted((a, b) => dear(b) - dear(a))
      .map((id) => {
        const { count: times, cycles, share } = total.by_event[id];
        return [id, grouped(times), grouped(cycles), percent(share)];
      }),
    ...host_cpus.map(({ cycles }, i) => [
      `CPU ${i}`,
      '',
      grouped(cycles),
      percent(cycles / (total.cycles || 1)),
    ]),
    ['together', '', grouped(total.cycles), ''],
  ];
  const table = tableText({ head: ['', 'events', 'cycles', 'share'], rows });
  return [`Cycles at the costs of ${nameOf(report)}:`, ...table.split('\n')];
}

/** For a sentence: `core2 (Core 2, Merom; 2007), but cr3_load 500`. */
export function nameOf({ preset, overridden, cycles }: CostTable): string {
  const { title, year } = PRESETS[preset];
  const others = overridden.map((id) => `${id} ${grouped(cycles[id])}`).join(', ');
  return `${preset} (${title}; ${year})${others === '' ? '' : `, but ${others}`}`;
}
