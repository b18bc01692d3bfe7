/**
 * A file that one process at a time works on. The lock is a database beside it, as ledgers are:
 * the system releases it when the process ends, in whichever way.
 */

import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { UserError } from '../errors.ts';
import { statOf, wholeFile } from '../files.ts';

const SQLITE_BUSY = 5;

/** Until it is disposed of. Throws UserError if another process has it. Not for pipes, devices. */
export function lockedFile(path: string): Disposable {
  const { target, special } = wholeFile(path);
  if (special) return { [Symbol.dispose]: () => {} };
  const name = `${target}.lock`;
  for (;;) {
    const before = statOf(name)?.ino;
    const db = locked(name, path);
    // Else another process had it until now, and has removed the file.
    if (before !== undefined && statOf(name)?.ino === before) {
      return {
        [Symbol.dispose]: () => {
          rmSync(name, { force: true });
          db.close();
        },
      };
    }
    db.close();
  }
}

function locked(name: string, path: string): DatabaseSync {
  const db = new DatabaseSync(name);
  try {
    // With no file of a journal, which a killed process would leave.
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db.close();
    if ((error as { readonly errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new UserError(`${path}: another process uses this file`);
  }
}
