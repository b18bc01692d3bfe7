/**
 * A plan of a queue in a report: how far it is, who works at it, and what went wrong, as it is by
 * now.
 */

import { grouped } from '../../numbers.ts';
import { type Campaign, campaignSection } from './campaign-section.ts';
import { advancePart } from './live-section.ts';
import { paragraph, table } from './parts.ts';

/** How a plan is at one moment. */
export interface QueuePage {
  /** The command that made the plan. */
  readonly title: string;
  readonly state: string;
  readonly done: number;
  readonly units: number;
  readonly failures: number;
  /** Units a second, of late; undefined where that is not known. */
  readonly rate: number | undefined;
  /** In words. */
  readonly eta: string;
  readonly workers: readonly {
    readonly host: string;
    readonly pid: number;
    readonly jobs: number;
    readonly busy: number;
    readonly units: number;
  }[];
  /** The newest first. */
  readonly failed: readonly {
    readonly done: Date;
    readonly place: number | null;
    readonly says: string | null;
    readonly token: string | null;
  }[];
  /** Units that are not tried any more, in words. */
  readonly killers: readonly string[];
  /** What it has come to so far. */
  readonly campaign?: Campaign | undefined;
}

export function queueSection(page: QueuePage): string {
  const { done, units, workers, failed, killers, campaign } = page;
  return [
    advancePart(page.state, {
      done,
      all: units,
      unit: 'units',
      rate: page.rate,
      eta: page.eta,
      failures: page.failures,
    }),
    ...killers.map(paragraph),
    table({
      caption: 'Workers that are heard of',
      head: ['Machine', 'Process', 'At work', 'At a time', 'Units done'],
      rows: workers.map((one) => [
        ...[one.host, String(one.pid), grouped(one.busy), grouped(one.jobs), grouped(one.units)],
      ]),
    }),
    ...(failed.length === 0
      ? []
      : [
          table({
            caption: 'Units in which something went wrong, the newest first',
            head: ['When', 'Unit', 'First failure', 'Do it again'],
            rows: failed.map((one) => [
              ...[one.done.toISOString(), String(one.place ?? '–'), one.says ?? ''],
              one.token === null ? '' : `umbra replay ${one.token}`,
            ]),
          }),
        ]),
    ...(campaign === undefined ? [] : [campaignSection(campaign)]),
  ].join('\n');
}
