/**
 * A worker's claims on units: taken, kept alive, settled with their results in one transaction,
 * released, and moved to the dead letters when a unit has killed its workers.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../errors.ts';
import { isPassing, type Sql } from './database.ts';
import { type Kind, packed, Split } from './kinds.ts';
import { type JobData, jobOf, named } from './plan.ts';
import { DEAD, jobQueue, Queue } from './queue.ts';

/** A unit, handed to this worker. */
export interface Claim {
  readonly plan: string;
  readonly id: string;
  readonly place: number | null;
  /** Packed. */
  readonly task: Buffer;
  /** Which handing out it is: another worker's claim on the unit has another. */
  readonly retryCount: number;
  /** The last worker was not heard of any more while it had it. */
  readonly vanished: boolean;
}

export interface Done {
  readonly claim: Claim;
  readonly kind: Kind;
  readonly result: unknown;
  readonly seconds: number;
}

/** Of how often workers died at a unit. */
export interface Deaths {
  /** Its thread or its process ended while the worker looked on. */
  readonly seen: number;
  /** The worker was not heard of any more: of the unit, or of something else. */
  readonly vanished: number;
}

/** As pg-boss says that the heartbeat stopped. */
const HEARTBEAT_LOST = 'job heartbeat timeout';

/** The number of lost workers after which a unit is blamed. */
const MOST_VANISHED = 5;

/** The second that was seen to end, or that was seen to after one was lost. */
export const isKiller = ({ seen, vanished }: Deaths): boolean =>
  (seen > 0 && seen + vanished >= 2) || vanished >= MOST_VANISHED;

/** Up to `most` units of a plan. */
export async function claim({ boss }: Queue, plan: string, most: number): Promise<Claim[]> {
  const jobs = await boss.fetch<JobData>(jobQueue(plan), {
    batchSize: most,
    includeMetadata: true,
  });
  return jobs.map(({ id, data, retryCount, output }) => ({
    plan,
    id,
    place: data.place,
    task: Buffer.from(data.task, 'base64'),
    retryCount,
    vanished:
      (output as { value?: { message?: string } } | null)?.value?.message === HEARTBEAT_LOST,
  }));
}

const byPlan = <T>(some: readonly T[], planOf: (one: T) => string): [string, T[]][] => [
  ...Map.groupBy(some, planOf),
];

/** The claims are still held. */
export async function keepAlive({ boss }: Queue, claims: readonly Claim[]): Promise<void> {
  for (const [plan, own] of byPlan(claims, (one) => one.plan))
    await boss.touch(jobQueue(plan), own);
}

/** Others may take them at once. */
export async function giveBack({ boss }: Queue, claims: readonly Claim[]): Promise<void> {
  for (const [plan, own] of byPlan(claims, (one) => one.plan)) {
    await boss.fail(jobQueue(plan), own, { givenBack: true });
  }
}

/**
 * Store results and mark the units done, in one transaction. Results that are in the database
 * already stay. `worker`: the worker that did them.
 */
export async function settle(queue: Queue, all: readonly Done[], worker: string): Promise<void> {
  await queue.database.transaction(async (sql) => {
    for (const [plan, done] of byPlan(all, ({ claim }) => claim.plan)) {
      const rows = done.map(({ claim, kind, result, seconds }) => {
        const own = result instanceof Split ? result.result : result;
        const { size, failures, says, token } = kind.tell(own as never);
        return {
          id: claim.id,
          place: claim.place,
          size,
          failures,
          seconds,
          says: says === undefined ? null : printable(says),
          token: token ?? null,
          result: packed(own).toString('hex'),
          // For a plan's own units, the reader of results has the tasks.
          task: claim.place === null ? claim.task.toString('hex') : null,
        };
      });
      const { rows: fresh } = await sql.query<{ id: string }>(
        `INSERT INTO umbra.unit
           (plan, id, place, task, result, size, failures, says, token, seconds, worker)
         SELECT $1, id, place, decode(task, 'hex'), decode(result, 'hex'), size, failures, says,
           token,           seconds, $3
         FROM json_to_recordset($2::json) AS u (id uuid, place int, task text, result text,
           size int,           failures int, says text, token text, seconds real)
         -- Of a plan that was purged meanwhile nothing is kept.
         WHERE EXISTS (SELECT 1 FROM umbra.plan WHERE id = $1 FOR KEY SHARE)
         ON CONFLICT DO NOTHING RETURNING id`,
        [plan, JSON.stringify(rows), worker],
      );
      const isFresh = new Set(fresh.map(({ id }) => id));
      await queue.boss.complete(
        jobQueue(plan),
        done.map(({ claim }) => claim),
        null,
        Queue.in(sql),
      );
      await handOn(
        queue,
        sql,
        plan,
        done.filter(({ claim }) => isFresh.has(claim.id)),
      );
      if (rows.some(({ failures }) => failures > 0)) {
        await sql.query(
          `UPDATE umbra.plan SET state = 'cancelled', ended = now()
           WHERE id = $1 AND until_failure AND state = 'open'`,
          [plan],
        );
      }
    }
  });
}

/** What guests say has bytes that PostgreSQL takes in no text. */
const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, '·');

/** What units have given away becomes units of its own. */
async function handOn(queue: Queue, sql: Sql, plan: string, done: readonly Done[]): Promise<void> {
  const jobs = done.flatMap(({ claim, result }) =>
    result instanceof Split
      ? result.rest.map((task, i) => jobOf(named(claim.id, String(i)), null, task))
      : [],
  );
  if (jobs.length === 0) return;
  await queue.boss.insert(jobQueue(plan), jobs, Queue.in(sql));
  await sql.query('UPDATE umbra.plan SET units = units + $2 WHERE id = $1', [plan, jobs.length]);
}

const TRIES = 20;

/**
 * The same, before the worker ends, again and again for ten seconds where the database is lost. Throws UserError
 * where it stays lost; the claims lapse, and other workers run the units again.
 */
export async function settleAtLast(
  queue: Queue,
  all: readonly Done[],
  worker: string,
  betweenTriesMs = 500,
): Promise<void> {
  for (let left = TRIES; ; left--) {
    try {
      return await settle(queue, all, worker);
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (left === 0) {
        throw new UserError(
          `the database is lost (${(error as Error).message}): ${all.length} finished units were ` +
            'not reported, and other workers run them again',
        );
      }
      await delay(betweenTriesMs);
    }
  }
}

/** A worker died at it, seen or not. Returns how often by now. */
export async function countDeath(
  { database }: Queue,
  { plan, id, place }: Claim,
  says: string,
  wasSeen: boolean,
): Promise<Deaths> {
  const { rows } = await database.query<{ seen: number; vanished: number }>(
    `INSERT INTO umbra.death (plan, unit, place, seen, vanished, says)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (plan, unit) DO UPDATE SET seen = death.seen + excluded.seen,
       vanished = death.vanished + excluded.vanished,
       says = CASE WHEN excluded.seen > 0 THEN excluded.says ELSE death.says END
     RETURNING seen, vanished`,
    [plan, id, place, Number(wasSeen), Number(!wasSeen), printable(says)],
  );
  return rows[0]!;
}

/** Give the unit up: move it to the dead letters, where it is reported as a finding. */
export async function bury({ database, boss }: Queue, claim: Claim): Promise<void> {
  const { plan, id, place, task, retryCount } = claim;
  await database.transaction(async (sql) => {
    await sql.query('UPDATE umbra.death SET buried = now() WHERE plan = $1 AND unit = $2', [
      plan,
      id,
    ]);
    await boss.cancel(jobQueue(plan), [{ id, retryCount }], Queue.in(sql));
    const data = { plan, place, task: task.toString('base64') };
    await boss.insert(DEAD, [{ id: named(id, 'dead'), data }], Queue.in(sql));
  });
}
