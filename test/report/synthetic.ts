/** Synthetic runs of the benchmark, with known parameters. */

import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { resultOf } from '../../bench/result.ts';
import { type Benchmark, type LineResult, SCHEMA_VERSION } from '../../src/report/benchmark.ts';

/** Normally distributed numbers from a seed. */
export function normals(seed: number): () => number {
  const generator = xoroshiro128plus(seed);
  const uniform = (): number => uniformInt(generator, 0, 999_999) / 1e6;
  // The sum of twelve has variance 1 and mean 6.
  return () => Array.from({ length: 12 }, uniform).reduce((a, b) => a + b) - 6;
}

export interface Made {
  readonly name?: string;
  readonly part?: string;
  readonly unit?: 'ns' | 'accesses/s';
  /** Common to all isolates. */
  readonly middle: number;
  /** Spread between isolates, and between rounds of one isolate: 0.01 is 1 %. */
  readonly isolates?: number;
  readonly rounds?: number;
  readonly native?: number;
  readonly seed?: number;
  /** Slowness of the machine: a factor on the times of all sides. */
  readonly slow?: number;
  readonly goal?: NonNullable<LineResult['goal']>;
}

const ISOLATES = 3;
const ROUNDS = 40;

export function madeLine(made: Made): LineResult {
  const {
    name = 'a line',
    part = 'a part',
    unit = 'ns',
    middle,
    native,
    slow = 1,
    seed = 1,
  } = made;
  const normal = normals(seed);
  const spread = (share: number): number => Math.exp(normal() * share);
  const sample = (of: number): number => (unit === 'ns' ? of * slow : of / slow);
  const taken = Array.from({ length: ISOLATES }, () => {
    const isolate = middle * spread(made.isolates ?? 0.005);
    const rounds = <T>(of: () => T): T[] => Array.from({ length: ROUNDS }, of);
    return {
      baseline_name: 'less',
      samples: {
        value: rounds(() => sample(isolate * spread(made.rounds ?? 0.02))),
        baseline: rounds(() => sample(10)),
        pace: rounds(() => 1e5 * slow),
        ...(native !== undefined && { native: rounds(() => sample(native)) }),
      },
      warm_up: { ms: 300, rounds: 100, settled: true },
      load: { cores: 1, involuntary_switches: 0 },
    };
  });
  const goal = made.goal && { goal: made.goal };
  return resultOf(part, { name, unit, ...goal }, taken);
}

export const madeBenchmark = (
  lines: readonly LineResult[],
  changed: Partial<Benchmark> = {},
): Benchmark => ({
  schema_version: SCHEMA_VERSION,
  project: { version: '0.1.0', commit: 'abc', dirty: false },
  machine: { cpu: 'a CPU', cores: 2, memory_bytes: 2 ** 33, platform: 'linux', kernel: '6' },
  runtime: { node: 'v24', v8: '13', compiler: 'cc 12' },
  load: { average_before: 0, average_after: 1, others: 0, stolen: 0 },
  seconds: 60,
  interrupted: false,
  lines: [...lines],
  growth: [],
  failed: [],
  ...changed,
});
