/** Runs of machines beside one another. */

import { statisticsRows } from '../summary.ts';
import { cyclesFigure, type NamedRun } from './cycles.ts';
import { paragraph, table } from './parts.ts';

/** The first is what the others are held against. */
export function comparisonSection(runs: readonly NamedRun[]): string {
  const [first] = runs;
  const differences = settingsOf(runs);
  return [
    paragraph(`Each run as a whole, beside ${first!.name}.`),
    ...(differences.length === 0
      ? [paragraph('All were given the same.')]
      : [
          table({
            caption: 'What they were given differently',
            head: ['Given', ...runs.map(({ name }) => name)],
            rows: differences,
          }),
        ]),
    table({
      caption: 'What was counted',
      head: ['Counted', ...runs.map(({ name }) => name)],
      rows: [...countedRows(runs), ...pacesOf(runs)],
    }),
    cyclesFigure(runs),
  ].join('\n');
}

/** A column for each run; figures by the second are by its own. */
function countedRows(runs: readonly NamedRun[]): string[][] {
  const columns = runs.map(({ report }) => statisticsRows([['', report.total]], report.seconds));
  const labels = [...new Set(columns.flatMap((rows) => keysOf(rows)))];
  return labels.map((key) => [
    key.split('\t')[1]!,
    ...columns.map((rows) => rows[keysOf(rows).indexOf(key)]?.[1] ?? '–'),
  ]);
}

/** Labels may come again under another heading: `a second`, of accesses and of faults. */
function keysOf(rows: readonly (readonly string[])[]): string[] {
  let above = '';
  return rows.map(([label]) => {
    if (!label!.startsWith(' ')) above = label!;
    return `${above}\t${label}`;
  });
}

function pacesOf(runs: readonly NamedRun[]): string[][] {
  const ratios = runs.map(({ report }) => {
    const cycles = report.costs.total.cycles;
    return (cycles / (runs[0]!.report.costs.total.cycles || 1)).toFixed(3);
  });
  return [
    ['seconds', ...runs.map(({ report }) => report.seconds.toFixed(2))],
    ['cycles, to those of the first', ...ratios],
  ];
}

/** Of the configurations, what is not the same everywhere. */
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
