/** Runs of machines beside one another. */

import { byEvent } from '../../cost/table.ts';
import { compareCosts } from '../cost-comparison.ts';
import { verdictText } from '../cost-text.ts';
import { nameOf } from '../costs.ts';
import { repeatedBy } from '../repeated.ts';
import { statisticsRows } from '../summary.ts';
import { cyclesFigure, type NamedRun } from './cycles.ts';
import { escaped } from './escaped.ts';
import { paragraph, table } from './parts.ts';

/** How much real time each took is not compared: that is noise of the machine underneath. */
export function comparisonSection(given: readonly NamedRun[]): string {
  const runs = given.length > MOST_AS_GIVEN ? given.toSorted(byCycles) : given;
  const differences = settingsOf(runs);
  return [
    ...(differences.length === 0
      ? [paragraph('All have the same options.')]
      : [
          table({
            caption: 'Options that differ',
            head: ['Option', ...runs.map(({ name }) => name)],
            rows: differences,
          }),
        ]),
    table({
      caption: 'What was counted',
      head: ['Counted', ...runs.map(({ name }) => name)],
      rows: countedRows(runs),
    }),
    ...cyclesCompared(runs),
    cyclesFigure(runs),
  ].join('\n');
}

/** More than these are sorted: fewest cycles first. */
const MOST_AS_GIVEN = 4;

const byCycles = ({ report: a }: NamedRun, { report: b }: NamedRun): number =>
  a.costs.total.cycles - b.costs.total.cycles;

/** By the costs of the first, whatever each was counted with. */
function cyclesCompared(runs: readonly NamedRun[]): string[] {
  const { costs } = runs[0]!.report;
  const { conclusions } = compareCosts(
    runs.map(({ name, report }) => ({
      name,
      ...repeatedBy(report, name),
      occurrences: byEvent((id) => report.costs.total.by_event[id].count),
    })),
    costs,
  );
  return [
    '<h3>Which takes fewer cycles</h3>',
    paragraph(
      `All at the costs of ${nameOf(costs)}. Runs that differ only in the seed ` +
        'are taken together.',
    ),
    `<ul>${conclusions.map((one) => `<li>${escaped(verdictText(one))}</li>`).join('\n')}</ul>`,
  ];
}

/** A column for each run. */
function countedRows(runs: readonly NamedRun[]): string[][] {
  const columns = runs.map(
    ({ report }) => new Map(statisticsRows([['', report.total]]) as [string, string][]),
  );
  const labels = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  return labels.map((label) => [label, ...columns.map((column) => column.get(label) ?? '–')]);
}

/** The differences between the configurations. */
function settingsOf(runs: readonly NamedRun[]): string[][] {
  const all = runs.map(({ report }) => report.configuration as Readonly<Record<string, unknown>>);
  const keys = Object.keys(all[0]!);
  return keys
    .map((key) => [key.replaceAll('_', ' '), ...all.map((one) => settingText(one[key]))])
    .filter(([, ...values]) => new Set(values).size > 1);
}

const settingText = (value: unknown): string =>
  Array.isArray(value) || typeof value === 'object'
    ? JSON.stringify(value)
        .replace(/^\[(.*)\]$/, '$1')
        .replaceAll('"', '')
        .replaceAll(',', ', ')
    : String(value);
