/** Isolates for what is measured: each a worker thread that knows nothing of the others. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { Taken } from './measure.ts';
import type { Side } from './pair.ts';
import type { LineData } from './ready-side.ts';

/**
 * A line measured in an isolate of its own: what the compiler learnt from other lines does
 * not count, and there is one machine in it, as in a host CPU's worker. Rejects with what
 * went wrong there, and after the signal.
 */
export async function measureInIsolate(line: LineData, signal: AbortSignal): Promise<Taken> {
  const worker = new Worker(new URL('./line-worker.ts', import.meta.url), { workerData: line });
  try {
    // Rejects with the worker's error, if it comes first.
    const [taken] = (await once(worker, 'message', { signal })) as [Taken];
    return taken;
  } finally {
    await worker.terminate();
  }
}

/** The message to the worker of a side. */
export interface SideData extends LineData {
  readonly which: 'measured' | 'baseline';
}

/** A side of a line, in an isolate that has no other machine either, and ready to be measured. */
export async function sideInIsolate(which: SideData['which'], line: LineData): Promise<Side> {
  const workerData: SideData = { ...line, which };
  const worker = new Worker(new URL('./side-worker.ts', import.meta.url), { workerData });
  await once(worker, 'message');
  const side = wrap<Side>(nodeEndpoint(worker));
  return {
    name: await side.name,
    batch: () => side.batch(),
    end: async () => {
      await worker.terminate();
    },
  };
}

/** The same as a side of another line, which waits until it is ready. */
export function isolated(which: SideData['which'], line: LineData): Side {
  const made = sideInIsolate(which, line);
  return {
    name: line.name,
    batch: async () => await (await made).batch(),
    end: async () => await (await made).end?.(),
  };
}
