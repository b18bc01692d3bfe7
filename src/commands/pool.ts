/** Independent pieces of work on a pool of threads. */

import { Piscina } from 'piscina';
import { workerUrl } from '../worker-url.ts';

export interface Job<Task, Done> {
  /** A file in workers/, and the function in it. */
  readonly worker: string;
  readonly name: string;
  /** Begun in this order. */
  readonly tasks: readonly Task[];
  readonly threads: number;
  /** Leaves tasks that are not done undone. */
  readonly signal: AbortSignal;
  /** Called for each task that is done, as soon as it is. */
  done(result: Done, task: Task): void;
}

/** Resolves when all tasks are done, or after the signal. Rejects when a task or `done` throws. */
export async function onPool<Task, Done>(job: Job<Task, Done>): Promise<void> {
  const { worker, name, tasks, signal, done } = job;
  const threads = Math.min(job.threads, tasks.length);
  if (threads === 0 || signal.aborted) return;
  const pool = new Piscina<Task, Done>({
    filename: workerUrl(worker).href,
    name,
    minThreads: threads,
    maxThreads: threads,
  });
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < tasks.length && !signal.aborted) {
      const task = tasks[next++]!;
      done(await pool.run(task, { signal }), task);
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, lane));
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  } finally {
    await pool.destroy();
  }
}
