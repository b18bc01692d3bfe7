/** Reading ledgers, and filling them without threads. */

import { DatabaseSync } from 'node:sqlite';
import { CampaignLedger } from '../../src/explore/campaign/ledger.ts';
import { type Plan, type Unit, warmUpOf } from '../../src/explore/campaign/plan.ts';
import { runUnit, type UnitResult, warmSubject } from '../../src/explore/campaign/unit.ts';
import type { Shard } from '../../src/ledger.ts';

const KEYS = { unit: 'id', failure: 'unit, run', behaviour: 'subject, digest, strategy' };

/** Every row of a ledger, in the order of keys, without its shard. */
export function dump(path: string): string {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = [
    ...db.prepare('SELECT plan FROM campaign').all(),
    ...Object.entries(KEYS).flatMap(([table, key]) => [
      table,
      ...db.prepare(`SELECT * FROM ${table} ORDER BY ${key}`).all(),
    ]),
  ];
  db.close();
  return rows.map((row) => JSON.stringify(row, hexed)).join('\n');
}

const hexed = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;

export const rowsIn = (path: string, table: keyof typeof KEYS): number => {
  const db = new DatabaseSync(path, { readOnly: true });
  const { n } = db.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number };
  db.close();
  return n;
};

export function resultOf({ subjects }: Plan, unit: Unit): UnitResult {
  const { path, setting } = subjects[unit.subject]!;
  return runUnit(warmSubject(path, setting), { ...unit, warmUp: warmUpOf(unit) });
}

/** Do a campaign's units, all or the first `most` of them, in the given order. */
export function fill(
  path: string,
  plan: Plan,
  {
    shard = { index: 1, of: 1 },
    order = (units) => units,
    most = Number.POSITIVE_INFINITY,
  }: { shard?: Shard; order?: (units: Unit[]) => Unit[]; most?: number } = {},
): void {
  const ledger = new CampaignLedger(path, plan, shard);
  for (const unit of order(ledger.unitsLeft()).slice(0, most)) {
    ledger.record(unit, resultOf(plan, unit));
  }
  ledger.close();
}
