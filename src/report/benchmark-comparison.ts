/**
 * Compares two runs of the benchmark, line by line: how much slower each line is in the second, and
 * whether that is significant. Isolates are the repetitions: a difference counts if it is larger
 * than the differences between isolates of the same code.
 */

import { percent } from '../numbers.ts';
import type { Benchmark, LineResult, SamplesOfIsolate } from './benchmark.ts';
import { isTime } from './benchmark.ts';
import { type Interval, meanRatio, median, ratioOf } from './statistics.ts';

/**
 * The compared figure of a line. Times of two runs also differ by the load of the machine, so they
 * are divided by something measured in the same rounds: the same work in C, or a fixed loop for the
 * pace of the core. A line's baseline cannot serve: most are umbra's own code, and a faster
 * baseline would look like a loss.
 */
export const QUANTITIES = ['native', 'pace', 'baseline', 'value'] as const;

export type Quantity = (typeof QUANTITIES)[number];

/** Two checkouts in turns: the line of one round to that of the other in the same round. */
export const IN_TURNS = 'turns';

export const VERDICTS = ['slower', 'faster', 'no difference', 'too noisy to say'] as const;

export type Verdict = (typeof VERDICTS)[number];

export interface LineComparison {
  readonly part: string;
  readonly name: string;
  readonly unit: string;
  readonly by: Quantity | typeof IN_TURNS;
  /** Medians as they were measured. */
  readonly before: number;
  readonly after: number;
  /** How many times as long it takes now, by that quantity. */
  readonly times?: Interval;
  readonly verdict: Verdict;
}

export interface Comparison {
  readonly schema_version: 1;
  readonly threshold: number;
  readonly lines: readonly LineComparison[];
  readonly only_before: readonly string[];
  readonly only_after: readonly string[];
  readonly warnings: readonly string[];
  readonly regressions: number;
}

export interface CompareOptions {
  /** By default native where both have it, else pace. */
  readonly by?: Quantity | undefined;
  /** Changes that are less than this do not matter: 0.05 is 5 %. */
  readonly threshold: number;
}

export function compare(
  before: Benchmark,
  after: Benchmark,
  { by, threshold }: CompareOptions,
): Comparison {
  const earlier = new Map(before.lines.map((line) => [line.name, line]));
  const later = new Set(after.lines.map(({ name }) => name));
  const lines = after.lines.flatMap((line) => {
    const was = earlier.get(line.name);
    return was === undefined ? [] : (compareLine(was, line, { by, threshold }) ?? []);
  });
  return {
    schema_version: 1,
    threshold,
    lines,
    only_before: [...earlier.keys()].filter((name) => !later.has(name)),
    only_after: [...later].filter((name) => !earlier.has(name)),
    warnings: warnings(before, after, lines),
    regressions: regressionsOf(lines),
  };
}

/** Undefined if one of them lacks the figure, or the units differ. */
export function compareLine(
  before: LineResult,
  after: LineResult,
  { by, threshold }: CompareOptions,
): LineComparison | undefined {
  const bothInC = before.native !== undefined && after.native !== undefined;
  const quantity = by ?? (bothInC ? 'native' : 'pace');
  if (before.unit !== after.unit || (quantity === 'native' && !bothInC)) return undefined;
  const times = ratioOf(repetitions(after, quantity), repetitions(before, quantity));
  return {
    part: after.part,
    name: after.name,
    unit: after.unit,
    by: quantity,
    before: before.value.median,
    after: after.value.median,
    ...judgedBy(times, threshold),
  };
}

const judgedBy = (times: Interval | undefined, threshold: number) => ({
  ...(times && { times }),
  verdict: times === undefined ? 'too noisy to say' : verdictOn(times, threshold),
});

/** Of a line whose baseline is the same line in another checkout. */
export function compareInTurns(line: LineResult, threshold: number): LineComparison {
  const { part, name, unit, value, baseline } = line;
  const times = meanRatio(repetitions(line, 'baseline'));
  const medians = { before: baseline.median, after: value.median };
  return { part, name, unit, by: IN_TURNS, ...medians, ...judgedBy(times, threshold) };
}

/** A run with --against. */
export function compareCheckouts(run: Benchmark, threshold: number): Comparison {
  const lines = run.lines.map((line) => compareInTurns(line, threshold));
  return {
    schema_version: 1,
    threshold,
    lines,
    only_before: [],
    only_after: run.against?.only_here ?? [],
    warnings: warningsOf('of both', run),
    regressions: regressionsOf(lines),
  };
}

const regressionsOf = (lines: readonly LineComparison[]): number =>
  lines.filter(({ verdict }) => verdict === 'slower').length;

/**
 * A difference is more than the threshold, with an interval that excludes none. No difference needs
 * the whole interval within the threshold. In all other cases the noise is too large to tell.
 */
export function verdictOn({ value, low, high }: Interval, threshold: number): Verdict {
  const most = 1 + threshold;
  if (value > most && low > 1) return 'slower';
  if (value < 1 / most && high < 1) return 'faster';
  return high <= most && low >= 1 / most ? 'no difference' : 'too noisy to say';
}

/** A figure, more is worse, from each isolate; or from each round, where each brought its own. */
function repetitions(line: LineResult, quantity: Quantity): number[] {
  const figures = line.samples.map((samples) => costs(samples, line.unit, quantity));
  return figures.length === 1 ? figures[0]! : figures.map(median);
}

function costs(samples: SamplesOfIsolate, unit: string, quantity: Quantity): number[] {
  const cost = (sample: number): number => (isTime(unit) ? sample : 1 / sample);
  const { value, baseline, native, pace } = samples;
  const against = (round: number): number => {
    if (quantity === 'native') return cost(native![round]!);
    if (quantity === 'baseline') return cost(baseline[round]!);
    return quantity === 'pace' ? pace[round]! : 1;
  };
  return value.map((sample, round) => cost(sample) / against(round));
}

/** Share of the cores that others may have had without a word about it. */
const BUSY = 0.2;

function warnings(before: Benchmark, after: Benchmark, lines: readonly LineComparison[]): string[] {
  const said: string[] = [];
  const differ = (what: string, a: string | undefined, b: string | undefined): void => {
    if (a !== b) said.push(`another ${what}: ${a ?? 'none'} before, ${b ?? 'none'} after`);
  };
  differ('processor', cpuOf(before), cpuOf(after));
  differ('system', systemOf(before), systemOf(after));
  differ('Node', before.runtime.node, after.runtime.node);
  if (lines.some(({ by }) => by === 'native')) {
    differ('C compiler', before.runtime.compiler, after.runtime.compiler);
  }
  return [...said, ...warningsOf('before', before), ...warningsOf('after', after)];
}

function warningsOf(which: string, run: Benchmark): string[] {
  const { load, interrupted, failed, project, against } = run;
  const dirty = project.dirty || against?.dirty;
  const others = load.others ?? 0;
  return [
    ...(interrupted ? [`the run ${which} was interrupted`] : []),
    ...failed.map(
      ({ name, reason }) => `${name} could not be measured in the run ${which}: ${reason}`,
    ),
    ...(dirty ? [`the tree ${which} had changes that no commit has`] : []),
    ...(others > BUSY ? [`others had ${percent(others, 0)} of the cores in the run ${which}`] : []),
  ];
}

const cpuOf = ({ machine }: Benchmark): string => `${machine.cpu}, ${machine.cores} cores`;
const systemOf = ({ machine }: Benchmark): string => `${machine.platform} ${machine.kernel}`;
