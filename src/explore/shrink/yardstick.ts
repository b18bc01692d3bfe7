/**
 * Whether a litmus test still says something when operations are left out of it. Its outcomes
 * were declared for all of them: without a load, say, nobody has the right value in a register,
 * and every schedule is forbidden. So the smaller test is put to a machine without the defects
 * as well, and counts only when that one passes it. If such a machine fails the test itself,
 * it is enough that some schedule passes, and if none does even of the whole test, there is
 * nothing to go by.
 */

import type { Kept } from '../litmus/kept.ts';
import { STRATEGIES } from '../strategies/catalogue.ts';
import { Lenient, type Plan } from '../strategies/lenient.ts';
import type { Strategy } from '../strategies/strategy.ts';
import type { Subject } from '../subject.ts';

/** Schedules of the portfolio that it is run by, beside those with no preemption and the plan. */
const SCHEDULES = 21;

export class Yardstick {
  readonly #subject: Subject;
  readonly #repaired: Subject | undefined;
  readonly #mayPass: boolean;

  /** Without the defects; where there are none, by a lock for each guest, which is simplest. */
  constructor(subject: Subject, plan: Plan) {
    const { discipline, defects } = subject.setting;
    const ours = { ...subject.setting, defects: [] };
    const simple = { ...ours, discipline: 'guest-lock' } as const;
    const settings = defects.length > 0 && discipline !== 'as-written' ? [ours, simple] : [simple];
    this.#subject = subject;
    this.#repaired = settings
      .map((setting) => subject.changed({ setting }))
      .find((candidate) => runsOf(candidate, plan).every((passes) => passes()));
    this.#mayPass =
      this.#repaired === undefined && runsOf(subject, plan).some((passes) => passes());
  }

  accepts(kept: Kept, plan: Plan): boolean {
    if (this.#repaired !== undefined) {
      return runsOf(this.#repaired.changed({ kept }), plan).every((passes) => passes());
    }
    return (
      !this.#mayPass || runsOf(this.#subject.changed({ kept }), plan).some((passes) => passes())
    );
  }
}

/** Runs, each of which says when it is made whether it ends well. */
function runsOf(subject: Subject, plan: Plan): (() => boolean)[] {
  const portfolio = STRATEGIES.portfolio!();
  const planned = [...serialPlans(subject), plan].map((each) => new Lenient(each));
  const strategies = [...planned, ...Array<Strategy>(SCHEDULES).fill(portfolio)];
  return strategies.map((strategy, seed) => () => subject.run(strategy, seed).ending === 'ok');
}

/** Without preemption: each host CPU once as the first. */
export const serialPlans = ({ litmus }: Subject): Plan[] =>
  Array.from({ length: litmus.cpus }, (_, who) => [{ who, until: 1 }]);
