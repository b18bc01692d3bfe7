/** SQLite databases in which work is kept that goes on another day: opened, looked at, told what is wrong. */

import { DatabaseSync } from 'node:sqlite';
import { UserError } from '../errors.ts';

export interface DatabaseKind {
  /** Four letters. */
  readonly applicationId: number;
  /** Of the tables: 0 if there was never another. */
  readonly version?: number;
  /** The command that makes them. */
  readonly maker: string;
}

/** What is made of a database, which is closed again if that goes wrong. */
export function opened<T>(name: string, make: (db: DatabaseSync) => T): T {
  return guarded(name, () => {
    const db = new DatabaseSync(name);
    try {
      return make(db);
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

export const isEmpty = (db: DatabaseSync): boolean =>
  db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()!['n'] === 0;

/** Whether it is a ledger, and whole. */
export function check(
  name: string,
  db: DatabaseSync,
  { applicationId, version = 0, maker }: DatabaseKind,
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

/** What SQLite complains of is not our bug. */
export function guarded<T>(name: string, work: () => T): T {
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
