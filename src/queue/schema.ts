/**
 * The tables of a queue besides those of pg-boss: plans with their files, results of units,
 * workers, and units that killed their workers. A row of `unit` exists once the unit is done.
 */

import { UserError } from '../errors.ts';
import type { Database, Sql } from './database.ts';

/** Raised with each change of the tables, or of a unit's task or result. */
export const QUEUE_VERSION = 1;

/** pg-boss has a schema of its own. */
export const JOBS_SCHEMA = 'umbra_jobs';

const TABLES = `
  CREATE SCHEMA umbra;
  CREATE TABLE umbra.about (version int NOT NULL, supervised timestamptz NOT NULL DEFAULT 'epoch');
  CREATE TABLE umbra.plan (
    id uuid PRIMARY KEY, kind text NOT NULL, title text NOT NULL, engine int NOT NULL,
    plan text NOT NULL, units int NOT NULL, weight real NOT NULL, until_failure boolean NOT NULL,
    round int, state text NOT NULL DEFAULT 'open', created timestamptz NOT NULL DEFAULT now(),
    ended timestamptz, next_seed bigint, rounds int NOT NULL DEFAULT 0
  );
  CREATE TABLE umbra.file (
    plan uuid NOT NULL, path text NOT NULL, digest text NOT NULL, text text NOT NULL,
    PRIMARY KEY (plan, path)
  );
  CREATE TABLE umbra.unit (
    plan uuid NOT NULL, id uuid NOT NULL, place int, task bytea, result bytea NOT NULL,
    size int NOT NULL, failures int NOT NULL, says text, token text, seconds real NOT NULL,
    worker uuid NOT NULL, done timestamptz NOT NULL DEFAULT now(), seq bigserial NOT NULL,
    PRIMARY KEY (plan, id)
  );
  CREATE INDEX unit_seq ON umbra.unit (plan, seq);
  CREATE INDEX unit_failed ON umbra.unit (plan, seq) WHERE failures > 0;
  CREATE TABLE umbra.death (
    plan uuid NOT NULL, unit uuid NOT NULL, place int, seen int NOT NULL, vanished int NOT NULL,
    says text NOT NULL, buried timestamptz, PRIMARY KEY (plan, unit)
  );
  CREATE TABLE umbra.worker (
    id uuid PRIMARY KEY, host text NOT NULL, pid int NOT NULL, version text NOT NULL,
    jobs int NOT NULL, busy int NOT NULL, units int NOT NULL,
    started timestamptz NOT NULL DEFAULT now(), beat timestamptz NOT NULL DEFAULT now(),
    stopped timestamptz
  );
  CREATE TABLE umbra.token (
    token text PRIMARY KEY, text text NOT NULL, says text NOT NULL, round int NOT NULL,
    checked text NOT NULL, still text NOT NULL
  );
  CREATE TABLE umbra.round (
    round int PRIMARY KEY, title text NOT NULL, version text NOT NULL, plans text NOT NULL,
    schedules bigint NOT NULL DEFAULT 0, failures int NOT NULL DEFAULT 0, notes text[],
    began timestamptz NOT NULL DEFAULT now(), ended timestamptz
  );
  INSERT INTO umbra.about VALUES (${QUEUE_VERSION});
`;

/** Any number; the same for all processes that create tables. */
const MAKING = 0x756d6272;

/** The tables are there when this is done. Throws UserError for those of another version. */
export async function makeTables(database: Database): Promise<void> {
  try {
    await database.transaction(async (sql) => {
      await sql.query(`SELECT pg_advisory_xact_lock(${MAKING})`);
      if (!(await hasTables(sql))) await sql.query(TABLES);
    });
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') throw error;
    throw new UserError(
      `the user of the queue may not make tables (${(error as Error).message}): give one who may ` +
        'create schemas in the database',
    );
  }
  const { rows } = await database.query<{ version: number }>('SELECT version FROM umbra.about');
  const { version } = rows[0]!;
  if (version === QUEUE_VERSION) return;
  throw new UserError(
    `the queue is of version ${version}, and this umbra has version ${QUEUE_VERSION}: give ` +
      `another ` +
      'database, or drop the schemas umbra and umbra_jobs in this one',
  );
}

export async function hasTables(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query("SELECT to_regclass('umbra.about') IS NOT NULL AS are");
  return rows[0]!['are'];
}
