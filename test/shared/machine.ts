/** Small machines for tests, and threads that work on them. */

import { Worker } from 'node:worker_threads';
import type { Host, SharedMachine } from '../../shared/host.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { assemble } from '../../src/assembly.ts';

export interface SmallMachine {
  readonly hostCpus?: number;
  /** Of host memory, besides the host's records. */
  readonly frames?: number;
  /** Of the one guest's memory. */
  readonly pages?: number;
}

export function smallMachine({ hostCpus = 1, frames = 64, pages = 4 }: SmallMachine = {}): {
  shared: SharedMachine;
  host: Host;
} {
  const guests = [{ paging: 'nonpae', pages }] as const;
  return assemble({ hostCpus, frames, seed: 1, guests }, Vma.ReadWrite);
}

/** Start a thread on a file of this folder; resolves once it reports that it runs. */
export async function startThread<T>(
  file: string,
  workerData: unknown,
): Promise<{ readonly result: Promise<T> }> {
  const worker = new Worker(new URL(file, import.meta.url), { workerData });
  const result = new Promise<T>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (message: { begun: true } | { result: T }) => {
      if ('result' in message) resolve(message.result);
    });
  });
  await Promise.race([new Promise((resolve) => worker.once('message', resolve)), result]);
  return { result };
}

/** Several threads on the same file at once; their results in order. */
export async function onThreads<T>(file: string, data: readonly unknown[]): Promise<T[]> {
  const threads = await Promise.all(data.map((workerData) => startThread<T>(file, workerData)));
  return Promise.all(threads.map(({ result }) => result));
}
