/** Simulated cycles of one run, or of several side by side, by event. */

import { barX, ruleX } from '@observablehq/plot';
import { EVENT_IDS } from '../../cost/table.ts';
import { grouped } from '../../numbers.ts';
import { seriesColour } from '../colours.ts';
import { nameOf } from '../costs.ts';
import { draw } from '../drawing.ts';
import type { RunReport } from '../run-report.ts';
import { figure } from './parts.ts';

export interface NamedRun {
  readonly name: string;
  readonly report: RunReport;
}

export function cyclesFigure(runs: readonly NamedRun[]): string {
  const spent = (event: (typeof EVENT_IDS)[number]): number[] =>
    runs.map(({ report }) => report.costs.total.by_event[event].cycles);
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  const events = EVENT_IDS.filter((event) => sum(spent(event)) > 0).sort(
    (a, b) => sum(spent(b)) - sum(spent(a)),
  );
  const names = runs.map(({ name }) => name);
  const bars = events.flatMap((event) =>
    spent(event).map((cycles, i) => ({ event, run: names[i]!, cycles })),
  );
  const svg = draw({
    name: 'Simulated cycles by event',
    description: 'What the host CPUs together spent their cycles on.',
    width: 720,
    height: 70 + events.length * (8 + 16 * runs.length),
    marginLeft: 130,
    marginRight: 24,
    marginTop: 8,
    marginBottom: 40,
    x: { label: 'cycles', labelArrow: 'none', labelAnchor: 'center', grid: true, tickFormat: '~s' },
    y: { axis: null, domain: names, padding: 0.1 },
    fy: { domain: events, label: null, padding: 0.2, axis: 'left' },
    marks: [
      barX(bars, {
        x: 'cycles',
        y: 'run',
        fy: 'event',
        fill: ({ run }: { run: string }) => seriesColour(names.indexOf(run)),
        title: ({ event, run, cycles }) => `${event}, ${run}: ${grouped(cycles)} cycles`,
      }),
      ruleX([0]),
    ],
    color: { type: 'identity' },
  });
  const table = [...new Set(runs.map(({ report }) => nameOf(report.costs)))].join('; ');
  return figure(svg, `Cycles of all host CPUs at the costs of ${table}.${legendOf(names)}`, {
    caption: 'cycles by event',
    head: ['Event', ...names.flatMap((name) => [`${name}: times`, 'cycles'])],
    rows: [...events.map((event) => [event, ...runs.flatMap(cellsOf(event))]), totalsOf(runs)],
  });
}

const cellsOf =
  (event: (typeof EVENT_IDS)[number]) =>
  ({ report }: NamedRun): string[] => {
    const { count: times, cycles } = report.costs.total.by_event[event];
    return [grouped(times), grouped(cycles)];
  };

const totalsOf = (runs: readonly NamedRun[]): string[] => [
  'together',
  ...runs.flatMap(({ report }) => ['', grouped(report.costs.total.cycles)]),
];

const legendOf = (names: readonly string[]): string =>
  names.length === 1 ? '' : ` In each group from above: ${names.join(', ')}.`;
