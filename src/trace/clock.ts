/** One clock for all threads of a process. */

import { monotonicMs } from '../platform.ts';

/** Nanoseconds since `origin`, a time of the monotonic clock; cheaper than that is to ask. */
export function clockSince(origin: number): () => number {
  const ahead = monotonicMs() - performance.now() - origin;
  return () => (performance.now() + ahead) * 1e6;
}
