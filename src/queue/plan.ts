/** Plans in a queue: their keys, and sending their units. */

import { createHash } from 'node:crypto';
import { ENGINE_VERSION } from '../explore/token.ts';
import { packed } from './kinds.ts';
import { JOB_QUEUE_OPTIONS, jobQueue, type Queue } from './queue.ts';
import { JOBS_SCHEMA, QUEUE_VERSION } from './schema.ts';

/** A file that units need, as it was when the plan was made. */
export interface PlanFile {
  readonly path: string;
  /** Digest of its meaning (src/explore/litmus/meaning.ts). */
  readonly digest: string;
  readonly text: string;
}

export interface QueuedPlan {
  /** One of KINDS. */
  readonly kind: string;
  /** The command that made it. */
  readonly title: string;
  /** Everything that its units' results depend on, as JSON. */
  readonly plan: unknown;
  readonly files: readonly PlanFile[];
  readonly untilFailure?: boolean;
  /** Of open plans those of more weight are taken from more often. */
  readonly weight?: number;
  readonly round?: number;
}

/** A unit of a plan, by its number; the task is the parameter of the kind's function. */
export interface QueuedUnit {
  readonly place: number;
  readonly task: unknown;
}

/** In pg-boss's data. */
export interface JobData {
  readonly place: number | null;
  /** Packed, in base64. */
  readonly task: string;
}

const NAMESPACE = 'c5a1ad1c-7f0e-4c1b-9f58-2f1d6d2f7c0a';

/** A UUID of version 5 (RFC 9562): the same of the same name, wherever it is made. */
export function named(namespace: string, name: string): string {
  const hash = createHash('sha1').update(Buffer.from(namespace.replaceAll('-', ''), 'hex'));
  const bytes = hash.update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export const planId = ({ kind, plan, files, round }: QueuedPlan): string =>
  named(
    NAMESPACE,
    JSON.stringify([
      ...[QUEUE_VERSION, ENGINE_VERSION, kind, plan, round ?? null],
      files.map(({ path, digest }) => [path, digest]),
    ]),
  );

export const unitId = (plan: string, place: number): string => named(plan, String(place));

/** Units that go in with one statement. */
const AT_ONCE = 500;

/**
 * Queue the units that are not done; those that wait or are claimed stay. A cancelled plan resumes.
 * `told`: called with the number handled so far.
 */
export async function enqueue(
  queue: Queue,
  plan: QueuedPlan,
  units: readonly QueuedUnit[],
  told: (units: number) => void = () => {},
): Promise<string> {
  const { database, boss } = queue;
  const id = planId(plan);
  const { kind, title, untilFailure = false, weight = 1, round = null, files } = plan;
  await boss.createQueue(jobQueue(id), JOB_QUEUE_OPTIONS);
  await database.transaction(async (sql) => {
    await sql.query(
      `INSERT INTO umbra.plan (id, kind, title, engine, plan, units, weight, until_failure, round)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       ON CONFLICT (id) DO UPDATE SET title = excluded.title, weight = excluded.weight,
         until_failure = excluded.until_failure`,
      [
        ...[id, kind, title, ENGINE_VERSION, JSON.stringify(plan.plan), units.length],
        ...[weight, untilFailure, round],
      ],
    );
    for (const { path, digest, text } of files) {
      await sql.query('INSERT INTO umbra.file VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [
        id,
        path,
        digest,
        text,
      ]);
    }
  });
  const { rows } = await database.query<{ id: string }>(
    'SELECT id FROM umbra.unit WHERE plan = $1',
    [id],
  );
  const done = new Set(rows.map((row) => row.id));
  for (let from = 0; from < units.length; from += AT_ONCE) {
    const some = units.slice(from, from + AT_ONCE);
    const jobs = some.flatMap(({ place, task }) => {
      const job = unitId(id, place);
      return done.has(job) ? [] : [jobOf(job, place, task)];
    });
    if (jobs.length > 0) await boss.insert(jobQueue(id), jobs);
    told(from + some.length);
  }
  await database.query(OPENED, [id, jobQueue(id)]);
  return id;
}

/**
 * A plan may be sent without units that are done elsewhere: its units are those ever sent.
 */
const OPENED = `
  WITH sent AS (
    SELECT count(*)::int AS units FROM (
      SELECT id FROM umbra.unit WHERE plan = $1
      UNION SELECT id FROM ${JOBS_SCHEMA}.job WHERE name = $2
    ) u
  ), ended AS (
    SELECT (SELECT count(*) FROM umbra.unit WHERE plan = $1)
      + (SELECT count(*) FROM umbra.death WHERE plan = $1 AND buried IS NOT NULL) AS units,
      EXISTS (SELECT 1 FROM umbra.unit WHERE plan = $1 AND failures > 0) AS has_failed
  )
  UPDATE umbra.plan SET units = sent.units,
    ended = CASE WHEN ended.units >= sent.units THEN coalesce(plan.ended, now()) END,
    state = CASE
    WHEN ended.units >= sent.units THEN 'done'
    WHEN until_failure AND has_failed THEN 'cancelled'
    ELSE 'open' END
  FROM sent, ended WHERE id = $1`;

export function jobOf(
  id: string,
  place: number | null,
  task: unknown,
): { id: string; data: JobData } {
  return { id, data: { place, task: packed(task).toString('base64') } };
}

/** Remove everything of a plan; results of running units are dropped. */
export async function purgePlan({ database, boss }: Queue, id: string): Promise<void> {
  await database.transaction(async (sql) => {
    for (const table of ['unit', 'death', 'file']) {
      await sql.query(`DELETE FROM umbra.${table} WHERE plan = $1`, [id]);
    }
    await sql.query('DELETE FROM umbra.plan WHERE id = $1', [id]);
  });
  await boss.deleteAllJobs(jobQueue(id));
  await boss.deleteQueue(jobQueue(id));
}
