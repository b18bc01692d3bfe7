/**
 * Whether a litmus test is still meaningful when operations are left out. Its outcomes were
 * declared for all of them: without a load, for example, no register has the right value, and every
 * schedule is forbidden. So the smaller test must pass on a machine without the defects: at first
 * under some dozens of schedules, and the final one under as many as the search took that found the
 * failure, or under all of its behaviours if these are no more. If a machine without the defects
 * fails the whole test, one passing schedule is enough, and if not even the whole test has one,
 * nothing is checked.
 */

import type { DisciplineName } from '../../../shared/discipline.ts';
import type { Kept } from '../litmus/kept.ts';
import type { Litmus } from '../litmus/litmus.ts';
import type { Result } from '../result.ts';
import type { Setting } from '../setting.ts';
import { STRATEGIES } from '../strategies/catalogue.ts';
import { Lenient, type Plan } from '../strategies/lenient.ts';
import type { Strategy } from '../strategies/strategy.ts';
import type { Subject } from '../subject.ts';
import { Exhaustive } from '../verify/exhaustive.ts';
import { runOnce } from '../verify/unit.ts';

/** Schedules that a search took, of each strategy. */
export type Effort = readonly { readonly strategy: string; readonly schedules: number }[];

/** The least number of schedules for the final test. */
const LEAST: Effort[number] = { strategy: 'portfolio', schedules: 1000 };

/** Schedules of the portfolio for a smaller test, beside those without preemption and the plan. */
const SCHEDULES = 21;

/** How a test was run without the defects. */
export interface Control {
  readonly setting: Setting;
  readonly strategies: readonly string[];
  /** Schedules run, and planned. */
  readonly schedules: number;
  readonly wanted: number;
  /** They were all behaviours, each once (see src/explore/verify). */
  readonly verified: boolean;
  /** The first that did not end well; the last one. */
  readonly failure: { readonly subject: Subject; readonly result: Result } | undefined;
}

/** A schedule under which the test fails without the defects. */
interface Counterexample {
  readonly plan: Plan;
  readonly drawn: readonly number[];
  /** Of abridged runs, which make other accesses. */
  readonly abridged: boolean;
}

/** Of those that a test is for; `given`, where it is the only one. */
const simplestOf = ({ disciplines }: Litmus, given: DisciplineName): DisciplineName =>
  disciplines.includes('guest-lock') ? 'guest-lock' : (disciplines[0] ?? given);

export class Yardstick {
  /** How the whole test fails without the defects, if it does in the first schedules. */
  readonly failed: Control | undefined;
  /** Of the whole test; undefined when it fails without the defects. */
  #control: Subject | undefined;
  readonly #subject: Subject;
  readonly #plan: Plan;
  readonly #effort: Effort;
  readonly #counterexamples: Counterexample[] = [];
  /** Of the whole test, with its defects; once requested. */
  #mayPass: boolean | undefined;

  /**
   * Without the defects; if there are none, or that fails as well, in the simplest setting that the
   * test is for: guest-lock, and sequential consistency.
   */
  constructor(subject: Subject, plan: Plan, search: Effort) {
    const { discipline, defects } = subject.setting;
    const ours = { ...subject.setting, defects: [] };
    const simple = { ...ours, discipline: simplestOf(subject.litmus, discipline) };
    const settings = [
      ...(defects.length > 0 && discipline !== 'as-written' ? [ours] : []),
      simple,
      ...(ours.memory === 'tso' ? [{ ...simple, memory: 'sc' } as const] : []),
    ];
    this.#subject = subject;
    this.#plan = plan;
    const trials = settings.map((setting) => {
      const candidate = subject.changed({ setting });
      return { candidate, failed: firstFailure(candidate, strategiesFor(candidate, plan)) };
    });
    this.#control = trials.find(({ failed }) => failed === undefined)?.candidate;
    if (this.#control === undefined) this.failed = trials[0]!.failed;
    const others = search.filter(({ strategy }) => strategy !== LEAST.strategy);
    this.#effort = sumOf(search) < LEAST.schedules ? [...others, LEAST] : search;
  }

  /** Whether a smaller test passes, by some dozens of schedules. */
  accepts(kept: Kept, plan: Plan): boolean {
    if (this.#control !== undefined) return this.#passes(this.#control.changed({ kept }), plan);
    this.#mayPass ??= somePasses(this.#subject, this.#plan);
    return !this.#mayPass || somePasses(this.#subject.changed({ kept }), plan);
  }

  /**
   * Whether it passes, with as many schedules as the search took, or verified if that is no more.
   * Not for a whole test that fails. `next` is called after each schedule with the progress; may
   * throw.
   */
  async check(kept: Kept, next: (control: Control) => Promise<void>): Promise<Control> {
    const subject = this.#control!.changed({ kept });
    const strategies = this.#effort.map(({ strategy }) => strategy);
    const wanted = sumOf(this.#effort);
    let schedules = 0;
    const so = (failure: Control['failure']): Control => ({
      setting: subject.setting,
      strategies,
      schedules,
      wanted,
      verified: false,
      failure,
    });
    const verified = await this.#verified(subject, wanted, next);
    if (verified !== undefined) return verified;
    for (const { strategy: name, schedules: all } of this.#effort) {
      const strategy = STRATEGIES[name]!();
      for (let seed = 1; seed <= all; seed++) {
        const result = subject.run(strategy, seed);
        if (strategy.exhausted) break;
        schedules++;
        if (result.ending !== 'ok') return so({ subject, result });
        await next(so(undefined));
      }
    }
    return so(undefined);
  }

  /** All behaviours, if there are no more than so many; all pass unless a failure is returned. */
  async #verified(
    whole: Subject,
    wanted: number,
    next: (control: Control) => Promise<void>,
  ): Promise<Control | undefined> {
    const { setting } = whole;
    // Acts of hardware and store buffers need schedules that have them.
    const hasActs = this.#plan.some(({ who }) => who >= this.#subject.litmus.cpus);
    if (hasActs || setting.memory === 'tso') return undefined;
    const subject = abridgedOf(whole);
    const search = new Exhaustive(subject.board);
    let schedules = 0;
    const so = (verified: boolean, failure: Control['failure']): Control => ({
      setting,
      strategies: [],
      schedules,
      wanted: verified ? schedules : wanted,
      verified,
      failure,
    });
    while (search.goOn()) {
      if (schedules === wanted) return undefined;
      const result = runOnce(subject, search);
      if (result === undefined) continue;
      schedules++;
      if (result.ending !== 'ok') return so(false, { subject, result });
      await next(so(false, undefined));
    }
    return so(true, undefined);
  }

  /** A smaller test fails under this schedule: try it on others, too. */
  heed(counterexample: Counterexample): void {
    this.#counterexamples.push(counterexample);
  }

  /** The whole test fails without the defects. */
  loosen(): void {
    this.#control = undefined;
  }

  #passes(subject: Subject, plan: Plan): boolean {
    const passes = (of: Subject, strategies: readonly Strategy[]): boolean =>
      firstFailure(of, strategies) === undefined;
    const known = Map.groupBy(this.#counterexamples, ({ abridged }) => abridged);
    for (const [abridged, plans] of known) {
      const of = abridged ? abridgedOf(subject) : subject;
      const again = plans.map(({ plan: each, drawn }) => new Lenient(each, drawn));
      if (!passes(of, again)) return false;
    }
    return passes(subject, strategiesFor(subject, plan));
  }
}

const abridgedOf = (subject: Subject): Subject =>
  subject.changed({ setting: { ...subject.setting, abridged: true } });

const sumOf = (effort: Effort): number => effort.reduce((sum, { schedules }) => sum + schedules, 0);

/** Run each, until one fails. */
function firstFailure(subject: Subject, strategies: readonly Strategy[]): Control | undefined {
  for (const [seed, strategy] of strategies.entries()) {
    const result = subject.run(strategy, seed);
    if (result.ending === 'ok') continue;
    const { setting } = subject;
    const counts = { schedules: seed + 1, wanted: strategies.length };
    const how = { setting, strategies: [LEAST.strategy], verified: false };
    return { ...how, ...counts, failure: { subject, result } };
  }
  return undefined;
}

const somePasses = (subject: Subject, plan: Plan): boolean =>
  strategiesFor(subject, plan).some(
    (strategy, seed) => subject.run(strategy, seed).ending === 'ok',
  );

/** For one run each, from seed 0. */
function strategiesFor(subject: Subject, plan: Plan): Strategy[] {
  const portfolio = STRATEGIES.portfolio!();
  const planned = [...serialPlans(subject), plan].map((each) => new Lenient(each));
  return [...planned, ...Array<Strategy>(SCHEDULES).fill(portfolio)];
}

/** Without preemption: each host CPU once as the first. */
export const serialPlans = ({ litmus }: Subject): Plan[] =>
  Array.from({ length: litmus.cpus }, (_, who) => [{ who, until: 1 }]);
