/** A command's units by way of a queue: sent, and what is done of them fetched. Loaded only for --queue. */

import { setTimeout as delay } from 'node:timers/promises';
import { parseAddress, shownAddress } from '../queue/address.ts';
import { again } from '../queue/again.ts';
import { enqueue, type QueuedPlan, type QueuedUnit } from '../queue/plan.ts';
import { Queue } from '../queue/queue.ts';
import { buriedUnits, type PlanState, planStates, Results, shortId } from '../queue/results.ts';
import { snapshotOf, statusLine } from '../queue/status.ts';
import { showProgress } from './terminal.ts';
import type { QueueOptions } from './units.ts';

export interface Sent<Result> {
  readonly plan: QueuedPlan;
  /** Those that are to be done. */
  readonly units: readonly QueuedUnit[];
  /** A unit is done, by its place; of one that another has given away, by its task. */
  done(result: Result, place: number | undefined, task: unknown): void;
}

export interface Fetched {
  /** Units that are not done, and are to be. */
  readonly left: number;
  readonly interrupted: boolean;
}

const LOOK_MS = 1000;

/** Done when all units are; or at once, with what there is, without --wait. */
export async function viaQueue<Result>(
  sent: Sent<Result>,
  { queue: text, wait }: QueueOptions,
  signal: AbortSignal,
): Promise<Fetched> {
  const address = parseAddress(text!);
  const queue = await Queue.open(address);
  try {
    const id = await send(queue, sent);
    const results = new Results(queue, id);
    const fetch = async (fromBegin = false): Promise<void> => {
      for await (const { result, place, task } of results.next(fromBegin)) {
        sent.done(result as Result, place, task);
      }
    };
    await fetch();
    let state = await stateOf(queue, id);
    if (wait && state.state === 'open') state = await waitFor(queue, id, fetch, signal);
    await fetch(true);
    for (const line of await buriedUnits(queue, id)) process.stdout.write(`FOUND: ${line}\n`);
    const { units, done, buried } = state;
    if (buried > 0) process.exitCode = 1;
    if (state.state === 'open' && done < units) {
      process.stderr.write(
        `umbra: ${(units - done).toLocaleString('en-US')} of ${units.toLocaleString('en-US')} units wait in ` +
          `${shownAddress(address)} as plan ${shortId(id)}: umbra work does them, and the same command tells ` +
          'what came of it\n',
      );
    }
    return {
      left: state.state === 'open' ? units - done - buried : 0,
      interrupted: signal.aborted,
    };
  } finally {
    await queue.close();
  }
}

async function send<Result>(queue: Queue, { plan, units }: Sent<Result>): Promise<string> {
  let looked = 0;
  const stop = showProgress(
    () => `${looked.toLocaleString('en-US')} of ${units.length} units sent`,
  );
  try {
    return await enqueue(queue, plan, units, (n) => {
      looked = n;
    });
  } finally {
    stop();
  }
}

const stateOf = async (queue: Queue, id: string): Promise<PlanState> =>
  (await planStates(queue, id))[0]!;

/** Until no unit is left, or the signal comes. */
async function waitFor(
  queue: Queue,
  id: string,
  fetch: () => Promise<void>,
  signal: AbortSignal,
): Promise<PlanState> {
  let line = '';
  let state = await stateOf(queue, id);
  const stop = showProgress(() => line);
  try {
    while (state.state === 'open' && state.done + state.buried < state.units && !signal.aborted) {
      await delay(LOOK_MS, undefined, { signal }).catch(() => {});
      const look = async (): Promise<void> => {
        await fetch();
        const now = (await snapshotOf(queue, id))!;
        state = now.plan;
        line = statusLine(now);
      };
      await again(look, {
        signal,
        told: (lost) => {
          line = lost === undefined ? line : `the database is lost (${lost.message})`;
        },
      }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
    return state;
  } finally {
    stop();
  }
}
