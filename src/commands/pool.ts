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

interface Idle {
  readonly worker: string;
  readonly threads: number;
  readonly pool: Piscina;
}

/** The last pool, if its tasks are done: its threads have loaded the code, and are warm. */
let idle: Idle | undefined;

async function poolFor(worker: string, threads: number): Promise<Piscina> {
  const last = idle;
  idle = undefined;
  if (last?.worker === worker && last.threads === threads) return last.pool;
  await last?.pool.destroy();
  return new Piscina({
    filename: workerUrl(worker).href,
    minThreads: threads,
    maxThreads: threads,
  });
}

/**
 * Resolves when all tasks are done, or after the signal. Rejects when a task or `done` throws. The
 * threads stay for the next tasks of the same kind, and keep no process alive.
 */
export async function onPool<Task, Done>(job: Job<Task, Done>): Promise<void> {
  const { worker, name, tasks, signal, done } = job;
  const threads = Math.min(job.threads, tasks.length);
  if (threads === 0 || signal.aborted) return;
  const pool = await poolFor(worker, threads);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < tasks.length && !signal.aborted) {
      const task = tasks[next++]!;
      done((await pool.run(task, { name, signal })) as Done, task);
    }
  };
  let isDone = false;
  try {
    await Promise.all(Array.from({ length: threads }, lane));
    isDone = !signal.aborted;
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  } finally {
    if (isDone) idle = { worker, threads, pool };
    else await pool.destroy();
  }
}
