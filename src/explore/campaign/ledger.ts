/**
 * What a campaign has done so far. All rows are sets whose members depend on the plan alone;
 * ledgers of shards merge by union.
 *
 * The digests of all behaviours are kept, by subject and strategy, with their number of schedules:
 * 8 bytes each, some 30 with the tree. So the number of different behaviours is exact, also after
 * resuming and merging, and memory stays small.
 */

import { Ledger, type LedgerKind, type Shard } from '../../ledger.ts';
import { NOT_DRAWN } from '../behaviours.ts';
import type { Ending } from '../result.ts';
import { campaignsDiffer, isInShard, type Plan, type Unit, unitsOf } from './plan.ts';
import type { UnitResult } from './unit.ts';

const KIND: LedgerKind<Plan> = {
  applicationId: 0x756d_6272,
  version: 2,
  maker: 'umbra campaign --out',
  is: 'campaign',
  out: 'file',
  planTable: 'campaign',
  tables: `
    CREATE TABLE unit (
      id INTEGER PRIMARY KEY, subject INTEGER NOT NULL, strategy TEXT NOT NULL,
      seed INTEGER NOT NULL, schedules INTEGER NOT NULL, steps INTEGER NOT NULL,
      most_steps INTEGER NOT NULL, actors INTEGER NOT NULL, bounded INTEGER NOT NULL,
      preemptions INTEGER NOT NULL, exhausted INTEGER NOT NULL, failures INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE failure (
      unit INTEGER NOT NULL, run INTEGER NOT NULL, seed INTEGER NOT NULL, ending TEXT NOT NULL,
      message TEXT NOT NULL, token TEXT, PRIMARY KEY (unit, run)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE behaviour (
      subject INTEGER NOT NULL, digest BLOB NOT NULL, strategy TEXT NOT NULL, schedules INTEGER NOT NULL,
      PRIMARY KEY (subject, digest, strategy)
    ) STRICT, WITHOUT ROWID;`,
  differenceOf: campaignsDiffer,
};

const ADDED_UP = 'ON CONFLICT DO UPDATE SET schedules = schedules + excluded.schedules';

interface BehavioursRow {
  readonly subject: number;
  readonly all_of_them: number;
  readonly once: number;
  readonly twice: number;
}

/** The sums over the units of one strategy for one subject. */
export interface Group {
  readonly subject: number;
  readonly strategy: string;
  readonly schedules: number;
  readonly steps: number;
  readonly most_steps: number;
  readonly actors: number;
  readonly bounded: number;
  readonly preemptions: number;
  /** 0 or 1 */
  readonly exhausted: number;
  readonly failures: number;
}

export interface FailureRow {
  readonly subject: number;
  readonly strategy: string;
  readonly seed: number;
  readonly ending: Ending;
  readonly message: string;
  readonly token: string;
}

export class CampaignLedger extends Ledger<Plan> {
  /** Without a plan it is only read. */
  constructor(path: string | undefined, plan?: Plan, shard?: Shard) {
    super(path, KIND, plan, shard);
  }

  /** The units of this shard that are not done yet. */
  unitsLeft(): Unit[] {
    const { done } = this;
    return this.units().filter(({ id }) => !done.has(id));
  }

  /** All units of this shard. */
  units(): Unit[] {
    return unitsOf(this.plan).filter((unit) => isInShard(unit, this.shard));
  }

  /** Add a finished unit. Returns how many of its schedules showed a new behaviour. */
  record({ id, subject, strategy, seed }: Unit, result: UnitResult): number {
    const { schedules, steps, mostSteps, actors, bounded, failures } = result;
    return this.atOnce(() => {
      const { db } = this;
      db.prepare('INSERT INTO unit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
        ...[id, subject, strategy, seed, schedules, steps, mostSteps, actors, bounded],
        ...[result.preemptions, Number(result.exhausted), failures.length],
      );
      const fail = db.prepare('INSERT INTO failure VALUES (?, ?, ?, ?, ?, ?)');
      for (const { run, ending, message, token } of failures) {
        fail.run(id, run, seed + run, ending, message, token ?? null);
      }
      const isKnown = db.prepare('SELECT 1 FROM behaviour WHERE subject = ? AND digest = ?');
      const see = db.prepare(`INSERT INTO behaviour VALUES (?, ?, ?, ?) ${ADDED_UP}`);
      let fresh = 0;
      for (const [digest, times] of result.behaviours) {
        const bytes = Buffer.from(digest, 'hex');
        if (isKnown.get(subject, bytes) === undefined) fresh++;
        see.run(subject, bytes, strategy, times);
      }
      return fresh;
    });
  }

  /** By subject and strategy. */
  groups(): Group[] {
    return this.all(
      `SELECT subject, strategy, sum(schedules) AS schedules, sum(steps) AS steps,
         max(most_steps) AS most_steps, max(actors) AS actors, sum(bounded) AS bounded,
         max(preemptions) AS preemptions, max(exhausted) AS exhausted, sum(failures) AS failures
       FROM unit GROUP BY subject, strategy ORDER BY min(id)`,
    );
  }

  /**
   * For each subject the number of behaviours, and of those shown by one schedule and by two. Those
   * that the strategies `listed` showed were not drawn: they count as shown more often.
   */
  behaviours(listed: readonly string[]): Map<number, BehavioursRow> {
    const names = listed.map((name) => `'${name}'`).join(', ');
    const rows = this.all<BehavioursRow>(
      `SELECT subject, count(*) AS all_of_them, sum(times = 1) AS once, sum(times = 2) AS twice
       FROM (
         SELECT subject, sum(iif(strategy IN (${names}), ${NOT_DRAWN}, schedules)) AS times
         FROM behaviour GROUP BY subject, digest
       ) GROUP BY subject`,
    );
    return new Map(rows.map((row) => [row.subject, row]));
  }

  /** For each subject the first few with a token, in the order of the units. */
  failures(most: number): FailureRow[] {
    return this.all(
      `SELECT subject, strategy, seed, ending, message, token FROM (
         SELECT u.subject, u.strategy, f.*,
           row_number() OVER (PARTITION BY u.subject ORDER BY f.unit, f.run) AS place
         FROM failure f JOIN unit u ON u.id = f.unit WHERE token IS NOT NULL
       ) WHERE place <= ${most} ORDER BY unit, run`,
    );
  }

  /** Add the contents of the ledgers at these paths. */
  absorb(paths: readonly string[]): void {
    for (const path of paths) {
      this.guarded(() => {
        this.db.prepare('ATTACH ? AS part').run(path);
        this.db.exec(`
          BEGIN;
          INSERT INTO main.unit SELECT * FROM part.unit;
          INSERT INTO main.failure SELECT * FROM part.failure;
          INSERT INTO main.behaviour SELECT * FROM part.behaviour WHERE true ${ADDED_UP};
          COMMIT;
          DETACH part`);
      });
    }
  }
}
