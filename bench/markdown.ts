/** The tables of docs/benchmarks.md, written by the suite and not by hand. */

import { partOfPage } from '../src/commands/marked-page.ts';
import type { Benchmark, LineResult, SweepResult } from '../src/report/benchmark.ts';
import { few, unitOf, withInterval } from '../src/report/benchmark-text.ts';
import { tableMarkdown } from '../src/report/text-table.ts';
import { eachText, largestText } from './growth/memory-text.ts';
import { closing, describe, exponentText, isMet, judged, sparkline, wanted } from './report.ts';

const BEGIN = '<!-- figures: what is below is written by npm run bench -- --markdown -->';
const END = '<!-- end of the figures -->';

/** How to write the tables to a page, or to a file of their own; see partOfPage. */
export function markdownInto(path: string | undefined): (result: Benchmark) => void {
  const write = partOfPage(path, { begin: BEGIN, end: END, what: 'tables' });
  return (result) => write(figuresOf(result));
}

function figuresOf(result: Benchmark): string {
  const parts = Map.groupBy(result.lines, ({ part }) => part);
  return [
    '```',
    describe(result).trimEnd(),
    closing(result).trimEnd(),
    '```',
    '',
    ...goalsTable(result.lines.filter(({ goal }) => goal !== undefined)),
    ...Array.from(parts, ([part, lines]) => linesTable(part, lines)).flat(),
    ...(result.growth.length > 0 ? growthTable(result.growth) : []),
    ...memoryLists(result),
  ].join('\n');
}

function goalsTable(lines: readonly LineResult[]): string[] {
  if (lines.length === 0) return [];
  const rows = lines.map((line) => {
    const [found, met] = [judged(line), isMet(line)];
    const ofValue = line.goal!.of === 'value';
    const figure = found && withInterval(found, ofValue ? line.unit : '');
    const unit = found && ofValue ? ` ${unitOf(line.unit, found.median)}` : '';
    const outcome = met === undefined ? 'not known' : met ? 'met' : '**missed**';
    return [line.name, wanted(line.goal!), `${figure ?? '–'}${unit}`, outcome];
  });
  const align = ['left', 'left', 'right', 'left'] as const;
  return [
    ...['### Goals', '', tableMarkdown({ head: ['what', 'wanted', 'found', ''], align, rows }), ''],
  ];
}

function linesTable(part: string, lines: readonly LineResult[]): string[] {
  const head = ['what', 'median', '× C', '× baseline', 'baseline'];
  const align = ['left', 'right', 'right', 'right', 'left'] as const;
  const rows = lines.map((line) => [
    line.name,
    `${withInterval(line.value, line.unit)} ${unitOf(line.unit, line.value.median)}`,
    line.native_ratio === undefined ? '' : withInterval(line.native_ratio),
    withInterval(line.ratio),
    line.baseline_name,
  ]);
  return [`### ${part}`, '', tableMarkdown({ head, align, rows }), ''];
}

function growthTable(sweeps: readonly SweepResult[]): string[] {
  const head = ['what', 'curve', 'sizes', 'cost', 'exponent', 'expected', ''];
  const align = ['left', 'left', 'left', 'left', 'right', 'right', 'left'] as const;
  const rows = sweeps.map(({ name, over, unit, points, exponent, expected, verdict }) => {
    const costs = points.map(({ cost }) => cost.median);
    return [
      ...[name, sparkline(costs), `${points.map(({ size }) => size).join(' · ')} ${over}`],
      ...[`${costs.map(few).join(' · ')} ${unit}`, exponentText(exponent)],
      ...[expected === 0 ? 'flat' : `≤ ${expected}`, verdict],
    ];
  });
  return ['### How cost grows', '', tableMarkdown({ head, align, rows }), ''];
}

function memoryLists({ memory }: Benchmark): string[] {
  if (memory === undefined) return [];
  return [
    ...['### Memory', '', ...memory.each.map((one) => `* ${eachText(one)}`), ''],
    ...['The largest machines:', '', ...memory.largest.map((one) => `* ${largestText(one)}`), ''],
  ];
}
