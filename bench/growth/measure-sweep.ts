/**
 * Measures a sweep: an isolate for each size, all of them there at the same time, and a batch
 * of each in turns; so what else the machine does falls on all sizes alike.
 */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { SweepResult } from '../../src/report/benchmark.ts';
import { exponentOf, type Interval, summarise } from '../../src/report/statistics.ts';
import type { Batch } from '../pair.ts';
import type { Sweep } from './sweep.ts';

const SWEEP_MS = 1_500;
const LEAST_ROUNDS = 5;

const NS_IN = { ns: 1, ms: 1e6 };

/** Rejects with what went wrong in an isolate, and after the signal. */
export async function measureSweep(sweep: Sweep, signal: AbortSignal): Promise<SweepResult> {
  const { name, over, unit, sizes, expected } = sweep;
  const workers: Worker[] = [];
  const samples: number[][] = sizes.map(() => []);
  try {
    for (const size of sizes) {
      const workerData = { name, size };
      const worker = new Worker(new URL('./point-worker.ts', import.meta.url), { workerData });
      workers.push(worker);
      // One after the other: they would disturb one another's warm-up.
      await once(worker, 'message', { signal });
    }
    const end = performance.now() + SWEEP_MS;
    const least = sweep.rounds ?? LEAST_ROUNDS;
    const isOver = (round: number): boolean =>
      round >= least && (sweep.rounds !== undefined || performance.now() >= end);
    for (let round = 0; !isOver(round); round++) {
      for (let i = 0; i < workers.length; i++) {
        const turn = (round + i) % workers.length;
        const { count, ns } = await batchOf(workers[turn]!, signal);
        samples[turn]!.push(ns / count / NS_IN[unit]);
      }
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  const points = sizes.map((size, i) => ({
    size,
    cost: summarise(samples[i]!),
    samples: samples[i]!,
  }));
  const exponent = exponentOf(
    sizes,
    points.map(({ cost }) => cost.median),
  );
  const verdict = verdictOn(exponent, expected);
  return { name, unit, over, expected, exponent, verdict, points };
}

async function batchOf(worker: Worker, signal: AbortSignal): Promise<Batch> {
  worker.postMessage('again');
  const [batch] = (await once(worker, 'message', { signal })) as [Batch];
  return batch;
}

/** Caches make larger machines a little slower, whatever the code does. */
const LENIENCY = 0.15;

/** Steeper only where the whole interval is. */
export function verdictOn({ value, low }: Interval, expected: number): SweepResult['verdict'] {
  if (value <= expected + LENIENCY) return 'ok';
  return low > expected + LENIENCY ? 'steeper' : 'not clear';
}
