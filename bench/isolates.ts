/** Isolates for what is measured: each a worker thread that knows nothing of the others. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Taken } from './measure.ts';

/**
 * A line measured in an isolate of its own: what the compiler learnt from other lines does
 * not count, and there is one machine in it, as in a host CPU's worker. Rejects with what
 * went wrong there, and after the signal.
 */
export async function measureInIsolate(line: string, signal: AbortSignal): Promise<Taken> {
  const worker = new Worker(new URL('./line-worker.ts', import.meta.url), { workerData: line });
  try {
    // Rejects with the worker's error, if it comes first.
    const [taken] = (await once(worker, 'message', { signal })) as [Taken];
    return taken;
  } finally {
    await worker.terminate();
  }
}
