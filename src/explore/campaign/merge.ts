/** Merging the ledgers of all shards of a campaign, as if it had not been split. */

import { existsSync, renameSync, rmSync } from 'node:fs';
import { UserError } from '../../errors.ts';
import { counted } from '../../numbers.ts';
import { CampaignLedger } from './ledger.ts';
import { campaignsDiffer, unitsOf } from './plan.ts';

/**
 * Write the union of the ledgers at `paths` to a new file, and open it. Throws UserError if they
 * belong to different campaigns, if two hold the same unit, and if a unit is missing.
 */
export function mergeLedgers(paths: readonly string[], out: string): CampaignLedger {
  if (existsSync(out)) throw new UserError(`${out} is there already: give -o a new file`);
  const parts = paths.map((path) => readPart(path));
  const { plan } = parts[0]!;
  for (const { path, plan: other } of parts.slice(1)) {
    const difference = campaignsDiffer(plan, other);
    if (difference === undefined) continue;
    throw new UserError(
      `${paths[0]} and ${path} are of different campaigns: with "there" for the first and ` +
        `"here" for the other, ${difference}`,
    );
  }
  refuseOverlap(parts);
  refuseGaps(parts, unitsOf(plan).length);
  const temporary = `${out}.${process.pid}.tmp`;
  try {
    const whole = new CampaignLedger(temporary, plan, { index: 1, of: 1 });
    whole.absorb(paths);
    whole.close();
    renameSync(temporary, out);
  } finally {
    rmSync(temporary, { force: true });
  }
  return new CampaignLedger(out);
}

interface Part extends Pick<CampaignLedger, 'plan' | 'shard'> {
  readonly path: string;
  readonly done: ReadonlySet<number>;
  /** How many of its units are not done. */
  readonly open: number;
}

function readPart(path: string): Part {
  const ledger = new CampaignLedger(path);
  const { plan, shard } = ledger;
  const open = new Set(ledger.unitsLeft().map(({ id }) => id));
  const done = new Set(ledger.units().flatMap(({ id }) => (open.has(id) ? [] : id)));
  ledger.close();
  return { path, plan, shard, done, open: open.size };
}

function refuseOverlap(parts: readonly Part[]): void {
  for (const [i, one] of parts.entries()) {
    for (const other of parts.slice(i + 1)) {
      const both = [...one.done].filter((id) => other.done.has(id)).length;
      if (both === 0) continue;
      throw new UserError(
        `${one.path} (${name(one)}) and ${other.path} (${name(other)}) overlap: ` +
          `${counted(both, 'unit')} in both; give each shard once`,
      );
    }
  }
}

function refuseGaps(parts: readonly Part[], units: number): void {
  const done = parts.reduce((n, part) => n + part.done.size, 0);
  if (done === units) return;
  const unfinished = parts
    .filter(({ open }) => open > 0)
    .map(
      ({ path, open, done: { size } }) =>
        `${path} has ${size} of its ${counted(size + open, 'unit')}: go on with the command that ` +
        'began it',
    );
  const { of } = parts[0]!.shard;
  const given = new Set(parts.map(({ shard }) => `${shard.index}/${shard.of}`));
  const missing = Array.from({ length: of }, (_, i) => `${i + 1}/${of}`).filter(
    (shard) => !given.has(shard),
  );
  const shards = missing.length > 0 ? [`shard ${missing.join(', shard ')} is not given`] : [];
  throw new UserError(
    [`missing: ${units - done} of ${counted(units, 'unit')}`, ...unfinished, ...shards].join('\n'),
  );
}

const name = ({ shard: { index, of } }: Part): string => `shard ${index}/${of}`;
