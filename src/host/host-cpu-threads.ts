/**
 * A pool of worker threads for host CPUs: the next machine reuses the threads of a finished one,
 * whose code is compiled already. Idle threads do not keep the process alive.
 */

import { type Remote, wrap } from 'comlink';
import { startThread, type Thread } from '../platform.ts';
import type { HostCpuApi } from './host-cpu-api.ts';

export interface HostCpuThread {
  readonly thread: Thread;
  readonly api: Remote<HostCpuApi>;
}

const idle: HostCpuThread[] = [];

/** LIMIT: more are ended with their machine; each has 10 MiB and more. */
const MOST_IDLE = 64;

/** So many threads, warm ones first. */
export function takeThreads(count: number): readonly HostCpuThread[] {
  const warm = idle.splice(0, count);
  for (const { thread } of warm) thread.ref();
  return [
    ...warm,
    ...Array.from({ length: count - warm.length }, (_, i) => start(warm.length + i)),
  ];
}

/** Return the threads of a machine whose CPUs have all left their loops. */
export async function keepThreads(threads: readonly HostCpuThread[]): Promise<void> {
  const kept = threads.slice(0, MOST_IDLE - idle.length);
  await Promise.all([
    ...kept.map(({ api }) => api.release()),
    endThreads(threads.slice(kept.length)),
  ]);
  for (const { thread } of kept) thread.unref();
  idle.push(...kept);
}

/** Terminate them, whatever they are doing. */
export async function endThreads(threads: readonly HostCpuThread[]): Promise<void> {
  await Promise.all(threads.map(({ thread }) => thread.terminate()));
}

function start(index: number): HostCpuThread {
  const thread = startThread('host-cpu', `host CPU ${index}`);
  const one = { thread, api: wrap<HostCpuApi>(thread.endpoint) };
  // An idle thread may end at any time.
  void thread.ended.then(() => {
    const place = idle.indexOf(one);
    if (place >= 0) idle.splice(place, 1);
  });
  return one;
}
