/** A worker of umbra stress for a queue: one machine, with threads of its own. */

import { type Fixed, stress } from '../src/check/stress.ts';
import { stressCommandFor, stressFailure } from '../src/report/stress-failure.ts';
import { type StressTally, tallyOf } from '../src/report/stress-totals.ts';

export interface StressTask {
  readonly seed: number;
  readonly fixed: Fixed;
}

export interface StressResult {
  readonly tally: StressTally;
  /** The failure, as umbra stress reports it. */
  readonly told: string | undefined;
  readonly seconds: number;
}

/**
 * The machine is a function of the seed; which of its ends it comes to is one of its threads, too.
 */
export async function run({ seed, fixed }: StressTask): Promise<StressResult> {
  const start = performance.now();
  const outcome = await stress(seed, { fixed });
  const told =
    outcome.faults.length === 0 ? undefined : stressFailure(outcome, stressCommandFor(seed, fixed));
  return { tally: tallyOf(outcome), told, seconds: (performance.now() - start) / 1000 };
}
