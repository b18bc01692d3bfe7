/**
 * Fewest switches first (Musuvathi, Qadeer: Iterative Context Bounding for Systematic
 * Testing of Multithreaded Programs, PLDI 2007): all schedules with no preemption, with
 * one, with two, and so on to a bound; each of them once. An event of the hardware's own
 * counts as one. A switch that is forced, because a CPU cannot go on, does not count if it
 * goes to the next CPU that can, and counts as one if it goes to another (Emmi, Qadeer,
 * Rakamarić: Delay-Bounded Scheduling, POPL 2011).
 */

import { canBe, goesOnByItself, type Situation, type Strategy } from './strategy.ts';

/** The deviations of a schedule from its default: pairs of step and actor. */
type Plan = readonly number[];

/** A run, from which others branch. */
interface Branching {
  readonly plan: Plan;
  /** For each decision, from the last deviation on. */
  readonly steps: readonly number[];
  /** The enabled CPUs. */
  readonly others: readonly number[];
  /** The possible events. */
  readonly events: readonly number[];
}

export class FewestSwitches implements Strategy {
  readonly bound: number;
  readonly isListed = true;
  readonly #queue: Branching[] = [];
  #branches: Iterator<Plan> | undefined;
  #plan: Plan = [];
  /** The plan: at which step which actor. */
  #planned = new Map<number, number>();
  #started = false;
  exhausted = false;
  #steps: number[] = [];
  #others: number[] = [];
  #events: number[] = [];

  constructor(bound: number) {
    this.bound = bound;
  }

  begin(): void {
    this.#plan = this.#started ? this.#nextPlan() : [];
    this.#started = true;
    this.#steps = [];
    this.#others = [];
    this.#events = [];
    this.#planned = new Map();
    for (let i = 0; i < this.#plan.length; i += 2) {
      this.#planned.set(this.#plan[i]!, this.#plan[i + 1]!);
    }
  }

  get preemptions(): number {
    return this.#plan.length / 2;
  }

  next(situation: Situation): number {
    const { step, current, runnable } = situation;
    const last = this.#plan.at(-2) ?? -1;
    const planned = this.#planned.get(step);
    // Used once: the chosen actor may be disabled again at the same step.
    this.#planned.delete(step);
    if (planned !== undefined && canBe(situation, planned)) return planned;
    const byItself = goesOnByItself(situation);
    if (step > last) {
      this.#steps.push(step);
      this.#others.push(runnable & ~(1 << byItself) & ~(1 << current));
      this.#events.push(situation.events);
    }
    return byItself;
  }

  ended(): void {
    if (this.exhausted || this.preemptions >= this.bound) return;
    this.#queue.push({
      plan: this.#plan,
      steps: this.#steps,
      others: this.#others,
      events: this.#events,
    });
  }

  draw(): number {
    return 0;
  }

  #nextPlan(): Plan {
    for (;;) {
      const next = this.#branches?.next();
      if (next !== undefined && !next.done) return next.value;
      const branching = this.#queue.shift();
      if (branching === undefined) {
        this.exhausted = true;
        return [];
      }
      this.#branches = branches(branching);
    }
  }
}

/** Switches before events: they cause more failures. */
function* branches({ plan, steps, others, events }: Branching): Generator<Plan> {
  for (const masks of [others, events]) {
    for (const [i, step] of steps.entries()) {
      for (let mask = masks[i]!; mask !== 0; mask &= mask - 1) {
        yield [...plan, step, 31 - Math.clz32(mask & -mask)];
      }
    }
  }
}
