/**
 * What computes in a worker: a pool of threads, and a process of its own for a unit under
 * suspicion.
 */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { workerUrl } from '../worker-url.ts';
import type { Kind } from './kinds.ts';

/** The request to the process for one unit. */
export interface LoneUnit {
  readonly file: string;
  readonly name: string;
  readonly task: unknown;
}

/** Its answer. */
export type LoneEnd = { readonly result: unknown } | { readonly error: string };

export class Crew {
  readonly #pool: Piscina;
  readonly #end = new AbortController();

  constructor(threads: number) {
    this.#pool = new Piscina({ minThreads: threads, maxThreads: threads });
  }

  /** Throws the unit's error, also when it ends its thread. */
  async run({ file, name }: Kind, task: unknown): Promise<unknown> {
    return this.#pool.run(task, { filename: file, name, signal: this.#end.signal });
  }

  /** As `run` does, but whatever it does to its process is done to no other unit. */
  async runAlone({ file, name }: Kind, task: unknown): Promise<unknown> {
    const child = fork(fileURLToPath(workerUrl('lone-unit')), {
      serialization: 'advanced',
      signal: this.#end.signal,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const end = await new Promise<LoneEnd>((resolve) => {
      child.once('message', (message) => resolve(message as LoneEnd));
      child.once('error', (error) => resolve({ error: String(error) }));
      child.once('exit', (code, signal) =>
        resolve({ error: `its process ended by ${signal ?? `exit code ${code}`}` }),
      );
      child.send({ file, name, task } satisfies LoneUnit);
    });
    child.kill('SIGKILL');
    if ('result' in end) return end.result;
    throw new Error(end.error);
  }

  /** Running units are dropped. */
  async destroy(): Promise<void> {
    this.#end.abort();
    await this.#pool.destroy();
  }
}
