/**
 * Runs a command's units through a queue: sends them, and fetches the results. Loaded only for
 * --queue.
 */

import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { counted, grouped } from '../numbers.ts';
import { parseAddress, shownAddress } from '../queue/address.ts';
import { again } from '../queue/again.ts';
import { packed } from '../queue/kinds.ts';
import { enqueue } from '../queue/plan.ts';
import { Queue } from '../queue/queue.ts';
import { buriedUnits, type PlanState, planStates, Results, shortId } from '../queue/results.ts';
import { snapshotOf, statusLine } from '../queue/status.ts';
import { ExitCode } from './exit-code.ts';
import { showProgress } from './terminal.ts';
import type { QueueOptions, UnitsJob } from './units.ts';

const LOOK_MS = 1000;

/** Returns how many units are not done; none with --wait, but after the signal. */
export async function viaQueue<Task, Done>(
  job: UnitsJob<Task, Done>,
  { queue: text, wait }: QueueOptions,
): Promise<number> {
  const { signal } = job;
  const address = parseAddress(text!);
  const queue = await Queue.open(address);
  try {
    const units = new Map(
      job.tasks.map((task, i) => [job.place === undefined ? i : job.place(task), task]),
    );
    const id = await send(queue, job, units);
    const results = new Results(queue, id);
    const fetch = async (fromBegin = false): Promise<void> => {
      for await (const { result, place, task } of results.next(fromBegin)) {
        // A unit split off from another one brings its task along; units that are not requested are
        // done
        // already.
        const own = place === undefined ? (task as Task) : units.get(place);
        if (own !== undefined) job.done(result as Done, own);
      }
    };
    await fetch();
    let state = await stateOf(queue, id);
    if (wait && state.state === 'open') state = await waitFor(queue, id, fetch, signal);
    await fetch(true);
    for (const line of await buriedUnits(queue, id))
      process.stderr.write(`umbra: FOUND: ${line}\n`);
    const left = state.units - state.done;
    // A plan that was cancelled at its first failure has no more results.
    if (left <= 0 || state.state === 'cancelled') return 0;
    const [all, open] = [counted(state.units, 'unit'), grouped(left)];
    const where = `${shownAddress(address)} as plan ${shortId(id)}`;
    process.stderr.write(
      state.state === 'done'
        ? `umbra: given up in ${where}: ${open} of ${all}\n`
        : `umbra: left in ${where}: ${open} of ${all}; umbra work does them, and the same ` +
            'command tells what came of it\n',
    );
    if (state.state === 'done') process.exitCode = ExitCode.Failed;
    if (signal.aborted) process.exitCode = ExitCode.Interrupted;
    return left;
  } finally {
    await queue.close();
  }
}

async function send<Task, Done>(
  queue: Queue,
  job: UnitsJob<Task, Done>,
  units: ReadonlyMap<number, Task>,
): Promise<string> {
  const { kind, title, files = [], untilFailure = false } = job;
  const plan = job.plan ?? { tasks: digestOf(packed(job.tasks)) };
  let looked = 0;
  const stop = showProgress(() => `${grouped(looked)} of ${counted(units.size, 'unit')} sent`);
  try {
    return await enqueue(
      queue,
      { kind, title, plan, files, untilFailure },
      [...units].map(([place, task]) => ({ place, task })),
      (n) => {
        looked = n;
      },
    );
  } finally {
    stop();
  }
}

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

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
