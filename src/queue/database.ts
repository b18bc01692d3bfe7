/** The database of a queue: connection, queries, and errors in words. */

import pg from 'pg';
import { UserError } from '../errors.ts';
import { type Address, shownAddress, waysTo, withoutPassword } from './address.ts';
import { embeddedServer, stopEmbedded } from './embedded.ts';

/** A statement takes some milliseconds; one that takes so long is cancelled. */
const STATEMENT_MS = 60_000;
/** The server gave no answer at all for so long: the way there is lost, and another is made. */
const ANSWER_MS = 15_000;
const LOCK_MS = 20_000;
const CONNECT_MS = 10_000;

/** Where statements go: any connection, or that of a transaction. */
export interface Sql {
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ readonly rows: Row[]; readonly rowCount: number | null }>;
}

export interface Limits {
  /** Connections at most. */
  readonly most?: number;
  /** Until the server has answered a statement, in milliseconds. */
  readonly answerMs?: number;
}

export class Database implements Sql {
  readonly address: Address;
  readonly #url: string;
  readonly #pool: pg.Pool;

  private constructor(address: Address, url: string, pool: pg.Pool) {
    this.address = address;
    this.#url = url;
    this.#pool = pool;
  }

  /** Throws UserError when the server cannot be reached, or refuses. */
  static async open(address: Address, limits: Limits = {}): Promise<Database> {
    const url = address.kind === 'server' ? address.url : await embeddedServer(address.folder);
    const { most = 2, answerMs = ANSWER_MS } = limits;
    let refusal: unknown;
    for (const way of waysTo(url)) {
      const pool = new pg.Pool({
        ...way,
        max: most,
        application_name: 'umbra',
        connectionTimeoutMillis: CONNECT_MS,
        statement_timeout: STATEMENT_MS,
        lock_timeout: LOCK_MS,
        idle_in_transaction_session_timeout: LOCK_MS,
        query_timeout: Math.max(answerMs, 1),
        keepAlive: true,
        // A way that is lost shows when it is used next.
        idleTimeoutMillis: 60_000,
      });
      pool.on('error', () => {});
      const database = new Database(address, url, pool);
      try {
        await database.query('SELECT 1');
        return database;
      } catch (error) {
        refusal ??= error;
        await pool.end().catch(() => {});
        if (!isOtherWay(error)) break;
      }
    }
    throw new UserError(
      `${shownAddress(address)} cannot be used: ${withoutPassword(inWords(refusal), url)}`,
    );
  }

  query: Sql['query'] = async (text, values) => {
    try {
      return await this.#pool.query(text, values as unknown[]);
    } catch (error) {
      throw this.#told(error);
    }
  };

  /** All or nothing. */
  async transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw this.#told(error);
    });
    // A lost connection rejects the pending query, and also emits an event.
    const heard = (): void => {};
    client.on('error', heard);
    let broken = true;
    try {
      await client.query('BEGIN');
      const result = await work(client as unknown as Sql);
      await client.query('COMMIT');
      broken = false;
      return result;
    } catch (error) {
      // Where the way is lost the server rolls back by itself.
      broken =
        isPassing(error) ||
        (await client.query('ROLLBACK').then(
          () => false,
          () => true,
        ));
      throw this.#told(error);
    } finally {
      client.off('error', heard);
      client.release(broken);
    }
  }

  /** A server of our own is stopped with its last user. */
  async close(): Promise<void> {
    const alone = this.address.kind === 'embedded' && (await this.#isAlone());
    await this.#pool.end();
    if (alone && this.address.kind === 'embedded') await stopEmbedded(this.address.folder);
  }

  /** Connections of other processes; the keeper's own come and go. */
  async #isAlone(): Promise<boolean> {
    try {
      const { rows } = await this.#pool.query(
        `SELECT count(*)::int AS all_of_them FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND application_name = 'umbra'`,
      );
      return rows[0].all_of_them <= this.#pool.totalCount;
    } catch {
      return false;
    }
  }

  /** Whatever is told of it, the password is not. */
  #told(error: unknown): unknown {
    if (error instanceof UserError || !(error instanceof Error)) return error;
    error.message = withoutPassword(error.message, this.#url);
    if (error.stack !== undefined) error.stack = withoutPassword(error.stack, this.#url);
    return error;
  }
}

interface ServerError {
  readonly code?: string;
  readonly errors?: readonly Error[];
}

/** A name that has several addresses fails once for each, and says nothing itself. */
function inWords(error: unknown): string {
  const { message, code, errors } = error as Error & ServerError;
  return message || errors?.map((one) => one.message).join(', ') || String(code);
}

/** The server has no TLS, or takes nothing else. */
const isOtherWay = (error: unknown): boolean =>
  /does not support SSL|no encryption|pg_hba\.conf/.test(inWords(error));

/**
 * Whether the connection to the server is lost, or it is restarting: a retry may succeed. Classes
 * of https://www.postgresql.org/docs/current/errcodes-appendix.html; the others come from sockets.
 */
export function isPassing(error: unknown): boolean {
  const { code = '', message = '' } = error as Error & ServerError;
  return (
    /^(08|53|57P0|40|55P03)/.test(code) ||
    code === '57014' ||
    /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND)/.test(code) ||
    /timeout|Connection terminated|Client has encountered a connection error|not queryable/i.test(
      message,
    )
  );
}
