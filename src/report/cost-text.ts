/** What events cost, and what hangs on a single cost, for a person at a terminal. */

import type { CostTable } from '../cost/model.ts';
import { PRESETS, type PresetName } from '../cost/presets.ts';
import type { Turn } from '../cost/sensitivity.ts';
import { EVENT_IDS, EVENTS } from '../cost/table.ts';
import { grouped, significant } from '../numbers.ts';
import type { Compared, CostComparison } from './cost-comparison.ts';
import { nameOf } from './costs.ts';
import { intervalText } from './estimate-text.ts';
import { FEWEST } from './statistics.ts';
import { tableText } from './text-table.ts';

/** What each event costs there, in which range, and by which source. */
export function formatPreset(name: PresetName, columns: number): string {
  const { title, year, entries } = PRESETS[name];
  const rows = EVENT_IDS.map((id) => {
    const { cycles, low, high, basis, source } = entries[id];
    return [id, grouped(cycles), `${grouped(low)} – ${grouped(high)}`, basis, source];
  });
  const head = ['event', 'cycles', 'range', 'basis', 'source'];
  const align = ['left', 'right', 'right', 'left', 'left'] as const;
  const table = tableText({ head, align, rows }, { columns });
  return `${name}: ${title}, ${year}\n${table}\n`;
}

/** Each event's meaning, and its counter. */
export function formatEvents(columns: number): string {
  const rows = EVENT_IDS.map((id) => [id, EVENTS[id].title, EVENTS[id].counted]);
  const head = ['event', 'what', 'how often'];
  return `${tableText({ head, align: ['left', 'left', 'left'], rows }, { columns })}\n`;
}

export function formatComparedCosts(result: CostComparison, costs: CostTable): string {
  const { totals, conclusions, factor } = result;
  const rows = totals.map(({ name, cycles }) => [name, grouped(Math.round(cycles))]);
  return [
    `Cycles at the costs of ${nameOf(costs)}:`,
    tableText({ head: ['', 'cycles'], rows }),
    '',
    ...conclusions.flatMap((conclusion) => conclusionLines(conclusion, factor)),
    '',
  ].join('\n');
}

function conclusionLines(compared: Compared, factor: number): string[] {
  const { ratio, turns, draws } = compared;
  const [nearest] = draws;
  return [
    verdictText(compared),
    ...(ratio === 1
      ? []
      : turns.length === 0
        ? [`  No single cost reverses that by being ${factor} times too high or too low.`]
        : turns.map((turn) => `  It is reversed by ${inWords(turn)}.`)),
    ...(nearest === undefined || turns.length > 0 || ratio === 1
      ? []
      : [`  The nearest to reversing it is ${inWords(nearest)}.`]),
  ];
}

/** That the one takes fewer, or that it did so here. */
export function verdictText({ less, more, ratio, runs, low, high, verdict }: Compared): string {
  const few = Math.min(runs.less, runs.more) < FEWEST;
  const times =
    low === undefined || high === undefined
      ? String(significant(ratio, 4))
      : intervalText({ value: ratio, low, high }, (n, digits) => n.toFixed(digits));
  if (verdict === 'fewer') {
    return `${less} takes fewer than ${more}, which takes ${times} times as many.`;
  }
  const found =
    ratio === 1
      ? `${less} and ${more} took the same`
      : `${less} took fewer than ${more}, which took ${times} times as many`;
  return `Not clear: ${found}${few ? `. ${tooFew(runs)}` : ''}.`;
}

const tooFew = ({ less, more }: Compared['runs']): string =>
  `${less === 1 && more === 1 ? 'One run of each is' : `${less} and ${more} runs are`} too few: it takes ` +
  `${FEWEST} of each, with other seeds`;

const inWords = ({ event, factor }: Turn): string => `${event} × ${significant(factor)}`;
