/** The tables of docs/benchmarks.md, written by the suite and not by hand. */

import { partOfPage } from '../src/commands/marked-page.ts';
import type { Benchmark, LineResult, SweepResult } from '../src/report/benchmark.ts';
import { few, unitOf, withInterval } from '../src/report/benchmark-text.ts';
import { eachText, largestText } from './growth/memory-text.ts';
import { closing, describe, exponentText, isMet, judged, sparkline, wanted } from './report.ts';

const BEGIN = '<!-- figures: what is below is written by npm run bench -- --markdown -->';
const END = '<!-- end of the figures -->';

/** How to write the tables to a page, or to a file of their own; see partOfPage. */
export function markdownInto(path: string | undefined): (result: Benchmark) => void {
  const write = partOfPage(path, { begin: BEGIN, end: END, what: 'tables' });
  return (result) => write(figuresOf(result));
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

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
  return [
    ...['### Goals', '', row(['what', 'wanted', 'found', '']), row(['---', '---', '---:', '---'])],
    ...lines.map((line) => {
      const [found, met] = [judged(line), isMet(line)];
      const ofValue = line.goal!.of === 'value';
      const figure = found && withInterval(found, ofValue ? line.unit : '');
      const unit = found && ofValue ? ` ${unitOf(line.unit, found.median)}` : '';
      const outcome = met === undefined ? 'not known' : met ? 'met' : '**missed**';
      return row([line.name, wanted(line.goal!), `${figure ?? '–'}${unit}`, outcome]);
    }),
    '',
  ];
}

function linesTable(part: string, lines: readonly LineResult[]): string[] {
  return [
    `### ${part}`,
    '',
    row(['what', 'median', '× C', '× baseline', 'baseline']),
    row(['---', '---:', '---:', '---:', '---']),
    ...lines.map((line) =>
      row([
        line.name,
        `${withInterval(line.value, line.unit)} ${unitOf(line.unit, line.value.median)}`,
        line.native_ratio === undefined ? '' : withInterval(line.native_ratio),
        withInterval(line.ratio),
        line.baseline_name,
      ]),
    ),
    '',
  ];
}

function growthTable(sweeps: readonly SweepResult[]): string[] {
  return [
    '### How cost grows',
    '',
    row(['what', 'curve', 'sizes', 'cost', 'exponent', 'expected', '']),
    row(['---', '---', '---', '---', '---:', '---:', '---']),
    ...sweeps.map(({ name, over, unit, points, exponent, expected, verdict }) => {
      const costs = points.map(({ cost }) => cost.median);
      return row([
        ...[name, sparkline(costs), `${points.map(({ size }) => size).join(' · ')} ${over}`],
        ...[`${costs.map(few).join(' · ')} ${unit}`, exponentText(exponent)],
        ...[expected === 0 ? 'flat' : `≤ ${expected}`, verdict],
      ]);
    }),
    '',
  ];
}

function memoryLists({ memory }: Benchmark): string[] {
  if (memory === undefined) return [];
  return [
    ...['### Memory', '', ...memory.each.map((one) => `* ${eachText(one)}`), ''],
    ...['The largest machines:', '', ...memory.largest.map((one) => `* ${largestText(one)}`), ''],
  ];
}
