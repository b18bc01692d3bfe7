/**
 * Resumable work: its plan and the results of its units, in an SQLite database: a file, or in
 * memory. Each unit is one transaction, or some are: a killed process loses only the last ones.
 */

import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { UserError } from './errors.ts';

/** A part of the work that is run separately: `index` of `of`, from 1. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

const WHOLE: Shard = { index: 1, of: 1 };

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

export abstract class Ledger<Plan, UnitId extends number | string = number> {
  readonly plan: Plan;
  readonly shard: Shard;
  protected readonly db: DatabaseSync;
  readonly #name: string;

  /**
   * To begin or resume, with `plan`; or without one, to read it. `path`: undefined for memory.
   * Throws UserError for a file that is something else, damaged, in use, or the ledger of another
   * plan; without a plan also for one that does not exist.
   */
  protected constructor(
    path: string | undefined,
    kind: LedgerKind<Plan>,
    plan?: Plan,
    shard: Shard = WHOLE,
  ) {
    this.#name = path ?? ':memory:';
    if (existsSync(`${this.#name}/`)) {
      throw new UserError(`${path} is a folder, and a ledger is a file`);
    }
    if (plan === undefined && !existsSync(this.#name)) {
      throw new UserError(`${path}: there is no such ledger`);
    }
    this.db = this.guarded(() => new DatabaseSync(this.#name));
    try {
      this.guarded(() => (plan === undefined ? this.#check(kind) : this.#begin(kind, plan, shard)));
      const [row] = this.all<{ plan: string; shard: number; shards: number }>(
        `SELECT * FROM ${kind.planTable}`,
      );
      this.plan = this.parsed<Plan>(row!.plan);
      this.shard = { index: row!.shard, of: row!.shards };
      if (plan !== undefined) this.#mustBeOf(kind, plan, shard);
    } catch (error) {
      this.db.close();
      throw error;
    }
  }

  /** The units in it, by number. */
  get done(): ReadonlySet<UnitId> {
    return new Set(this.all<{ id: UnitId }>('SELECT id FROM unit').map(({ id }) => id));
  }

  close(): void {
    if (this.db.isOpen) this.db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected all<Row>(query: string): Row[] {
    return this.guarded(() => this.db.prepare(query).all() as unknown[] as Row[]);
  }

  /** JSON of a row. Throws UserError for what is none: the file is damaged. */
  protected parsed<T>(json: string): T {
    return this.sound(() => JSON.parse(json) as T);
  }

  /** Reads a row. Throws UserError if that fails: the file is damaged. */
  protected sound<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw new UserError(damaged(this.#name, (error as Error).message));
    }
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

  /** An error of SQLite's is not our bug. */
  protected guarded<T>(work: () => T): T {
    const name = this.#name;
    try {
      return work();
    } catch (error) {
      const { errcode, errstr } = error as { readonly errcode?: number; readonly errstr?: string };
      if (errcode === undefined) throw error;
      if (errcode === SQLITE_BUSY) {
        throw new UserError(`${name}: another process uses this ledger`);
      }
      if (errcode === SQLITE_CORRUPT || errcode === SQLITE_NOTADB) {
        throw new UserError(olderVersion(name) ?? damaged(name, String(errstr)));
      }
      throw new UserError(`${name}: the ledger cannot be used (${errstr})`);
    }
  }

  #begin(kind: LedgerKind<Plan>, plan: Plan, { index, of }: Shard): void {
    const { db } = this;
    // Two processes on one ledger would do the same units.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE');
    if (db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()!['n'] === 0) {
      const { planTable, tables, applicationId, version } = kind;
      db.exec(`
        CREATE TABLE ${planTable} (
          plan TEXT NOT NULL, shard INTEGER NOT NULL, shards INTEGER NOT NULL
        ) STRICT;
        ${tables}
        PRAGMA application_id = ${applicationId};
        PRAGMA user_version = ${version};
      `);
      db.prepare(`INSERT INTO ${planTable} VALUES (?, ?, ?)`).run(JSON.stringify(plan), index, of);
    } else this.#check(kind);
    db.exec('COMMIT');
  }

  /** Whether it is a ledger, and intact. */
  #check({ applicationId, version, maker }: LedgerKind<Plan>): void {
    const name = this.#name;
    const pragma = (pragmaName: string): unknown =>
      Object.values(this.db.prepare(`PRAGMA ${pragmaName}`).get()!)[0];
    if (pragma('application_id') !== applicationId) {
      throw new UserError(`${name} is a database, but no ledger: ${maker} makes them`);
    }
    if (pragma('user_version') !== version) {
      throw new UserError(
        `${name} is a ledger of another version of umbra: start again, with another`,
      );
    }
    // SQLite reads what is missing of the last page as zeros.
    if (statSync(name).size % Number(pragma('page_size')) !== 0) {
      throw new UserError(damaged(name, 'it is cut short'));
    }
    const found = pragma('quick_check');
    if (found !== 'ok') throw new UserError(damaged(name, String(found)));
  }

  #mustBeOf({ differenceOf, is, out }: LedgerKind<Plan>, plan: Plan, { index, of }: Shard): void {
    const there = this.shard;
    const difference =
      index === there.index && of === there.of
        ? differenceOf(this.plan, plan)
        : `shard ${there.index}/${there.of} there, ${index}/${of} here`;
    if (difference === undefined) return;
    throw new UserError(
      `${this.#name} is the ledger of another ${is}: ${difference}; give --out another ` +
        `${out}, or what it was begun with`,
    );
  }
}

const damaged = (name: string, found: string): string =>
  `${name}: no ledger, or a damaged one (${found}); give another, or delete it and start again`;

/** Studies and sweeps had lines of JSON, the first of them with the version; searches a line. */
function olderVersion(name: string): string | undefined {
  const file = openSync(name, 'r');
  const head = new Uint8Array(4096);
  const length = readSync(file, head, 0, head.length, 0);
  closeSync(file);
  const text = new TextDecoder().decode(head.subarray(0, length));
  const found = /^\{.*"version":"([^"]*)".*\}\n|^\{"kind":"umbra (verify)"/.exec(text);
  return found === null
    ? undefined
    : `${name} is a ledger of umbra ${found[1] ?? found[2]}, in its earlier form: delete it and ` +
        'start again';
}

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
