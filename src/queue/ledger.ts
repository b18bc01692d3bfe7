/** A campaign's ledger, pulled out of a queue: the same as that of a run on one machine. */

import { existsSync, renameSync, rmSync } from 'node:fs';
import { UserError } from '../errors.ts';
import { CampaignLedger } from '../explore/campaign/ledger.ts';
import { type Plan, unitsOf } from '../explore/campaign/plan.ts';
import type { UnitResult } from '../explore/campaign/unit.ts';
import { counted } from '../numbers.ts';
import type { Queue } from './queue.ts';
import { buriedUnits, findPlan, Results, shortId } from './results.ts';

const WHOLE = { index: 1, of: 1 };

/** The campaign's results so far, in memory. */
export async function ledgerSoFar(queue: Queue, name?: string): Promise<CampaignLedger> {
  const { id, plan } = await campaignIn(queue, name);
  const ledger = new CampaignLedger(undefined, plan, WHOLE);
  await fill(ledger, plan, new Results(queue, id));
  return ledger;
}

/** Written to a new file, and opened. Throws UserError when something is missing. */
export async function pullLedger(
  queue: Queue,
  out: string,
  name?: string,
): Promise<CampaignLedger> {
  if (existsSync(out)) throw new UserError(`${out} is there already: give -o a new file`);
  const { id, plan } = await campaignIn(queue, name);
  const temporary = `${out}.${process.pid}.tmp`;
  try {
    const ledger = new CampaignLedger(temporary, plan, WHOLE);
    await fill(ledger, plan, new Results(queue, id));
    const missing = ledger.unitsLeft().length;
    ledger.close();
    if (missing > 0) {
      const buried = await buriedUnits(queue, id);
      throw new UserError(
        [
          `missing: ${missing} of ${counted(unitsOf(plan).length, 'unit')}; umbra work does ` +
            `them, and umbra queue status ${shortId(id)} says how far they are`,
          ...buried,
        ].join('\n'),
      );
    }
    renameSync(temporary, out);
  } finally {
    rmSync(temporary, { force: true });
  }
  return new CampaignLedger(out);
}

async function campaignIn(queue: Queue, name?: string): Promise<{ id: string; plan: Plan }> {
  const { id } = await findPlan(queue, name, 'campaign');
  const { rows } = await queue.database.query<{ plan: string }>(
    'SELECT plan FROM umbra.plan WHERE id = $1',
    [id],
  );
  return { id, plan: JSON.parse(rows[0]!.plan) as Plan };
}

async function fill(ledger: CampaignLedger, plan: Plan, results: Results): Promise<void> {
  const units = unitsOf(plan);
  for await (const { place, result } of results.next()) {
    ledger.record(units[place!]!, result as UnitResult);
  }
}
