/** A queue, opened: the database it is in, and pg-boss, which hands out its units. */

import { PgBoss } from 'pg-boss';
import { UserError } from '../errors.ts';
import { type Address, shownAddress } from './address.ts';
import { Database, type Limits, type Sql } from './database.ts';
import { hasTables, JOBS_SCHEMA, makeTables } from './schema.ts';

/** Where units are that are not tried any more. */
export const DEAD = 'umbra-dead';

/**
 * A claim without a heartbeat for so long is given to another worker; pg-boss takes no less than
 * 10.
 */
export const HEARTBEAT_SECONDS = 15;

const DAY = 86_400;

export class Queue {
  readonly database: Database;
  readonly boss: PgBoss;

  private constructor(database: Database, boss: PgBoss) {
    this.database = database;
    this.boss = boss;
  }

  /** Made if it is not there. Throws UserError when it cannot be used. */
  static async open(address: Address, limits?: Limits): Promise<Queue> {
    const database = await Database.open(address, limits);
    try {
      await makeTables(database);
      const boss = new PgBoss({
        db: throughOf(database),
        schema: JOBS_SCHEMA,
        // Its periodic maintenance is requested explicitly, by one worker for all (worker.ts).
        supervise: false,
        schedule: false,
        registerInstance: false,
        openTelemetry: { enabled: false },
        monitorVacuum: false,
        reindex: false,
        monitorIntervalSeconds: 1,
        maintenanceIntervalSeconds: 3600,
        queueCacheIntervalSeconds: DAY,
        bamIntervalSeconds: DAY,
        flowIntervalSeconds: DAY,
      });
      // Errors go to the caller.
      boss.on('error', () => {});
      await boss.start({ attempts: 3 });
      await boss.createQueue(DEAD, { retentionSeconds: 365 * DAY });
      return new Queue(database, boss);
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** One that is there. Throws UserError where none is. */
  static async find(address: Address): Promise<Queue> {
    const database = await Database.open(address);
    const isThere = await hasTables(database);
    await database.close();
    if (isThere) return Queue.open(address);
    throw new UserError(
      `${shownAddress(address)} has no queue: umbra campaign --queue and others make one`,
    );
  }

  /** pg-boss in a transaction. */
  static in(sql: Sql): { db: ReturnType<typeof throughOf> } {
    return { db: throughOf(sql) };
  }

  async close(): Promise<void> {
    await this.boss.stop({ graceful: false, close: false }).catch(() => {});
    await this.database.close();
  }
}

const throughOf = (sql: Sql) => ({
  executeSql: async (text: string, values: unknown[] = []) => await sql.query(text, values),
});

/** How the units of one plan are handed out. */
export const jobQueue = (plan: string): string => `umbra-${plan}`;

export const JOB_QUEUE_OPTIONS = {
  deadLetter: DEAD,
  heartbeatSeconds: HEARTBEAT_SECONDS,
  // Workers that die at a unit are counted separately (worker.ts): a retry alone says nothing of
  // the unit.
  retryLimit: 1000,
  retryDelay: 0,
  expireInSeconds: DAY - 1,
  retentionSeconds: 365 * DAY,
  deleteAfterSeconds: DAY,
  warningQueueSize: 1_000_000_000,
} as const;
