/**
 * Units of umbra verify through a queue: this command keeps the frontier of the tree, and sends
 * each unit as soon as it is known; workers run them, and return what they have not explored.
 * Loaded only for --queue.
 */

import { createHash } from 'node:crypto';
import { UserError } from '../errors.ts';
import { parseAddress } from '../queue/address.ts';
import { again } from '../queue/again.ts';
import { packed } from '../queue/kinds.ts';
import { enqueue, jobOf, named, type QueuedPlan } from '../queue/plan.ts';
import { jobQueue, Queue } from '../queue/queue.ts';
import { buriedUnits, Results } from '../queue/results.ts';

const LOOK_MS = 300;

interface Waiting {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** What umbra verify asks of a pool. */
export class QueuePool {
  readonly #queue: Queue;
  readonly #plan: string;
  readonly #results: Results;
  readonly #waiting = new Map<string, Waiting>();
  /** Of units that were done when the same was asked for before. */
  readonly #known = new Map<string, unknown>();
  readonly #unsent: ReturnType<typeof jobOf>[] = [];
  readonly #end = new AbortController();
  #looking: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout;

  private constructor(queue: Queue, plan: string) {
    this.#queue = queue;
    this.#plan = plan;
    this.#results = new Results(queue, plan);
    this.#timer = setTimeout(() => this.#look(), 0);
  }

  static async open(address: string, plan: QueuedPlan): Promise<QueuePool> {
    const queue = await Queue.open(parseAddress(address));
    const id = await enqueue(queue, plan, []);
    // One more than there are: it is not done before this command says so.
    await queue.database.query(
      `UPDATE umbra.plan SET state = 'open', ended = NULL,
         units = 1 + (SELECT count(*) FROM umbra.unit WHERE plan = $1) WHERE id = $1`,
      [id],
    );
    const pool = new QueuePool(queue, id);
    for await (const { id: unit, result } of pool.#results.next()) pool.#known.set(unit, result);
    return pool;
  }

  /** The same task is the same unit: its results are in the database. */
  run(task: unknown, { signal }: { readonly signal: AbortSignal }): Promise<unknown> {
    const id = named(this.#plan, createHash('sha256').update(packed(task)).digest('hex'));
    if (this.#known.has(id)) return Promise.resolve(this.#known.get(id));
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#unsent.push(jobOf(id, null, task));
      signal.addEventListener('abort', () => {
        reject(Object.assign(new Error('interrupted'), { name: 'AbortError' }));
      });
    });
  }

  /** `isWhole`: nothing is left to do; else the same command goes on. */
  async close(isWhole: boolean): Promise<void> {
    this.#end.abort();
    clearTimeout(this.#timer);
    await this.#looking;
    await this.#queue.database.query(
      `UPDATE umbra.plan SET state = $2, ended = now(),
         units = (SELECT count(*) FROM umbra.unit WHERE plan = $1) WHERE id = $1`,
      [this.#plan, isWhole ? 'done' : 'cancelled'],
    );
    await this.#queue.close();
  }

  #look(): void {
    const { signal } = this.#end;
    this.#looking = again(() => this.#exchange(), { signal, told: () => {} })
      .catch((error: unknown) => {
        for (const { reject } of this.#waiting.values()) reject(error);
      })
      .then(() => {
        if (!signal.aborted) this.#timer = setTimeout(() => this.#look(), LOOK_MS);
      });
  }

  /** Send new units, and take results. */
  async #exchange(): Promise<void> {
    const { boss, database } = this.#queue;
    const jobs = this.#unsent.splice(0);
    if (jobs.length > 0) {
      try {
        await database.transaction(async (sql) => {
          await boss.insert(jobQueue(this.#plan), jobs, Queue.in(sql));
          await sql.query('UPDATE umbra.plan SET units = units + $2 WHERE id = $1', [
            this.#plan,
            jobs.length,
          ]);
        });
      } catch (error) {
        this.#unsent.unshift(...jobs);
        throw error;
      }
    }
    for await (const { id, result } of this.#results.next()) {
      this.#known.set(id, result);
      this.#waiting.get(id)?.resolve(result);
      this.#waiting.delete(id);
    }
    const buried = await buriedUnits(this.#queue, this.#plan);
    if (buried.length > 0) throw new UserError(buried.join('\n'));
  }
}
