/** Schedules by brute force: all with this many preemptions, before any step. */

import type { Result } from '../../../src/explore/result.ts';
import { FewestSwitches } from '../../../src/explore/strategies/fewest-switches.ts';
import type { Situation } from '../../../src/explore/strategies/strategy.ts';
import type { Subject } from '../../../src/explore/subject.ts';

/** Switches before every step; acts of hardware and the first choice count as preemptions. */
class BruteForce extends FewestSwitches {
  readonly #acts: boolean;

  constructor(preemptions: number, acts: boolean) {
    super(preemptions);
    this.#acts = acts;
  }

  override next(situation: Situation): number {
    if (this.#acts) return super.next(situation);
    return super.next(Object.create(situation, { events: { value: 0 } }) as Situation);
  }
}

export function* forced(subject: Subject, preemptions: number, acts: boolean): Generator<Result> {
  const strategy = new BruteForce(preemptions, acts);
  for (;;) {
    const result = subject.run(strategy, 0);
    if (strategy.exhausted) return;
    yield result;
  }
}
