/**
 * What a line of the suite is: something measured, a baseline, and where there is one the
 * same work in C, all measured in the same run, batch by batch in turns. On a machine that
 * others use too, their times go up and down together; the ratios hold.
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

/** What is measured, and what it is held against. */
export interface Sides {
  readonly measured: Side;
  readonly baseline: Side;
  /** The same work in C; absent where there is no compiler. */
  readonly native?: Side | undefined;
}

/** How much is wanted: of the ratio to native or to the baseline, or of the value itself. */
export interface Goal {
  readonly of: 'native' | 'baseline' | 'value';
  readonly most?: number;
  readonly least?: number;
}

export interface Line {
  /** What is measured; `--filter` looks here. */
  readonly name: string;
  /** ns: time for one. /s: how many in a second. */
  readonly unit:
    | 'ns'
    | 'accesses/s'
    | 'operations/s'
    | 'schedules/s'
    | 'switches/s'
    | 'faults/s'
    | 'times';
  /** Batches of each side; without it as many as fit the time for a line. */
  readonly rounds?: number;
  readonly goal?: Goal;
  /** Called once, in the isolate that measures. */
  readonly make: () => Sides;
}

export interface Result {
  readonly name: string;
  readonly unit: Line['unit'];
  readonly baseline_name: string;
  readonly value: Summary;
  readonly baseline: Summary;
  /** Of the measured side to the baseline, round by round. */
  readonly ratio: Summary;
  /** The same work in C, and the ratio of the measured side to it; of a line that has it. */
  readonly native?: Summary;
  readonly native_ratio?: Summary;
  readonly goal?: Goal;
  /** In the order in which they were taken; the same index is the same round. */
  readonly samples: Samples;
}

export interface Samples {
  readonly value: readonly number[];
  readonly baseline: readonly number[];
  readonly native?: readonly number[];
}

/** Time for a line's batches that are kept, all sides together. */
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

/** Batches of all sides in turns; who is first changes with every round. */
export async function measure(line: Line): Promise<Result> {
  const { measured, baseline, native } = line.make();
  const sides = [measured, baseline, ...(native === undefined ? [] : [native])];
  const samples: number[][] = sides.map(() => []);
  const round = async (nth: number): Promise<void> => {
    for (let i = 0; i < sides.length; i++) {
      const turn = (nth + i) % sides.length;
      samples[turn]!.push(sample(line.unit, await sides[turn]!.batch()));
    }
  };
  if (line.rounds === undefined) {
    await forMs(WARM_UP_MS, 1, MOST_ROUNDS, round);
    for (const taken of samples) taken.length = 0;
    await forMs(LINE_MS, LEAST_ROUNDS, MOST_ROUNDS, round);
  } else {
    await forMs(0, line.rounds, line.rounds, round);
  }
  const [value, base, inC] = samples as [number[], number[], number[]?];
  const ratioTo = (others: number[]): Summary => summarise(value.map((v, i) => v / others[i]!));
  return {
    name: line.name,
    unit: line.unit,
    baseline_name: baseline.name,
    value: summarise(value),
    baseline: summarise(base),
    ratio: ratioTo(base),
    ...(inC && { native: summarise(inC), native_ratio: ratioTo(inC) }),
    ...(line.goal && { goal: line.goal }),
    samples: { value, baseline: base, ...(inC && { native: inC }) },
  };
}

/** Rounds for `ms`, but `least` of them at least and `most` at most. */
async function forMs(
  ms: number,
  least: number,
  most: number,
  round: (nth: number) => Promise<void>,
): Promise<void> {
  const end = performance.now() + ms;
  for (let i = 0; i < most && (i < least || performance.now() < end); i++) await round(i);
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
/** Measurements of a prepared side's batch. */
export const PREPARED_TIMES = 25;

const sink = new Int32Array(1);

/** Keep what a loop computed: somebody could read it, so the compiler must compute it. */
export function keep(result: number): void {
  sink[0]! ^= result;
}
