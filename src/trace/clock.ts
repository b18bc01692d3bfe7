/** One clock for all threads of a process. */

import { monotonicMs } from '../platform.ts';

/** The two clocks are compared so often: a thread may lose its CPU between one and the other. */
const COMPARISONS = 16;

/** Nanoseconds since `origin`, a time of the monotonic clock; cheaper than that is to ask. */
export function clockSince(origin: number): () => number {
  let ahead = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < COMPARISONS; i++) {
    const before = performance.now();
    const now = monotonicMs();
    const after = performance.now();
    if (after - before >= least) continue;
    least = after - before;
    ahead = now - (before + after) / 2 - origin;
  }
  return () => (performance.now() + ahead) * 1e6;
}
