/** One clock for all threads of a process. */

/** Milliseconds of the system's monotonic clock, whose zero is the same in all threads. */
export function monotonicMs(): number {
  const [seconds, ns] = process.hrtime();
  return seconds * 1e3 + ns / 1e6;
}

/** Nanoseconds since `origin`, a time of the monotonic clock; cheaper than that is to ask. */
export function clockSince(origin: number): () => number {
  const ahead = monotonicMs() - performance.now() - origin;
  return () => (performance.now() + ahead) * 1e6;
}
