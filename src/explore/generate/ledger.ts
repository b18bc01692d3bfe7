/** What was tried so far, in an SQLite database: a file, or in memory. A unit comes in whole or not at all. */

import type { DatabaseSync } from 'node:sqlite';
import { UserError } from '../../errors.ts';
import type { Shard } from '../campaign/plan.ts';
import { check, type DatabaseKind, guarded, isEmpty, opened } from '../database.ts';
import { differenceOf, type GeneratePlan, type GenerateUnit } from './plan.ts';
import type { Find, UnitResult } from './unit.ts';

const KIND: DatabaseKind = {
  applicationId: 0x756d_6267,
  version: 1,
  maker: 'umbra generate --out',
};

const TABLES = `
  CREATE TABLE plan (plan TEXT NOT NULL, shard INTEGER NOT NULL, shards INTEGER NOT NULL) STRICT;
  CREATE TABLE unit (
    id INTEGER PRIMARY KEY, space INTEGER NOT NULL, programs INTEGER NOT NULL,
    schedules INTEGER NOT NULL, steps INTEGER NOT NULL, failed INTEGER NOT NULL,
    blocked INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE find (
    unit INTEGER NOT NULL, place INTEGER NOT NULL, find TEXT NOT NULL, PRIMARY KEY (unit, place)
  ) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${KIND.applicationId};
  PRAGMA user_version = ${KIND.version};
`;

/** Of one space of the plan. */
export interface SpaceTotals {
  readonly space: number;
  readonly programs: number;
  readonly schedules: number;
  readonly blocked: number;
  readonly steps: number;
  readonly failed: number;
}

export interface KeptFind extends Find {
  readonly unit: number;
  readonly space: number;
}

export class GenerateLedger {
  readonly #name: string;
  readonly #db: DatabaseSync;
  readonly #plan: GeneratePlan;

  private constructor(name: string, db: DatabaseSync, plan: GeneratePlan) {
    this.#name = name;
    this.#db = db;
    this.#plan = plan;
  }

  /** Throws UserError for a file that is something else, damaged, in use, or of another plan. */
  static open(path: string | undefined, plan: GeneratePlan, shard: Shard): GenerateLedger {
    const name = path ?? ':memory:';
    return opened(name, (db) => {
      db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE');
      if (isEmpty(db)) {
        db.exec(TABLES);
        db.prepare('INSERT INTO plan VALUES (?, ?, ?)').run(
          ...[JSON.stringify(plan), shard.index, shard.of],
        );
      } else {
        check(name, db, KIND);
        refuseAnother(name, db, plan, shard);
      }
      db.exec('COMMIT');
      return new GenerateLedger(name, db, plan);
    });
  }

  get done(): ReadonlySet<number> {
    return new Set(this.#all<{ id: number }>('SELECT id FROM unit').map(({ id }) => id));
  }

  record({ id, space }: GenerateUnit, result: UnitResult): void {
    guarded(this.#name, () => {
      const { programs, schedules, steps, failed, blocked, finds } = result;
      const db = this.#db;
      db.exec('BEGIN');
      db.prepare('INSERT INTO unit VALUES (?, ?, ?, ?, ?, ?, ?)').run(
        ...[id, this.#plan.spaces.indexOf(space), programs, schedules, steps, failed, blocked],
      );
      const add = db.prepare('INSERT INTO find VALUES (?, ?, ?)');
      for (const [place, find] of finds.entries()) add.run(id, place, JSON.stringify(find));
      db.exec('COMMIT');
    });
  }

  totals(): SpaceTotals[] {
    return this.#all(
      `SELECT space, sum(programs) AS programs, sum(schedules) AS schedules, sum(steps) AS steps,
         sum(failed) AS failed, sum(blocked) AS blocked FROM unit GROUP BY space ORDER BY space`,
    );
  }

  finds(): KeptFind[] {
    const rows = this.#all<{ unit: number; space: number; find: string }>(
      'SELECT unit, space, find FROM find JOIN unit ON unit.id = find.unit ORDER BY unit, place',
    );
    return rows.map(({ unit, space, find }) => ({ ...(JSON.parse(find) as Find), unit, space }));
  }

  close(): void {
    this.#db.close();
  }

  #all<Row>(query: string): Row[] {
    return guarded(this.#name, () => this.#db.prepare(query).all() as unknown[] as Row[]);
  }
}

function refuseAnother(name: string, db: DatabaseSync, plan: GeneratePlan, shard: Shard): void {
  const kept = db.prepare('SELECT * FROM plan').get() as {
    [column in 'plan' | 'shard' | 'shards']: never;
  };
  const isSameShard = kept.shard === shard.index && kept.shards === shard.of;
  const difference = isSameShard
    ? differenceOf(JSON.parse(kept.plan) as GeneratePlan, plan)
    : `shard ${kept.shard}/${kept.shards} there, ${shard.index}/${shard.of} here`;
  if (difference === undefined) return;
  throw new UserError(
    `${name} is the ledger of another search: ${difference}; give --out another folder, or what ` +
      'it was begun with',
  );
}
