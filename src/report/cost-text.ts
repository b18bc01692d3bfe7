/** What events cost, and what hangs on a single cost, for a person at a terminal. */

import type { CostTable } from '../cost/model.ts';
import { PRESETS, type PresetName } from '../cost/presets.ts';
import type { Conclusion, Sensitivity, Turn } from '../cost/sensitivity.ts';
import { EVENT_IDS, EVENTS } from '../cost/table.ts';
import { nameOf } from './costs.ts';
import { plainTable, tableText } from './plain-table.ts';

/** What each event costs there, in which range, and by which source. */
export function formatPreset(name: PresetName, columns: number): string {
  const { title, year, entries } = PRESETS[name];
  const rows = EVENT_IDS.map((id) => {
    const { cycles, low, high, basis, source } = entries[id];
    return [id, count(cycles), `${count(low)} – ${count(high)}`, basis, source];
  });
  const head = ['event', 'cycles', 'range', 'basis', 'source'];
  const table = tableText(head, ['left', 'right', 'right', 'left', 'left'], rows, columns);
  return `${name}: ${title}, ${year}\n${table}\n`;
}

/** What each event is, and what it is counted by. */
export function formatEvents(columns: number): string {
  const rows = EVENT_IDS.map((id) => [id, EVENTS[id].title, EVENTS[id].counted]);
  return `${tableText(['event', 'what', 'how often'], ['left', 'left', 'left'], rows, columns)}\n`;
}

export function formatSensitivity(result: Sensitivity, costs: CostTable): string {
  const { totals, conclusions, factor } = result;
  const table = plainTable(['', 'cycles'], ['left', 'right']);
  for (const { name, cycles } of totals) table.push([name, count(cycles)]);
  return [
    `Cycles at the costs of ${nameOf(costs)}:`,
    table.toString(),
    '',
    ...conclusions.flatMap((conclusion) => conclusionLines(conclusion, factor)),
    '',
  ].join('\n');
}

function conclusionLines({ less, more, ratio, turns, draws }: Conclusion, factor: number) {
  const [nearest] = draws;
  return [
    ratio === 1
      ? `${less} and ${more} take the same.`
      : `${less} takes fewer than ${more}, which takes ${ratio.toFixed(3)} times as many.`,
    ...(turns.length === 0
      ? [`  No single cost turns that by being ${factor} times too high or too low.`]
      : turns.map((turn) => `  It turns with ${inWords(turn)}.`)),
    ...(nearest === undefined || turns.length > 0 || ratio === 1
      ? []
      : [`  The nearest to turn it is ${inWords(nearest)}.`]),
  ];
}

const inWords = ({ event, factor }: Turn): string => `${event} × ${Number(factor.toPrecision(3))}`;

const count = (n: number): string => n.toLocaleString('en-US');
