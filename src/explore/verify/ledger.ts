/**
 * The ledger of `umbra verify`: the results of units in the order in which they came. What is left
 * follows from them (Frontier.resume).
 */

import type { DatabaseSync } from 'node:sqlite';
import { deserialize, serialize } from 'node:v8';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { UserError } from '../../errors.ts';
import { Ledger, type LedgerKind } from '../../ledger.ts';
import { differenceOf, type PlannedSubject } from '../campaign/plan.ts';
import { digestOf } from '../litmus/meaning.ts';
import { Recorded } from '../strategies/recorded.ts';
import { Subject } from '../subject.ts';
import { ENGINE_VERSION } from '../token.ts';
import type { Done } from './frontier.ts';
import { type BoundedResult, runUnit, type UnitResult } from './unit.ts';
import type { Entry } from './verification.ts';

/** Units that are bounded may be short, and a transaction waits for the disk. */
const COMMIT_MS = 5000;

/** Everything that the results depend on. */
interface VerifyPlan {
  readonly engine: number;
  /** At most so many, in words; and where time is up without a bound. */
  readonly preemptions: string;
  readonly or_preemptions: string;
  readonly acts: number;
  readonly subjects: readonly PlannedSubject[];
}

const KIND: LedgerKind<VerifyPlan> = {
  applicationId: 0x756d_6276,
  version: 1,
  maker: 'umbra verify --out',
  is: 'search',
  out: 'file',
  planTable: 'plan',
  tables: `
    CREATE TABLE entry (id INTEGER PRIMARY KEY, first TEXT NOT NULL) STRICT;
    CREATE TABLE estimate (entry INTEGER PRIMARY KEY, behaviours REAL) STRICT;
    CREATE TABLE unit (
      id INTEGER PRIMARY KEY, entry INTEGER NOT NULL, place TEXT NOT NULL, result BLOB NOT NULL
    ) STRICT;
    CREATE INDEX unit_by_entry ON unit (entry);`,
  differenceOf: (there, here) =>
    differenceOf(there, here, ['engine', 'preemptions', 'or_preemptions', 'acts']),
};

export class VerifyLedger extends Ledger<VerifyPlan> {
  readonly #entries: readonly Entry[];
  /** Those that it has something of. */
  readonly #begun = new Set<Entry>();
  #committed = Number.NEGATIVE_INFINITY;

  /** Resumes the frontiers of `entries`. Throws UserError as Ledger does. */
  constructor(path: string, entries: readonly Entry[]) {
    super(path, KIND, planOf(entries));
    this.#entries = entries;
    try {
      for (const { id, first } of this.all<{ id: number; first: string }>('SELECT * FROM entry')) {
        const entry = entries[id]!;
        if (first !== firstOf(entry)) {
          throw new UserError(
            `${path}: the code that is verified has changed since it was begun (${entry.path} ` +
              'begins in another way), and what was done does not count any more: give --out ' +
              'another file, or delete this one',
          );
        }
        this.#begun.add(entry);
        this.guarded(() => entry.frontier.resume(this.#unitsOf(id) as never));
      }
      const estimates = this.all<{ entry: number; behaviours: number | null }>(
        'SELECT * FROM estimate',
      );
      for (const { entry, behaviours } of estimates) entries[entry]!.estimate = behaviours;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** A killed process loses what it has recorded in the last seconds. */
  record(entry: Entry, { place, result }: Done<UnitResult | BoundedResult>): void {
    const id = this.#entries.indexOf(entry);
    // It takes a run, which is not the database's time.
    const first = this.#begun.has(entry) ? undefined : firstOf(entry);
    this.#write((db) => {
      if (first !== undefined) db.prepare('INSERT INTO entry VALUES (?, ?)').run(id, first);
      const insert = db.prepare('INSERT INTO unit (entry, place, result) VALUES (?, ?, ?)');
      const packed = deflateRawSync(serialize(result), { level: 1 });
      insert.run(id, JSON.stringify(place), packed);
    });
    this.#begun.add(entry);
  }

  /** Its estimate is begun, or done. */
  estimated(entry: Entry): void {
    this.#write((db) => {
      const set = db.prepare('INSERT OR REPLACE INTO estimate VALUES (?, ?)');
      set.run(this.#entries.indexOf(entry), entry.estimate ?? null);
    });
  }

  override close(): void {
    if (this.db.isOpen && this.db.isTransaction) this.guarded(() => this.db.exec('COMMIT'));
    super.close();
  }

  #write(work: (db: DatabaseSync) => void): void {
    const { db } = this;
    this.guarded(() => {
      if (!db.isTransaction) db.exec('BEGIN');
      work(db);
      const now = performance.now();
      if (now - this.#committed < COMMIT_MS) return;
      db.exec('COMMIT');
      this.#committed = now;
    });
  }

  *#unitsOf(entry: number): Generator<Done<unknown>, void, void> {
    const units = this.db.prepare('SELECT place, result FROM unit WHERE entry = ? ORDER BY id');
    for (const { place, result } of units.iterate(entry)) {
      yield {
        place: this.parsed<number[]>(place as string),
        result: this.sound(() => deserialize(inflateRawSync(result as Uint8Array))),
      };
    }
  }
}

function planOf(entries: readonly Entry[]): VerifyPlan {
  const instead = entries.find(({ insteadOf }) => insteadOf !== undefined);
  const main = entries.filter(({ insteadOf }) => insteadOf === undefined);
  const most = (entry: Entry | undefined): string => `${entry?.bounds?.preemptions ?? 'any'}`;
  return {
    engine: ENGINE_VERSION,
    preemptions: most(main[0]),
    or_preemptions: instead === undefined ? 'none' : most(instead),
    acts: (main[0]?.bounds ?? instead?.bounds)?.acts ?? 0,
    subjects: main.map(({ path, litmus, setting }) => ({
      path,
      digest: digestOf(litmus),
      name: litmus.name,
      setting,
    })),
  };
}

/** Its first run of all: it is another one when the code has changed. */
function firstOf({ path, litmus, setting }: Entry): string {
  const subject = new Subject(path, litmus, setting);
  const { met } = runUnit(subject, [], 1);
  const { digest, trace } = subject.run(new Recorded(met[0]!.decisions), 0).run;
  return `${digest} ${trace}`;
}
