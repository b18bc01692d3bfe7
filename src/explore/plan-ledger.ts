/**
 * The results of a plan's units, in an SQLite database: a file, or in memory. Each unit is one
 * transaction, so a killed process loses only the units in progress.
 */

import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { UserError } from '../errors.ts';
import type { Shard } from './campaign/plan.ts';

export interface LedgerKind<Plan> {
  /** Four letters. */
  readonly applicationId: number;
  /** Of the tables. */
  readonly version: number;
  /** The command that writes it, what it is, and the argument of --out. */
  readonly maker: string;
  readonly is: string;
  readonly out: string;
  /** The table with the plan and its shard; and all others, among them `unit`. */
  readonly planTable: string;
  readonly tables: string;
  /** In words. */
  readonly differenceOf: (one: Plan, other: Plan) => string | undefined;
}

type Make<L> = (name: string, db: DatabaseSync) => L;

/**
 * Open a ledger to begin or resume. `path`: undefined for memory. Throws UserError for a file that
 * is something else, damaged, in use, or the ledger of another plan.
 */
export const openLedger = <Plan, L extends PlanLedger<Plan>>(
  path: string | undefined,
  kind: LedgerKind<Plan>,
  { plan, shard }: { readonly plan: Plan; readonly shard: Shard },
  make: Make<L>,
): L =>
  opened(path ?? ':memory:', (name, db) => {
    // Two processes on one ledger would do the same units.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE');
    if (isEmpty(db)) {
      const { planTable, tables, applicationId, version } = kind;
      db.exec(`
        CREATE TABLE ${planTable} (plan TEXT NOT NULL, shard INTEGER NOT NULL, shards INTEGER NOT NULL) STRICT;
        ${tables}
        PRAGMA application_id = ${applicationId};
        PRAGMA user_version = ${version};
      `);
      const begin = db.prepare(`INSERT INTO ${planTable} VALUES (?, ?, ?)`);
      begin.run(JSON.stringify(plan), shard.index, shard.of);
    } else check(name, db, kind);
    db.exec('COMMIT');
    const ledger = make(name, db);
    const { index, of } = ledger.shard;
    const difference =
      index === shard.index && of === shard.of
        ? kind.differenceOf(ledger.plan, plan)
        : `shard ${index}/${of} there, ${shard.index}/${shard.of} here`;
    if (difference === undefined) return ledger;
    throw new UserError(
      `${name} is the ledger of another ${kind.is}: ${difference}; give --out another ` +
        `${kind.out}, or what it was begun with`,
    );
  });

/** Open an existing one, to read it. Throws UserError as `openLedger` does. */
export function readLedger<L>(path: string, kind: LedgerKind<never>, make: Make<L>): L {
  if (!existsSync(path)) throw new UserError(`${path}: there is no such ledger`);
  return opened(path, (name, db) => {
    check(name, db, kind);
    return make(name, db);
  });
}

export abstract class PlanLedger<Plan> {
  readonly plan: Plan;
  readonly shard: Shard;
  protected readonly db: DatabaseSync;
  readonly #name: string;

  constructor(name: string, db: DatabaseSync, planTable: string) {
    this.#name = name;
    this.db = db;
    const { plan, shard, shards } = db.prepare(`SELECT * FROM ${planTable}`).get() as {
      [column in 'plan' | 'shard' | 'shards']: never;
    };
    this.plan = JSON.parse(plan);
    this.shard = { index: shard, of: shards };
  }

  /** The units in it, by number. */
  get done(): ReadonlySet<number> {
    return new Set(this.all<{ id: number }>('SELECT id FROM unit').map(({ id }) => id));
  }

  close(): void {
    this.db.close();
  }

  protected all<Row>(query: string): Row[] {
    return this.guarded(() => this.db.prepare(query).all() as unknown[] as Row[]);
  }

  /** As one transaction. */
  protected atOnce<T>(work: () => T): T {
    return this.guarded(() => {
      this.db.exec('BEGIN');
      const result = work();
      this.db.exec('COMMIT');
      return result;
    });
  }

  protected guarded<T>(work: () => T): T {
    return guarded(this.#name, work);
  }
}

/** Use a database, and close it again if that throws. */
const opened = <L>(name: string, make: Make<L>): L =>
  guarded(name, () => {
    const db = new DatabaseSync(name);
    try {
      return make(name, db);
    } catch (error) {
      db.close();
      throw error;
    }
  });

const isEmpty = (db: DatabaseSync): boolean =>
  db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()!['n'] === 0;

/** Whether it is a ledger, and intact. */
function check(
  name: string,
  db: DatabaseSync,
  { applicationId, version, maker }: LedgerKind<never>,
): void {
  const pragma = (pragmaName: string): unknown =>
    Object.values(db.prepare(`PRAGMA ${pragmaName}`).get()!)[0];
  if (pragma('application_id') !== applicationId) {
    throw new UserError(`${name} is a database, and no ledger: ${maker} makes them`);
  }
  if (pragma('user_version') !== version) {
    throw new UserError(`${name} is a ledger of another version of umbra: begin anew, in another`);
  }
  const found = pragma('quick_check');
  if (found !== 'ok') throw new UserError(damaged(name, String(found)));
}

const damaged = (name: string, found: string): string =>
  `${name}: no ledger, or a damaged one (${found}); give another, or delete it and begin anew`;

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** An error of SQLite's is not our bug. */
function guarded<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { errcode, errstr } = error as { readonly errcode?: number; readonly errstr?: string };
    if (errcode === undefined) throw error;
    if (errcode === SQLITE_BUSY) throw new UserError(`${name}: another campaign is at this ledger`);
    if (errcode === SQLITE_CORRUPT || errcode === SQLITE_NOTADB) {
      throw new UserError(damaged(name, String(errstr)));
    }
    throw new UserError(`${name}: the ledger cannot be used (${errstr})`);
  }
}
