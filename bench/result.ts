/** What several isolates have measured of a line, put together. */

import { isTime, type LineResult, type SamplesOfIsolate } from '../src/report/benchmark.ts';
import { outliers, type Summary, summariseGroups } from '../src/report/statistics.ts';
import type { Taken } from './measure.ts';
import type { Line } from './pair.ts';

export function resultOf(
  part: string,
  { name, unit, goal }: Pick<Line, 'name' | 'unit' | 'goal'>,
  taken: readonly Taken[],
): LineResult {
  const samples = taken.map((one) => one.samples);
  const of = (figure: (one: SamplesOfIsolate) => number[]): Summary =>
    summariseGroups(samples.map(figure));
  const inC = samples.every(({ native }) => native !== undefined);
  // Of times the measured one to the other, of rates the other way round.
  const timesC = ({ value, native }: SamplesOfIsolate): number[] =>
    value.map((v, i) => (isTime(unit) ? v / native![i]! : native![i]! / v));
  return {
    part,
    name,
    unit,
    baseline_name: taken[0]!.baseline_name,
    value: of(({ value }) => value),
    baseline: of(({ baseline }) => baseline),
    ratio: of(({ value, baseline }) => value.map((v, i) => v / baseline[i]!)),
    ...(inC && { native: of(({ native }) => native!), native_ratio: of(timesC) }),
    ...(goal && { goal }),
    outliers: samples.flatMap(({ value }, isolate) =>
      outliers(value).map(({ index, times }) => ({ isolate, round: index, times })),
    ),
    warm_up: taken.map(({ warm_up }) => warm_up),
    load: {
      cores: mean(taken.map(({ load }) => load.cores)),
      involuntary_switches: sum(taken.map(({ load }) => load.involuntary_switches)),
    },
    samples,
  };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
