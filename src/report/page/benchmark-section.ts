/** A run of the benchmark in a report: its lines, and how cost grows. */

import type { Benchmark, LineResult, SweepResult } from '../benchmark.ts';
import { unitOf, withInterval } from '../benchmark-text.ts';
import { chartSvg, chartTable, shadedText } from '../chart.ts';
import { FEWEST } from '../statistics.ts';
import type { ChartSpec } from '../study-result.ts';
import { facts, figure, table } from './parts.ts';

export function benchmarkSection(run: Benchmark): string {
  const { lines, growth, failed, machine, runtime, project } = run;
  const parts = Map.groupBy(lines, ({ part }) => part);
  return [
    facts([
      ['Machine', `${machine.cpu}, ${machine.cores} cores, ${machine.platform}`],
      ['Node', runtime.node],
      ['umbra', `${project.version}${project.commit === undefined ? '' : `, ${project.commit}`}`],
      ...failed.map(({ name, reason }) => ['Could not be measured', `${name}: ${reason}`] as const),
    ]),
    ...Array.from(parts, ([part, own]) =>
      table({
        caption: part,
        head: ['What', 'Median, and its 95 % interval', 'Unit', 'Times C', 'Held against'],
        rows: own.map(rowOf),
      }),
    ),
    ...(growth.length > 0 ? ['<h3>How cost grows</h3>', ...growth.map(sweepFigure)] : []),
  ].join('\n');
}

const rowOf = ({ name, value, unit, native_ratio, baseline_name }: LineResult): string[] => [
  ...[name, withInterval(value, unit), unitOf(unit, value.median)],
  ...[native_ratio === undefined ? '' : withInterval(native_ratio), baseline_name],
];

const NO_INTERVAL = { low: undefined, high: undefined };

function sweepFigure({
  name,
  unit,
  over,
  points,
  exponent,
  expected,
  verdict,
}: SweepResult): string {
  const chart: ChartSpec = {
    id: name,
    title: name,
    experiment: name,
    kind: 'line',
    x: 'size',
    y: 'cost',
    x_scale: 'log',
    y_scale: 'log',
  };
  const sweep = {
    factors: { size: { title: over, unit: '' } },
    measures: { cost: { title: 'cost', unit, description: '' } },
    points: points.map(({ size, cost, samples }) => ({
      experiment: name,
      levels: { size },
      measures: { cost: { ...cost, ...(samples.length < FEWEST && NO_INTERVAL), samples } },
    })),
  };
  const caption =
    `${name}, by ${over}: exponent ${withInterval(exponent)}, expected ${expected}: ${verdict}.` +
    shadedText(chart, sweep);
  return figure(chartSvg(chart, sweep), caption, { caption: name, ...chartTable(chart, sweep) });
}
