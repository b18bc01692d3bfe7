/** The ledger of a study or sweep. Its units are arms with a seed each. */

import { rmSync } from 'node:fs';
import { Ledger, type LedgerKind } from '../ledger.ts';
import type { Arm, Measures } from './study.ts';

/** Parameters that all units of one ledger share, by name. */
export type LedgerHead = Readonly<Record<string, string | number>>;

const KIND: LedgerKind<LedgerHead> = {
  applicationId: 0x756d_6273,
  version: 1,
  maker: 'umbra study, sweep or ab --out',
  is: 'study',
  out: 'folder',
  planTable: 'plan',
  tables: 'CREATE TABLE unit (id TEXT PRIMARY KEY, measures TEXT NOT NULL, wrong TEXT) STRICT;',
  differenceOf: (there, here) => {
    const name = Object.keys(here).find((one) => there[one] !== here[one]);
    return (
      name && `${name} ${JSON.stringify(there[name])} there, ${JSON.stringify(here[name])} here`
    );
  },
};

interface Done {
  /** None, where it went wrong. */
  readonly measures: Measures;
  readonly wrong?: string | undefined;
}

export const unitOf = ({ experiment, levels }: Arm, seed: number): string =>
  JSON.stringify([experiment, levels, seed]);

export class StudyLedger extends Ledger<LedgerHead, string> {
  readonly #path: string | undefined;
  readonly #done: Map<string, Done>;

  constructor(path: string | undefined, head: LedgerHead) {
    super(path, KIND, head);
    this.#path = path;
    const rows = this.all<{ id: string; measures: string; wrong: string | null }>(
      'SELECT * FROM unit',
    );
    this.#done = new Map(
      rows.map(({ id, measures, wrong }) => [
        id,
        { measures: this.parsed<Measures>(measures), wrong: wrong ?? undefined },
      ]),
    );
  }

  /** Units that it had when it was opened, and since. */
  get size(): number {
    return this.#done.size;
  }

  get(arm: Arm, seed: number): Measures | undefined {
    return this.#done.get(unitOf(arm, seed))?.measures;
  }

  /** Its failure, in words. */
  wrong(arm: Arm, seed: number): string | undefined {
    return this.#done.get(unitOf(arm, seed))?.wrong;
  }

  record(arm: Arm, seed: number, measures: Measures, wrong?: string): void {
    const id = unitOf(arm, seed);
    this.#done.set(id, { measures, wrong });
    this.guarded(() => {
      const add = this.db.prepare('INSERT OR REPLACE INTO unit VALUES (?, ?, ?)');
      add.run(id, JSON.stringify(measures), wrong ?? null);
    });
  }

  /** It is not needed any more. */
  remove(): void {
    this.close();
    if (this.#path !== undefined) rmSync(this.#path, { force: true });
  }
}
