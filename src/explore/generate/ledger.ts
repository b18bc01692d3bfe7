/** The ledger of `umbra generate`. */

import { Ledger, type LedgerKind, type Shard } from '../../ledger.ts';
import { differenceOf, type GeneratePlan, type GenerateUnit } from './plan.ts';
import type { Find, UnitResult } from './unit.ts';

const KIND: LedgerKind<GeneratePlan> = {
  applicationId: 0x756d_6267,
  version: 1,
  maker: 'umbra generate --out',
  is: 'search',
  out: 'folder',
  planTable: 'plan',
  tables: `
    CREATE TABLE unit (
      id INTEGER PRIMARY KEY, space INTEGER NOT NULL, programs INTEGER NOT NULL,
      schedules INTEGER NOT NULL, steps INTEGER NOT NULL, failed INTEGER NOT NULL,
      blocked INTEGER NOT NULL, unfinished INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE find (
      unit INTEGER NOT NULL, place INTEGER NOT NULL, find TEXT NOT NULL, PRIMARY KEY (unit, place)
    ) STRICT, WITHOUT ROWID;`,
  differenceOf,
};

/** Of one space of the plan. */
export interface SpaceTotals {
  readonly space: number;
  readonly programs: number;
  readonly schedules: number;
  readonly blocked: number;
  readonly unfinished: number;
  readonly steps: number;
  readonly failed: number;
}

export interface KeptFind extends Find {
  readonly unit: number;
  readonly space: number;
}

export class GenerateLedger extends Ledger<GeneratePlan> {
  readonly #spaces: GeneratePlan['spaces'];

  /** `plan`: its spaces are those of the units. */
  constructor(path: string | undefined, plan: GeneratePlan, shard: Shard) {
    super(path, KIND, plan, shard);
    this.#spaces = plan.spaces;
  }

  record({ id, space }: GenerateUnit, result: UnitResult): void {
    this.atOnce(() => {
      const { programs, schedules, steps, failed, blocked, unfinished, finds } = result;
      this.db
        .prepare('INSERT INTO unit VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
        .run(
          ...[id, this.#spaces.indexOf(space), programs],
          ...[schedules, steps, failed, blocked, unfinished],
        );
      const add = this.db.prepare('INSERT INTO find VALUES (?, ?, ?)');
      for (const [place, find] of finds.entries()) add.run(id, place, JSON.stringify(find));
    });
  }

  totals(): SpaceTotals[] {
    return this.all(
      `SELECT space, sum(programs) AS programs, sum(schedules) AS schedules, sum(steps) AS steps,
         sum(failed) AS failed, sum(blocked) AS blocked,
         sum(unfinished) AS unfinished FROM unit GROUP BY space ORDER BY space`,
    );
  }

  finds(): KeptFind[] {
    const rows = this.all<{ unit: number; space: number; find: string }>(
      'SELECT unit, space, find FROM find JOIN unit ON unit.id = find.unit ORDER BY unit, place',
    );
    return rows.map(({ unit, space, find }) => ({ ...this.parsed<Find>(find), unit, space }));
  }
}
