/** A worker's heartbeat: one statement that reports it alive, and asks for work. */

import { ENGINE_VERSION } from '../explore/token.ts';
import type { Queue } from './queue.ts';
import { JOBS_SCHEMA } from './schema.ts';

export interface Beat {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  /** Units that it does at a time, that it is doing, and that it has done. */
  readonly jobs: number;
  readonly busy: number;
  readonly units: number;
  /** Plans that it leaves to others. */
  readonly refused: readonly string[];
}

export interface Heard {
  /** Plans of this engine of which units wait. */
  readonly ready: readonly { readonly id: string; readonly weight: number }[];
  /** Open plans that this worker takes part in, though other workers may hold what is left. */
  readonly left: number;
  /** So many units more could be at work elsewhere. */
  readonly hungry: number;
  /** Plans with expired claims, which this worker has to release. */
  readonly lapsed: readonly string[];
}

/** A worker without a heartbeat for so long counts as dead. */
export const QUIET = "interval '10 seconds'";

/** The shortest interval between checks for expired claims, by any worker. */
const SUPERVISE = "interval '5 seconds'";

/** A plan is done when all its units are, or are not tried any more. */
const IS_DONE = `
  (SELECT count(*) FROM umbra.unit u WHERE u.plan = p.id)
    + (SELECT count(*) FROM umbra.death d WHERE d.plan = p.id AND d.buried IS NOT NULL) >= p.units`;

const OPEN = "p.state = 'open' AND p.engine = $8 AND p.id <> ALL($9::uuid[])";

const BEAT = `
  WITH me AS (
    INSERT INTO umbra.worker (id, host, pid, version, jobs, busy, units)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (id) DO UPDATE SET beat = now(), busy = excluded.busy, units = excluded.units,
      stopped = NULL
  ), waiting AS (
    SELECT p.id, p.weight FROM umbra.plan p WHERE ${OPEN} AND EXISTS (
      SELECT 1 FROM ${JOBS_SCHEMA}.job j
      WHERE j.name = 'umbra-' || p.id AND j.state < 'active' AND j.start_after <= now()
    )
  ), finished AS (
    UPDATE umbra.plan p SET state = 'done', ended = now()
    WHERE $6 < $5 AND ${OPEN} AND p.id NOT IN (SELECT id FROM waiting) AND ${IS_DONE}
    RETURNING 1
  ), lapsed AS (
    SELECT p.id::text FROM umbra.plan p WHERE p.state = 'open' AND EXISTS (
      SELECT 1 FROM ${JOBS_SCHEMA}.job j WHERE j.name = 'umbra-' || p.id AND j.state = 'active'
        AND j.heartbeat_on + j.heartbeat_seconds * interval '1 second' < now()
    )
  ), supervisor AS (
    UPDATE umbra.about SET supervised = now()
    WHERE supervised < now() - ${SUPERVISE} AND EXISTS (SELECT 1 FROM lapsed)
    RETURNING 1
  )
  SELECT
    coalesce((SELECT json_agg(waiting) FROM waiting), '[]') AS ready,
    (
      (SELECT count(*) FROM umbra.plan p WHERE ${OPEN}) - (SELECT count(*) FROM finished)
    )::int AS "left",
    (
      SELECT coalesce(sum(w.jobs - w.busy), 0)::int FROM umbra.worker w
      WHERE w.stopped IS NULL AND w.beat > now() - ${QUIET} AND w.id <> $1
    ) AS hungry,
    ARRAY(SELECT lapsed.id FROM lapsed, supervisor) AS lapsed`;

export async function beat({ database }: Queue, one: Beat): Promise<Heard> {
  const { rows } = await database.query(BEAT, [
    ...[one.id, one.host, one.pid, one.version, one.jobs, one.busy, one.units],
    ...[ENGINE_VERSION, one.refused],
  ]);
  return rows[0] as unknown as Heard;
}
