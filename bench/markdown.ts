/** The tables of docs/benchmarks.md, written by the suite and not by hand. */

import { existsSync, readFileSync } from 'node:fs';
import { UserError } from '../shared/errors.ts';
import { output } from '../src/commands/json-output.ts';
import type { Benchmark, LineResult, SweepResult } from '../src/report/benchmark.ts';
import { few, unitOf, withInterval } from '../src/report/benchmark-text.ts';
import { eachText, largestText } from './growth/memory-text.ts';
import { closing, describe, goalText, sparkline } from './report.ts';

const BEGIN = '<!-- figures: what is below is written by npm run bench -- --markdown -->';
const END = '<!-- end of the figures -->';

/**
 * How to write the tables to a file: between the marks of a page that has them, else as the
 * whole file. Asked for before anything is measured; see output.
 */
export function markdownInto(path: string | undefined): (result: Benchmark) => void {
  const write = output(path, { option: '--markdown', what: 'tables' });
  const [before, after] = path === undefined || path === '-' ? ['', ''] : around(path);
  return (result) => write(`${before}${BEGIN}\n\n${figuresOf(result)}\n${END}\n${after}`);
}

/** What a page has above and below the tables. */
function around(path: string): readonly [string, string] {
  if (!existsSync(path)) return ['', ''];
  const page = readFileSync(path, 'utf8');
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin >= 0 && end > begin) return [page.slice(0, begin), page.slice(end + END.length + 1)];
  throw new UserError(
    `${path}: found a file with no place for the tables, expected a line ${BEGIN} and below it ` +
      `a line ${END}, or a file that is not there yet`,
  );
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
    ...Array.from(parts, ([part, lines]) => linesTable(part, lines)).flat(),
    ...(result.growth.length > 0 ? growthTable(result.growth) : []),
    ...memoryLists(result),
  ].join('\n');
}

function linesTable(part: string, lines: readonly LineResult[]): string[] {
  return [
    `### ${part}`,
    '',
    row(['what', 'median', '× C', 'goal', '× baseline', 'baseline']),
    row(['---', '---:', '---:', '---', '---:', '---']),
    ...lines.map((line) =>
      row([
        ...[
          line.name,
          `${withInterval(line.value, line.unit)} ${unitOf(line.unit, line.value.median)}`,
        ],
        ...[line.native_ratio === undefined ? '' : withInterval(line.native_ratio), goalText(line)],
        ...[withInterval(line.ratio), line.baseline_name],
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
      const [low, value, high] = [exponent.low, exponent.value, exponent.high].map((n) =>
        n.toFixed(2),
      );
      return row([
        ...[name, sparkline(costs), `${points.map(({ size }) => size).join(' · ')} ${over}`],
        ...[`${costs.map(few).join(' · ')} ${unit}`, `${value} [${low}, ${high}]`],
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
