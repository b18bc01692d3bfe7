/**
 * What a line of the suite is: something measured, and a baseline measured in the same
 * run, batch by batch in turns. On a machine that others use too, the two times go up
 * and down together; their ratio holds.
 */

import { median, type Summary, summarise } from './statistics.ts';

/** What one batch did, and how long that took. Preparations are not in `ns`. */
export interface Batch {
  /** Of the line's unit: faults, accesses, … */
  readonly count: number;
  readonly ns: number;
}

export interface Side {
  readonly name: string;
  batch(): Batch | Promise<Batch>;
}

export interface Line {
  /** What is measured; `--filter` looks here. */
  readonly name: string;
  /** ns: time for one. /s: how many in a second. */
  readonly unit: 'ns' | 'accesses/s' | 'operations/s' | 'schedules/s' | 'switches/s';
  /** Batches of each side; without it as many as fit the time for a line. */
  readonly rounds?: number;
  /** Called once, in the isolate that measures. */
  readonly make: () => { readonly measured: Side; readonly baseline: Side };
}

export interface Result {
  readonly name: string;
  readonly unit: Line['unit'];
  readonly baseline_name: string;
  readonly value: Summary;
  readonly baseline: Summary;
  /** Of the measured side to the baseline, round by round. */
  readonly ratio: Summary;
  /** In the order in which they were taken; the same index is the same round. */
  readonly samples: { readonly value: readonly number[]; readonly baseline: readonly number[] };
}

/** Time for a line's batches that are kept, both sides together. */
const LINE_MS = 1_500;
/** Before that, for the compiler. */
const WARM_UP_MS = 500;
const LEAST_ROUNDS = 9;
const MOST_ROUNDS = 2_000;

/** Time `body`, which says how many it did. */
export function timed(body: () => number): Batch {
  const start = performance.now();
  const count = body();
  return { count, ns: (performance.now() - start) * 1e6 };
}

/** Batches of both sides in turns; who is first changes with every round. */
export async function measure(line: Line): Promise<Result> {
  const { measured, baseline } = line.make();
  const value: number[] = [];
  const base: number[] = [];
  const round = async (first: boolean): Promise<void> => {
    if (first) value.push(sample(line.unit, await measured.batch()));
    base.push(sample(line.unit, await baseline.batch()));
    if (!first) value.push(sample(line.unit, await measured.batch()));
  };
  if (line.rounds === undefined) {
    await forMs(WARM_UP_MS, 1, MOST_ROUNDS, round);
    value.length = 0;
    base.length = 0;
    await forMs(LINE_MS, LEAST_ROUNDS, MOST_ROUNDS, round);
  } else {
    await forMs(0, line.rounds, line.rounds, round);
  }
  return {
    name: line.name,
    unit: line.unit,
    baseline_name: baseline.name,
    value: summarise(value),
    baseline: summarise(base),
    ratio: summarise(value.map((v, i) => v / base[i]!)),
    samples: { value, baseline: base },
  };
}

/** Rounds for `ms`, but `least` of them at least and `most` at most. */
async function forMs(
  ms: number,
  least: number,
  most: number,
  round: (first: boolean) => Promise<void>,
): Promise<void> {
  const end = performance.now() + ms;
  for (let i = 0; i < most && (i < least || performance.now() < end); i++) await round(i % 2 === 0);
}

const sample = (unit: Line['unit'], { count, ns }: Batch): number =>
  unit === 'ns' ? ns / count : (count / ns) * 1e9;

/**
 * A side that does nothing but `body`: as often in a batch as makes it long enough for
 * the clock. `body` says how many it did.
 */
export function repeated(name: string, body: () => number): Side {
  let times = 1;
  const run = (): number => {
    let count = 0;
    for (let i = 0; i < times; i++) count += body();
    return count;
  };
  return {
    name,
    batch: () => {
      const batch = timed(run);
      if (batch.ns < SHORTEST_BATCH_NS) times *= 2;
      return batch;
    },
  };
}

/** The same with something to prepare before each `body`, which is not timed. */
export function prepared(name: string, prepare: () => void, body: () => number): Side {
  return {
    name,
    batch: () => {
      const parts: Batch[] = [];
      for (let i = 0; i < PREPARED_TIMES; i++) {
        prepare();
        parts.push(timed(body));
      }
      // The middle one: a batch in which something else had the core is no measure.
      return { count: parts[0]!.count, ns: median(parts.map((part) => part.ns)) };
    },
  };
}

const SHORTEST_BATCH_NS = 1_000_000;
const PREPARED_TIMES = 25;

const sink = new Int32Array(1);

/** Keep what a loop computed: somebody could read it, so the compiler must compute it. */
export function keep(result: number): void {
  sink[0]! ^= result;
}
