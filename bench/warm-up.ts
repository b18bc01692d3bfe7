/** Rounds before those that count, until the compiler is done: nothing gets any faster. */

import type { LineResult } from '../src/report/benchmark.ts';
import { median } from '../src/report/statistics.ts';
import type { Batch } from './pair.ts';

export type WarmUp = LineResult['warm_up'][number];

/** Rounds are looked at together while they take this long. */
const WINDOW_MS = 60;
/** So many windows in a row in which no side was faster than ever before. */
const CALM_WINDOWS = 3;
/** For one isolate of several, and for the only one of a line. */
export const LONGEST_MS = { oneOfSeveral: 900, only: 5_000 } as const;
/** What counts as faster. */
const GAIN = 0.98;

/** As many rounds as it takes, for `longest` at most; or as many as are given. */
interface Limit {
  /** Milliseconds. */
  readonly longest?: number;
  readonly given?: number;
}

export async function warmUp(
  round: (nth: number) => Promise<readonly Batch[]>,
  { longest = LONGEST_MS.oneOfSeveral, given }: Limit = {},
): Promise<WarmUp> {
  const start = performance.now();
  const elapsed = (): number => performance.now() - start;
  let rounds = 0;
  if (given !== undefined) {
    while (rounds < given) await round(rounds++);
    return { ms: elapsed(), rounds, settled: true };
  }
  const best: number[] = [];
  for (let calm = 0; calm < CALM_WINDOWS; ) {
    if (elapsed() > longest) return { ms: elapsed(), rounds, settled: false };
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
  return { ms: elapsed(), rounds, settled: true };
}
