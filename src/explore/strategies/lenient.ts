/**
 * A plan of stretches, played as far as it goes: it does not say at which step of the run control
 * passes on but at which of a CPU's own decisions, so it means about the same when something
 * of the test or of the plan itself is left out.
 *
 * See docs/decisions/plans.md.
 */

import { canBe, isRunnable, nthRunnable, type Situation, type Strategy } from './strategy.ts';

/** `who` goes on until it has been chosen `until` times since the beginning of the run. */
export interface Stretch {
  readonly who: number;
  readonly until: number;
}

export type Plan = readonly Stretch[];

/**
 * A stretch is over, too, when its CPU cannot go on. After the last one there are only switches
 * that are forced: a CPU goes on until it cannot or tries in vain, and then the next CPU does.
 */
export class Lenient implements Strategy {
  readonly #plan: Plan;
  readonly #drawn: readonly number[];
  #stretch = 0;
  #draws = 0;
  #chosen = new Map<number, number>();
  /** The last host CPU; hardware takes single steps, after which it goes on. */
  #last = 0;

  /** `drawn`: the numbers that the machine draws, in order; 0 when they are used up. */
  constructor(plan: Plan, drawn: readonly number[] = []) {
    this.#plan = plan;
    this.#drawn = drawn;
  }

  begin(): void {
    this.#stretch = 0;
    this.#draws = 0;
    this.#chosen = new Map();
    this.#last = 0;
  }

  next(situation: Situation): number {
    const who = this.#planned(situation) ?? this.#byItself(situation);
    this.#chosen.set(who, this.#times(who) + 1);
    if (who < situation.cpus) this.#last = who;
    return who;
  }

  draw(): number {
    return this.#drawn[this.#draws++] ?? 0;
  }

  #times(who: number): number {
    return this.#chosen.get(who) ?? 0;
  }

  #planned(situation: Situation): number | undefined {
    for (; this.#stretch < this.#plan.length; this.#stretch++) {
      const { who, until } = this.#plan[this.#stretch]!;
      if (this.#times(who) < until && canBe(situation, who)) return who;
    }
    return undefined;
  }

  #byItself({ runnable, cpus }: Situation): number {
    for (let i = 0; i < cpus; i++) {
      const cpu = (this.#last + i) % cpus;
      if (isRunnable(runnable, cpu)) return cpu;
    }
    return nthRunnable(runnable, 0);
  }
}

/** Records the choices of another strategy as a plan, which plays them again. */
export class Noted implements Strategy {
  readonly plan: { who: number; until: number }[] = [];
  /** Switches away from a CPU that could have gone on. */
  preemptions = 0;
  readonly #strategy: Strategy;
  #chosen = new Map<number, number>();

  constructor(strategy: Strategy) {
    this.#strategy = strategy;
  }

  begin(seed: number, cpus: number): void {
    this.#strategy.begin(seed, cpus);
    this.plan.length = 0;
    this.preemptions = 0;
    this.#chosen = new Map();
  }

  next(situation: Situation): number {
    const who = this.#strategy.next(situation);
    const until = this.times(who) + 1;
    this.#chosen.set(who, until);
    const last = this.plan.at(-1);
    const { current, runnable } = situation;
    if (last && who !== current && isRunnable(runnable, current)) this.preemptions++;
    if (last?.who === who) last.until = until;
    else this.plan.push({ who, until });
    return who;
  }

  ended(steps: number, trace: string): void {
    this.#strategy.ended?.(steps, trace);
  }

  draw(): number {
    return this.#strategy.draw();
  }

  /** How often a CPU was chosen. */
  times(who: number): number {
    return this.#chosen.get(who) ?? 0;
  }
}
