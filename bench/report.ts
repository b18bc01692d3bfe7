/** What the suite prints: where it runs, then a row for each line, part by part. */

import { counted, percent } from '../src/numbers.ts';
import type { Benchmark, Goal, LineResult, SweepResult } from '../src/report/benchmark.ts';
import { IN_TURNS, type LineComparison } from '../src/report/benchmark-comparison.ts';
import { few, unitOf, withInterval } from '../src/report/benchmark-text.ts';
import { intervalText } from '../src/report/estimate-text.ts';
import type { Interval } from '../src/report/statistics.ts';

type Where = Pick<Benchmark, 'project' | 'machine' | 'runtime'>;

/** The machine and what runs on it, in two lines. */
export function describe({ project, machine, runtime }: Where): string {
  const { commit = 'no commit', dirty } = project;
  const compiler = runtime.compiler ?? 'no C compiler: no ratios to C';
  const cores =
    runtime.same_core === false ? ' · no taskset: the sides of a line are on any cores' : '';
  return (
    `${machine.cpu} · ${machine.cores} cores · ${gib(machine.memory_bytes)} · ` +
    `${machine.platform} ${machine.kernel}\n` +
    `umbra ${project.version} ${commit}${dirty ? ', with changes' : ''} · Node ${runtime.node} · ` +
    `V8 ${runtime.v8} · ${compiler}${cores}\n`
  );
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

export const LEGEND =
  'Medians; in brackets where they lie with 95 %, or the range of fewer than six samples. ' +
  'Ratios are of\nbatches taken in turns. cores: had on average; out: samples that lie ' +
  'far out, and the farthest in medians;\nC: times as long as in C.\n';

/** Of all columns but the last: fixed, since a row is printed as soon as it is measured. */
const WIDTHS = [70, 34, 22, 18, 7, 12] as const;

const row = (cells: readonly string[]): string =>
  cells.map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0)).join('');

export const HEADING = row([
  ...['line', 'measured', 'C', 'goal', 'cores', 'out', 'ratio to baseline'],
]);

export function formatLine(result: LineResult): string {
  const { name, unit, value, ratio, native_ratio: inC, load } = result;
  const cells = [
    ...[`  ${name}`, `${withInterval(value, unit)} ${unitOf(unit, value.median)}`],
    ...[inC === undefined ? '' : withInterval(inC), goalText(result), load.cores.toFixed(2)],
    ...[outliersText(result), `${withInterval(ratio)} to ${result.baseline_name}`],
  ];
  return `${row(cells)}\n`;
}

/** How a line compares with the earlier run or the other checkout, in a row of its own. */
export function changeText({ verdict, times, by }: LineComparison): string {
  const how = by === IN_TURNS ? 'there, in turns' : `then, by ${by}`;
  const text = times && `: ${withInterval(times)} times as long as ${how}`;
  return `    ${verdict}${text ?? ''}\n`;
}

/** Whether what is wanted is reached; undefined of a line of which nothing is, or nothing known. */
export function isMet(result: LineResult): boolean | undefined {
  const [{ goal }, found] = [result, judged(result)];
  if (goal === undefined || found === undefined) return undefined;
  return found.median <= (goal.most ?? Infinity) && found.median >= (goal.least ?? 0);
}

/** The figure that a line's goal is of. */
export const judged = ({ goal, value, ratio, native_ratio }: LineResult): Figure | undefined =>
  goal && { value, baseline: ratio, native: native_ratio }[goal.of];

type Figure = LineResult['value'];

/** ≤ 2 C met */
export function goalText(result: LineResult): string {
  if (result.goal === undefined) return '';
  const met = isMet(result);
  const outcome = met === undefined ? 'not known' : met ? 'met' : 'missed';
  return `${wanted(result.goal)} ${outcome}`;
}

export function wanted({ of, most, least }: Goal): string {
  const ofWhat = { native: ' × C', baseline: ' ×', value: '' }[of];
  const scaled = (n: number): string => (n >= 1e6 ? `${n / 1e6} M` : String(n));
  const bounds = [
    ...(most === undefined ? [] : [`≤ ${scaled(most)}`]),
    ...(least === undefined ? [] : [`≥ ${scaled(least)}`]),
  ];
  return bounds.map((bound) => bound + ofWhat).join(', ');
}

function outliersText({ outliers }: LineResult): string {
  if (outliers.length === 0) return '';
  const farthest = outliers.reduce((a, b) => (distance(b.times) > distance(a.times) ? b : a));
  return `${outliers.length}, ${few(farthest.times)}`;
}

const distance = (times: number): number => Math.abs(Math.log(times));

/** What else happened on the machine, and how many goals are met. */
export function closing({ load, seconds, lines, interrupted, failed }: Benchmark): string {
  const shareOf = (share: number | undefined): string =>
    share === undefined ? 'unknown' : percent(share);
  const known = lines.map(isMet).filter((met) => met !== undefined);
  const goals = known.filter((met) => met).length;
  return (
    `${interrupted ? 'Interrupted: these are the figures so far. ' : ''}` +
    `${counted(lines.length, 'line')} in ${(seconds / 60).toFixed(1)} min` +
    `${known.length === 0 ? '' : `, ${goals} of ${known.length} goals met`} · ` +
    `load ${load.average_before.toFixed(2)} before, ${load.average_after.toFixed(2)} after · ` +
    `others had ${shareOf(load.others)} of the cores, the hypervisor ${shareOf(load.stolen)}\n` +
    failed.map(({ name, reason }) => `could not be measured: ${name}: ${reason}\n`).join('')
  );
}

const BARS = '▁▂▃▄▅▆▇█';

/** From nothing to the most. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(...values);
  return values
    .map((value) => BARS[Math.min(BARS.length - 1, Math.floor((value / most) * BARS.length))])
    .join('');
}

/** The exponent that was found, whether it is as it should be, and the curve below. */
export function formatSweep(sweep: SweepResult): string {
  const { name, over, unit, points, exponent, expected, verdict } = sweep;
  const costs = points.map(({ cost }) => cost.median);
  const columns = points.map(({ size }, i) => ({ size: String(size), cost: few(costs[i]!) }));
  const line = (of: 'size' | 'cost'): string =>
    columns.map((one) => one[of].padStart(Math.max(one.size.length, one.cost.length))).join('  ');
  return (
    `  ${name.padEnd(WIDTHS[0] - 2)}${sparkline(costs)}  size^${exponentText(exponent)}; ` +
    `${EXPECTED[expected] ?? `size^${expected}`} is expected: ${verdict}\n` +
    `    ${line('size')}  ${over}\n` +
    `    ${line('cost')}  ${unit}`
  );
}

/** 0.98 [0.95, 1.01] */
export const exponentText = (exponent: Interval): string =>
  intervalText(exponent, (n, count) => n.toFixed(count - 1));

const EXPECTED: Readonly<Record<number, string>> = { 0: 'flat', 1: 'at most linear' };
