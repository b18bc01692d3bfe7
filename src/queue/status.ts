/** The status of a queue: progress of plans, workers, speed and failures; and as a line. */

import { counted, duration, grouped, perSecond } from '../numbers.ts';
import { type Beat, QUIET } from './beat.ts';
import type { Queue } from './queue.ts';
import { buriedUnits, type PlanState, planStates } from './results.ts';

/** A worker's last heartbeat. */
export type WorkerState = Omit<Beat, 'id' | 'refused'>;

export interface FailureSeen {
  readonly seq: string;
  readonly place: number | null;
  readonly says: string | null;
  readonly token: string | null;
  readonly done: Date;
}

/** A plan at one moment. */
export interface Snapshot {
  readonly plan: PlanState;
  /** Those that are heard of, whatever they are at. */
  readonly workers: readonly WorkerState[];
  /** Units a second, of late; undefined before anything is known. */
  readonly rate: number | undefined;
  /** Units in which something went wrong: some of the last, the newest first. */
  readonly failed: readonly FailureSeen[];
  /** Units that are not tried any more, in words. */
  readonly killers: readonly string[];
}

/** Seconds and units that a rate looks back. */
const SPAN = 30;
const MOST_LOOKED_AT = 20_000;

/** Undefined of a plan that is gone. */
export async function snapshotOf(
  queue: Queue,
  id: string,
  mostFailed = 20,
): Promise<Snapshot | undefined> {
  const [plan] = await planStates(queue, id);
  if (plan === undefined) return undefined;
  const { database } = queue;
  const failed =
    plan.failures === 0
      ? []
      : (
          await database.query<FailureSeen>(
            `SELECT seq, place, says, token, done FROM umbra.unit
             WHERE plan = $1 AND failures > 0 ORDER BY seq DESC LIMIT $2`,
            [id, mostFailed],
          )
        ).rows;
  return {
    plan,
    failed,
    workers: await workersOf(queue),
    rate: await rateOf(queue, plan),
    killers: plan.buried === 0 ? [] : await buriedUnits(queue, id),
  };
}

export async function workersOf({ database }: Queue): Promise<WorkerState[]> {
  const { rows } = await database.query<WorkerState>(
    `SELECT host, pid, version, jobs, busy, units FROM umbra.worker
     WHERE stopped IS NULL AND beat > now() - ${QUIET} ORDER BY host, pid`,
  );
  return rows;
}

async function rateOf({ database }: Queue, { id, ended }: PlanState): Promise<number | undefined> {
  if (ended !== null) return undefined;
  const { rows } = await database.query<{ n: number; span: number | null }>(
    `SELECT count(*)::int AS n, extract(epoch FROM now() - min(done))::real AS span
     FROM (SELECT done FROM umbra.unit WHERE plan = $1 ORDER BY seq DESC LIMIT ${MOST_LOOKED_AT}) u
     WHERE done > now() - interval '${SPAN} seconds'`,
    [id],
  );
  const { n, span } = rows[0]!;
  return span === null || span < 0.5 ? undefined : n / span;
}

/** What matters most comes first: a narrow terminal shows no more. */
export function statusLine({ plan, workers, rate }: Snapshot): string {
  const { done, units, failures, buried } = plan;
  const busy = workers.reduce((n, one) => n + one.busy, 0);
  return [
    ...(failures > 0 ? [`${grouped(failures)} FAILED`] : []),
    ...(buried > 0 ? [`${grouped(buried)} GIVEN UP`] : []),
    `${grouped(done)} of ${counted(units, 'unit')}`,
    `${grouped(workers.length)} ${workers.length === 1 ? 'worker' : 'workers'} at ${grouped(busy)}`,
    ...(rate === undefined ? [] : [`${perSecond(rate)}/s`]),
    `ETA ${etaOf(plan, rate)}`,
  ].join(', ');
}

/** 1:02:03, or 2:03; a dash if unknown. */
export function etaOf({ done, units, buried }: PlanState, rate: number | undefined): string {
  const left = units - done - buried;
  if (left <= 0) return '0:00';
  if (rate === undefined || rate <= 0) return '–';
  return duration(left / rate);
}
