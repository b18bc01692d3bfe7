/** A plan of a queue as a page of the report. */

import { reportOf } from '../explore/campaign/report.ts';
import { campaign } from '../report/page/campaign-section.ts';
import type { QueuePage } from '../report/page/queue-section.ts';
import { reportHtml } from '../report/page/report.ts';
import type { Saved } from '../report/page/saved.ts';
import { ledgerSoFar } from './ledger.ts';
import type { Queue } from './queue.ts';
import { shortId } from './results.ts';
import { etaOf, type Snapshot } from './status.ts';

/** `deep`: with what a campaign has come to, for which all of its results are read. */
export async function savedPlan(queue: Queue, now: Snapshot, deep: boolean): Promise<Saved> {
  const { plan, workers, rate, failed, killers } = now;
  const page: QueuePage = {
    title: plan.title,
    state: plan.state,
    done: plan.done,
    units: plan.units,
    failures: plan.failures,
    rate,
    eta: etaOf(plan, rate),
    workers,
    failed,
    killers,
    campaign: deep && plan.kind === 'campaign' ? await campaignOf(queue, plan.id) : undefined,
  };
  return { name: `${plan.title} (plan ${shortId(plan.id)})`, kind: 'queue', queue: page };
}

async function campaignOf(queue: Queue, id: string) {
  const ledger = await ledgerSoFar(queue, id);
  try {
    return campaign.parse(reportOf(ledger));
  } finally {
    ledger.close();
  }
}

/** `refresh`: it is written again all the time, and to be loaded again after so many seconds. */
export async function planPage(queue: Queue, now: Snapshot, refresh?: number): Promise<string> {
  return reportHtml([await savedPlan(queue, now, refresh === undefined)], refresh);
}
