/**
 * Whether a litmus test still says something when operations are left out of it. Its outcomes
 * were declared for all of them: without a load, say, nobody has the right value in a register,
 * and every schedule is forbidden. So the smaller test is put to a machine without the defects
 * as well, and counts only when that one passes it.
 */

import type { Kept } from '../litmus/kept.ts';
import type { Subject } from '../search.ts';
import { STRATEGIES } from '../strategies/catalogue.ts';
import { Lenient, type Plan } from '../strategies/lenient.ts';

/** Schedules of the portfolio that it must pass, beside those with no preemption and the plan. */
const SCHEDULES = 21;

export class Yardstick {
  readonly #subject: Subject | undefined;

  /** Without the defects; where there are none, by a lock for each guest, which is simplest. */
  constructor(subject: Subject, plan: Plan) {
    const { discipline, defects, paging } = subject.setting;
    const ours = { paging, discipline, defects: [] };
    const simple = { paging, discipline: 'guest-lock', defects: [] } as const;
    const settings = defects.length > 0 && discipline !== 'as-written' ? [ours, simple] : [simple];
    this.#subject = settings
      .map((setting) => subject.changed({ setting }))
      .find((candidate) => passes(candidate, plan));
  }

  /** Whether there is such a machine: if every one fails the test itself, nothing is known. */
  get exists(): boolean {
    return this.#subject !== undefined;
  }

  accepts(kept: Kept, plan: Plan): boolean {
    return this.#subject !== undefined && passes(this.#subject.changed({ kept }), plan);
  }
}

function passes(subject: Subject, plan: Plan): boolean {
  const strategies = [...serialPlans(subject), plan].map((each) => new Lenient(each));
  if (strategies.some((strategy) => subject.run(strategy, 0).ending !== 'ok')) return false;
  const portfolio = STRATEGIES.portfolio!();
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    if (subject.run(portfolio, seed).ending !== 'ok') return false;
  }
  return true;
}

/** Without preemption: each host CPU once as the first. */
export const serialPlans = ({ litmus }: Subject): Plan[] =>
  Array.from({ length: litmus.cpus }, (_, who) => [{ who, until: 1 }]);
