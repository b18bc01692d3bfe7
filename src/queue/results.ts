/** Results, out of a queue again: as they come, or all of a plan. */

import { UserError } from '../errors.ts';
import { unpacked } from './kinds.ts';
import type { Queue } from './queue.ts';

export interface Result {
  readonly id: string;
  /** Undefined for what another unit has given away, which has its task with it. */
  readonly place: number | undefined;
  readonly task: unknown;
  readonly result: unknown;
}

interface Row {
  readonly id: string;
  readonly place: number | null;
  readonly task: Buffer | null;
  readonly result: Buffer;
  readonly seq: string;
}

const AT_ONCE = 500;

/** Those of a plan that came after a place in the order of their coming, from 0. */
export class Results {
  readonly #queue: Queue;
  readonly #plan: string;
  readonly #had = new Set<string>();
  #seq = '0';

  constructor(queue: Queue, plan: string) {
    this.#queue = queue;
    this.#plan = plan;
  }

  /**
   * New results, each once. A transaction may commit after one that began later: `fromBegin` reads
   * all again, for those that were missed.
   */
  async *next(fromBegin = false): AsyncGenerator<Result, void, void> {
    let after = fromBegin ? '0' : this.#seq;
    for (;;) {
      const { rows } = await this.#queue.database.query<Row>(
        `SELECT id, place, task, result, seq FROM umbra.unit
         WHERE plan = $1 AND seq > $2 ORDER BY seq LIMIT ${AT_ONCE}`,
        [this.#plan, after],
      );
      for (const { id, place, task, result, seq } of rows) {
        after = seq;
        if (this.#had.has(id)) continue;
        this.#had.add(id);
        yield {
          id,
          place: place ?? undefined,
          result: unpacked(result),
          task: task === null ? undefined : unpacked(task),
        };
      }
      if (rows.length < AT_ONCE) break;
    }
    this.#seq = after;
  }
}

export interface PlanState {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly state: 'open' | 'done' | 'cancelled' | 'standing';
  readonly engine: number;
  readonly units: number;
  readonly done: number;
  readonly failures: number;
  readonly size: number;
  /** Units that are not tried any more. */
  readonly buried: number;
  readonly round: number | null;
  readonly weight: number;
  readonly created: Date;
  readonly ended: Date | null;
}

/** All plans, or one, the oldest first. */
export async function planStates({ database }: Queue, id?: string): Promise<PlanState[]> {
  const { rows } = await database.query<PlanState & { readonly size: string }>(
    `SELECT p.id, kind, title, state, engine, units, round, weight, created, ended,
       coalesce(u.done, 0)::int AS done, coalesce(u.failures, 0)::int AS failures,
       coalesce(u.size, 0) AS size,
       (SELECT count(*)::int FROM umbra.death d
        WHERE d.plan = p.id AND d.buried IS NOT NULL) AS buried
     FROM umbra.plan p LEFT JOIN LATERAL (
       SELECT count(*) AS done, sum(failures) AS failures, sum(size) AS size
       FROM umbra.unit WHERE plan = p.id
     ) u ON true
     WHERE $1::uuid IS NULL OR p.id = $1 ORDER BY created, p.id`,
    [id ?? null],
  );
  return rows.map((row) => ({ ...row, size: Number(row.size) }));
}

/** A unit that is not tried any more, in words. */
export async function buriedUnits({ database }: Queue, plan: string): Promise<string[]> {
  const { rows } = await database.query<{
    name: string;
    seen: number;
    vanished: number;
    says: string;
  }>(
    `SELECT coalesce(place::text, unit::text) AS name, seen, vanished, says
     FROM umbra.death WHERE plan = $1 AND buried IS NOT NULL ORDER BY place, unit`,
    [plan],
  );
  return rows.map(
    ({ name, seen, vanished, says }) =>
      `unit ${name} killed who worked at it ${seen + vanished} times (${says}), and is not ` +
      `tried any more`,
  );
}

/** How a plan is named: by what its id begins with. */
export const shortId = (id: string): string => id.slice(0, 8);

/**
 * The plan that is meant; without a name the only one, of a kind if that is given. Throws
 * UserError.
 */
export async function findPlan(queue: Queue, name?: string, kind?: string): Promise<PlanState> {
  const all = (await planStates(queue)).filter((plan) => kind === undefined || plan.kind === kind);
  const found = all.filter(({ id }) => name === undefined || id.startsWith(name));
  const [only] = found;
  if (found.length === 1) return only!;
  const there = all.map(({ id, title }) => `${shortId(id)}  ${title}`).join('\n');
  const what = kind === undefined ? 'plan' : `plan of umbra ${kind}`;
  if (all.length === 0) throw new UserError(`there is no ${what} in the queue`);
  if (found.length === 0) throw new UserError(`there is no ${what} ${name}; there are\n${there}`);
  throw new UserError(`which ${what}? There are\n${there}`);
}
