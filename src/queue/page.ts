/** A plan of a queue as a page: its progress, workers and failures at this time. */

import { reportOf } from '../explore/campaign/report.ts';
import { grouped } from '../numbers.ts';
import { campaign } from '../report/page/campaign-section.ts';
import type { LivePage } from '../report/page/live-section.ts';
import { reportHtml } from '../report/page/report.ts';
import type { Saved } from '../report/page/saved.ts';
import { ledgerSoFar } from './ledger.ts';
import type { Queue } from './queue.ts';
import { type PlanState, shortId } from './results.ts';
import { etaOf, type Snapshot } from './status.ts';

export const titleOf = ({ id, title }: PlanState): string => `plan ${shortId(id)}: ${title}`;

export function livePlan(now: Snapshot): LivePage {
  const { plan, workers, rate, failed, killers } = now;
  return {
    title: titleOf(plan),
    state: plan.state,
    advance: {
      done: plan.done,
      all: plan.units,
      unit: 'units',
      rate,
      eta: etaOf(plan, rate),
      failures: plan.failures,
    },
    facts: killers.map((line) => ['Given up', line]),
    failed: failed.map(({ done, place, says, token }) => ({
      of: `unit ${place ?? '–'}, ${done.toISOString()}`,
      says: says ?? '',
      again: token === null ? '' : `umbra replay ${token}`,
    })),
    tables: [
      {
        caption: 'Workers that are heard of',
        head: ['Machine', 'Process', 'At work', 'At a time', 'Units done'],
        rows: workers.map((one) => [
          ...[one.host, String(one.pid), grouped(one.busy), grouped(one.jobs), grouped(one.units)],
        ]),
      },
    ],
  };
}

/** The report of a campaign so far, from all of its results; nothing for other kinds. */
export async function savedResults(queue: Queue, { plan }: Snapshot): Promise<Saved[]> {
  if (plan.kind !== 'campaign') return [];
  const ledger = await ledgerSoFar(queue, plan.id);
  try {
    const result = campaign.parse(reportOf(ledger));
    return [{ name: `plan ${shortId(plan.id)}`, kind: 'campaign', campaign: result }];
  } finally {
    ledger.close();
  }
}

/**
 * `refresh`: the page is rewritten continuously, without the report, and reloads after so many
 * seconds.
 */
export async function planPage(queue: Queue, now: Snapshot, refresh?: number): Promise<string> {
  const live: Saved = { name: titleOf(now.plan), kind: 'live', live: livePlan(now) };
  const results = refresh === undefined ? await savedResults(queue, now) : [];
  return reportHtml([live, ...results], refresh);
}
