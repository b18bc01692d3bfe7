/**
 * One run of a sweep: the switches of an earlier run up to some step, and from there on legs, each
 * of which runs one CPU. On request it records each access, to find the places for preemptions in
 * later runs.
 */

import type { Ptr } from '../../hardware/address.ts';
import type { Access } from '../engine/access.ts';
import type { Conflicts } from './conflicts.ts';
import {
  canBe,
  goesOnByItself,
  isRunnable,
  nthRunnable,
  type Situation,
  type Strategy,
} from './strategy.ts';

/** `who` runs up to its operation number `until`, from 1; Infinity: to its end. */
export interface Leg {
  readonly who: number;
  readonly until: number;
}

/** How many operations each CPU has reached, and the program's position at the last one. */
export interface Standings {
  readonly reached: readonly number[];
  readonly places: readonly number[];
}

const AT_THE_BEGINNING: Standings = { reached: [], places: [] };

export interface SweepPlan {
  /** The switches of the run that it leaves at step `from`: pairs of step and actor. */
  readonly switches: readonly number[];
  readonly from: number;
  /** As they were then. */
  readonly standings: Standings;
  /** A finite leg also ends when its CPU is disabled; then the legs to the end, in this order. */
  readonly legs: readonly Leg[];
}

/** Each CPU to its end, one after the other. */
export const BY_ITSELF: SweepPlan = {
  switches: [],
  from: 0,
  standings: AT_THE_BEGINNING,
  legs: [],
};

/** A scheduling point at which another CPU could have run and did not. */
export interface Point {
  readonly step: number;
  readonly actor: number;
  readonly kind: Access;
  readonly at: Ptr;
  /** The CPUs that could have run instead. */
  readonly runnable: number;
  /** It is the first one of an operation. */
  readonly begins: boolean;
  readonly standings: Standings;
  /** How long the list of switches was. */
  readonly switches: number;
}

/** Steps after which CPUs run round robin, piece by piece: an unfair plan is not a livelock. */
const FAIR_AFTER = 5000;

export class SweepRun implements Pick<Strategy, 'next' | 'until' | 'eachPiece'> {
  readonly plan: SweepPlan;
  /** Host CPUs; known after the first decision. */
  cpus = 0;
  /** The CPU of the first leg could not get as far as the leg says. */
  blocked = false;
  standings: Standings;
  /** The decisions: pairs of step and actor. */
  readonly switches: number[] = [];
  readonly points: Point[] = [];
  readonly #conflicts: Conflicts | undefined;
  #nextSwitch = 0;
  #leg = 0;
  /** The CPU that steps for one that tries in vain, and the last that did; −1 for none. */
  #helper = -1;
  #lastHelper = -1;
  #inPrefix: boolean;
  #isFair = false;
  until = 0;

  /** `conflicts`: records every access; absent, nothing is recorded. */
  constructor(plan: SweepPlan, conflicts?: Conflicts) {
    this.plan = plan;
    this.standings = plan.standings;
    this.#conflicts = conflicts;
    this.#inPrefix = plan.from > 0;
  }

  next(situation: Situation): number {
    const { step, current, cpus } = situation;
    this.cpus = cpus;
    if (
      this.#inPrefix &&
      step >= this.plan.from &&
      this.#nextSwitch === this.plan.switches.length
    ) {
      this.#inPrefix = false;
    }
    if (!this.#inPrefix) this.#stand(situation);
    const chosen = this.#inPrefix ? this.#asBefore(situation) : this.#byLegs(situation);
    if (this.#conflicts !== undefined) this.#record(situation, chosen, this.#conflicts);
    if (chosen !== current) this.switches.push(step, chosen);
    this.until = this.#untilAfter();
    return chosen;
  }

  get eachPiece(): boolean {
    if (this.#inPrefix) return false;
    const leg = this.plan.legs[this.#leg];
    const isBounded = leg !== undefined && leg.until !== Infinity;
    return isBounded || this.#helper >= 0 || this.#isFair;
  }

  #untilAfter(): number {
    if (this.#conflicts !== undefined) return 0;
    if (!this.#inPrefix) return Infinity;
    return this.plan.switches[this.#nextSwitch] ?? this.plan.from;
  }

  /** A CPU has reached another operation. */
  #stand({ current, begins, operation }: Situation): void {
    const { reached, places } = this.standings;
    if (!begins || operation === 0 || operation === (places[current] ?? 0)) return;
    this.standings = {
      reached: withAt(reached, current, (reached[current] ?? 0) + 1),
      places: withAt(places, current, operation),
    };
  }

  #asBefore(situation: Situation): number {
    const { switches } = this.plan;
    if (switches[this.#nextSwitch] === situation.step) {
      const planned = switches[this.#nextSwitch + 1]!;
      this.#nextSwitch += 2;
      if (canBe(situation, planned)) return planned;
    }
    const { runnable, current } = situation;
    return isRunnable(runnable, current) ? current : goesOnByItself(situation);
  }

  #byLegs(situation: Situation): number {
    const { runnable, current, relaxes } = situation;
    for (; ; this.#leg++) {
      const leg = this.plan.legs[this.#leg];
      if (leg === undefined || leg.until === Infinity) break;
      if ((this.standings.reached[leg.who] ?? 0) >= leg.until) continue;
      if (isRunnable(runnable, leg.who) && !(relaxes && current === leg.who)) return leg.who;
      if (this.#leg === 0) this.blocked = true;
    }
    return this.#toTheEnd(situation);
  }

  /**
   * The first enabled CPU. When it tries in vain, another CPU runs a piece before the next attempt,
   * each time another one.
   */
  #toTheEnd(situation: Situation): number {
    const { runnable, current, relaxes, begins, actors, step } = situation;
    this.#isFair = step >= this.plan.from + FAIR_AFTER;
    if (this.#isFair)
      return begins || relaxes ? after(situation, current) : goesOnByItself(situation);
    const first = this.#first(situation);
    if (this.#helper >= 0) {
      const { current: now } = situation;
      if (now === this.#helper && isRunnable(runnable, now) && !begins && !relaxes) return now;
      this.#helper = -1;
      return first;
    }
    if (!relaxes || current !== first) return first;
    for (let i = 1; i <= actors; i++) {
      const actor = (this.#lastHelper + i) % actors;
      if (actor === first || !isRunnable(runnable, actor)) continue;
      this.#helper = actor;
      this.#lastHelper = actor;
      return actor;
    }
    return first;
  }

  #first(situation: Situation): number {
    const { runnable, cpus, current } = situation;
    const { legs } = this.plan;
    if (this.#leg >= legs.length) {
      return isRunnable(runnable, current) ? current : goesOnByItself(situation);
    }
    for (let i = this.#leg; i < legs.length; i++) {
      if (isRunnable(runnable, legs[i]!.who)) return legs[i]!.who;
    }
    // A store buffer, or a CPU without a leg.
    for (let cpu = 0; cpu < cpus; cpu++) if (isRunnable(runnable, cpu)) return cpu;
    return nthRunnable(runnable, 0);
  }

  #record(situation: Situation, chosen: number, conflicts: Conflicts): void {
    const { step, current, runnable, begins, operation, cpus } = situation;
    if (chosen >= cpus) return;
    const kind = situation.pendingKind(chosen);
    if (kind === 0) return;
    const at = situation.pendingAt(chosen);
    if (this.#inPrefix) return;
    conflicts.note(kind, at, chosen, this.standings.reached[chosen] ?? 0);
    if (chosen !== current) return;
    this.points.push({
      step,
      actor: chosen,
      kind,
      at,
      runnable,
      begins: begins && operation !== 0,
      standings: this.standings,
      switches: this.switches.length,
    });
  }
}

/** The next enabled CPU after one, itself last. */
function after({ runnable, actors }: Situation, actor: number): number {
  for (let i = 1; ; i++) {
    const next = (actor + i) % actors;
    if (isRunnable(runnable, next)) return next;
  }
}

function withAt(list: readonly number[], at: number, value: number): readonly number[] {
  const changed = [...list];
  for (let i = changed.length; i < at; i++) changed.push(0);
  changed[at] = value;
  return changed;
}
