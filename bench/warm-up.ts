/** Rounds before those that count, until the compiler is done: nothing gets any faster. */

import type { LineResult } from '../src/report/benchmark.ts';
import { median } from '../src/report/statistics.ts';
import type { Batch, Side } from './pair.ts';

export type WarmUp = LineResult['warm_up'][number];

/** Rounds are looked at together while they take this long. */
const WINDOW_MS = 60;
/** So many windows in a row in which no side was faster than ever before. */
const CALM_WINDOWS = 3;
/** For one isolate of several. */
const LONGEST_MS = 900;
/**
 * Always, for machines that last: what looks calm in between is not the end of it. Where they have
 * threads, each of those has a compiler that learns the same, all at the same time.
 */
export const LASTING_MS = { oneThread: 3_000, threads: 5_000 } as const;
/** What counts as faster. */
const GAIN = 0.98;

/**
 * As many rounds as it takes, in milliseconds from `least` to `longest`; or as many as are given.
 */
interface Limit {
  readonly least?: number;
  readonly longest?: number;
  readonly given?: number;
}

/**
 * A side alone: V8 takes so long until it compiles the benchmark's own loop together with all that
 * is in it, and in between nothing gets any faster. A walk in it takes 20 ns before, and 8.5 after.
 */
const ALONE_MS = 650;
/** It is the thread's own time: where others want the core it takes up to so many times as long. */
const PATIENCE = 8;

export async function warmUpAlone(side: Side, ms = ALONE_MS): Promise<void> {
  const before = ownMs();
  const end = performance.now() + PATIENCE * ms;
  while (ownMs() - before < ms && performance.now() < end) await side.batch();
}

/** Time of the processor that the calling thread has had. */
export function ownMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

export async function warmUp(
  round: (nth: number) => Promise<readonly Batch[]>,
  { least = 0, longest = LONGEST_MS, given }: Limit = {},
): Promise<WarmUp> {
  const start = performance.now();
  const elapsed = (): number => performance.now() - start;
  let rounds = 0;
  if (given !== undefined) {
    while (rounds < given) await round(rounds++);
    return { ms: elapsed(), rounds, settled: true };
  }
  const best: number[] = [];
  let calm = 0;
  while (elapsed() < least || (calm < CALM_WINDOWS && elapsed() < longest)) {
    const window: (readonly Batch[])[] = [];
    const end = performance.now() + WINDOW_MS;
    while (window.length === 0 || performance.now() < end) window.push(await round(rounds++));
    const sides = window[0]!.map((_, side) =>
      median(window.map((batches) => batches[side]!.ns / batches[side]!.count)),
    );
    const isFaster = sides.some((cost, side) => !(cost > (best[side] ?? Infinity) * GAIN));
    for (const [side, cost] of sides.entries()) best[side] = Math.min(best[side] ?? cost, cost);
    calm = isFaster ? 0 : calm + 1;
  }
  return { ms: elapsed(), rounds, settled: calm >= CALM_WINDOWS };
}
