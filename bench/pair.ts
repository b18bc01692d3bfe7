/**
 * What a line of the suite is: something measured, a baseline, and where there is one the
 * same work in C, all measured in the same run, batch by batch in turns and on the same core.
 * On a machine that others use too, their times go up and down together; the ratios hold.
 */

import type { Goal } from '../src/report/benchmark.ts';
import { median } from '../src/report/statistics.ts';

/** What one batch did, and how long that took. Preparations are not in `ns`. */
export interface Batch {
  /** Of the line's unit: faults, accesses, … */
  readonly count: number;
  readonly ns: number;
}

export interface Side {
  readonly name: string;
  batch(): Batch | Promise<Batch>;
  /** After the last batch, of a side that holds on to something: a process, or threads. */
  end?(): void | Promise<void>;
}

export type Unit = 'ns' | 'ms' | 'times' | `${string}/s`;

export interface Line {
  /** The measured thing; `--filter` searches here. */
  readonly name: string;
  /** Time for one, how many in a second, or how many times as much: then `ns` is what it is to. */
  readonly unit: Unit;
  /**
   * Batches of each side, all in one isolate: of machines that bring threads of their own.
   * Without it as many as fit the time for a line, in several isolates.
   */
  readonly rounds?: number;
  /**
   * Of a line with rounds: the same isolates do all batches, so they are warmed up like any others.
   */
  readonly lasting?: true;
  /**
   * What is wanted of the ratio to native (as time, whatever the unit), to the baseline, or of the
   * value.
   */
  readonly goal?: Goal;
  /** Its sides have threads of their own, which are not to share a core. */
  readonly threads?: true;
  /** What is measured, and what it is held against: each is made in an isolate of its own. */
  readonly measured: () => Side;
  readonly baseline: () => Side;
  /** The same work in C, in a process of its own; undefined where there is no compiler. */
  readonly native?: () => Side | undefined;
}

/** Time `body`, which says how many it did. */
export function timed(body: () => number): Batch {
  const start = performance.now();
  const count = body();
  return { count, ns: (performance.now() - start) * 1e6 };
}

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

/** How many times as much one side does as the other, as a side: its value has no unit. */
export function scaling(name: string, much: Side, little: Side): Side {
  return {
    name,
    batch: async () => {
      const [more, less] = [await much.batch(), await little.batch()];
      return { count: more.count / more.ns, ns: less.count / less.ns };
    },
    end: async () => {
      for (const side of [much, little]) await side.end?.();
    },
  };
}

const SHORTEST_BATCH_NS = 1_000_000;
/** Measurements of a prepared side's batch. */
export const PREPARED_TIMES = 25;

const sink = new Int32Array(1);

/** Keep the result of a loop, so that the compiler cannot remove it. */
export function keep(result: number): void {
  sink[0]! ^= result;
}
