/**
 * The worker threads of host CPUs. Those of a machine that came to its end run the next one: their
 * code is compiled already. Idle ones keep no process alive.
 */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { workerUrl } from '../../shared/worker-url.ts';
import type { HostCpuApi } from './host-cpu-api.ts';

export interface HostCpuThread {
  readonly worker: Worker;
  readonly api: Remote<HostCpuApi>;
  /** Resolves with why, when it ends. */
  readonly ended: Promise<string>;
}

const idle: HostCpuThread[] = [];

/** LIMIT: more are ended with their machine; each has 10 MiB and more. */
const MOST_IDLE = 64;

/** As many, warm ones first. */
export function takeThreads(count: number): readonly HostCpuThread[] {
  const warm = idle.splice(0, count);
  for (const { worker } of warm) worker.ref();
  return [
    ...warm,
    ...Array.from({ length: count - warm.length }, (_, i) => start(warm.length + i)),
  ];
}

/** Of a machine whose CPUs have all left their loops. */
export async function keepThreads(threads: readonly HostCpuThread[]): Promise<void> {
  const kept = threads.slice(0, MOST_IDLE - idle.length);
  await Promise.all([
    ...kept.map(({ api }) => api.release()),
    endThreads(threads.slice(kept.length)),
  ]);
  for (const thread of kept) thread.worker.unref();
  idle.push(...kept);
}

/** Whatever they are doing. */
export async function endThreads(threads: readonly HostCpuThread[]): Promise<void> {
  await Promise.all(threads.map(({ worker }) => worker.terminate()));
}

function start(index: number): HostCpuThread {
  const worker = new Worker(workerUrl('host-cpu'), { name: `host CPU ${index}` });
  const thread = { worker, api: wrap<HostCpuApi>(nodeEndpoint(worker)), ended: endOf(worker) };
  // One that ends while it is idle is nobody's loss.
  void thread.ended.then(() => {
    const place = idle.indexOf(thread);
    if (place >= 0) idle.splice(place, 1);
  });
  return thread;
}

const endOf = (worker: Worker): Promise<string> =>
  Promise.race([
    once(worker, 'error').then(([error]) => (error as Error).stack ?? String(error)),
    new Promise<string>((resolve) => {
      worker.once('exit', (code) => resolve(`its worker thread ended with exit code ${code}`));
    }),
  ]);
