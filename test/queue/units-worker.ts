/**
 * Kinds of units for tests: some that take long, some that kill their worker, and one that splits.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Splittable } from '../../src/queue/kinds.ts';
import { type CampaignTask, unit } from '../../workers/campaign-task.ts';

/** A campaign's unit, which takes a while and no work. */
export async function leisurely(task: CampaignTask) {
  await delay(Number(process.env['UMBRA_TEST_UNIT_MS'] ?? 150));
  return unit(task);
}

export interface Odd {
  readonly does: 'well' | 'throw' | 'exit' | 'kill' | 'nap';
  readonly n: number;
}

export async function odd({ does, n }: Odd): Promise<{ readonly n: number }> {
  if (does === 'throw') throw new Error('this unit throws');
  if (does === 'exit') process.exit(7);
  if (does === 'kill') process.kill(process.pid, 'SIGKILL');
  if (does === 'nap') await delay(1000);
  return { n };
}

/** Leaves to be counted, each of which takes a while. */
export interface Leaves {
  readonly from: number;
  readonly to: number;
}

/**
 * One after the other; on request, it gives away the rest, in as many parts as there are takers.
 */
export async function leaves({ task, wanted }: Splittable<Leaves>) {
  const { from, to } = task;
  for (let done = from; done < to; done++) {
    if (wanted[0]! > 0 && to - done >= 2) {
      const size = Math.ceil((to - done) / (wanted[0]! + 1));
      const rest: Leaves[] = [];
      for (let at = done; at < to; at += size) rest.push({ from: at, to: Math.min(at + size, to) });
      return { result: { from, to: done }, rest };
    }
    await delay(100);
  }
  return { result: { from, to } };
}
