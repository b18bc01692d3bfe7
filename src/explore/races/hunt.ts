/** From a race to a schedule in which it does harm, if one is found. */

import type { Result, Subject } from '../search.ts';
import { STACK_DEPTH, type Where, whereOf } from '../source.ts';
import { WithEvents } from '../strategies/with-events.ts';
import type { Step } from '../turn.ts';
import { Directed } from './directed.ts';
import { placeText, type Race } from './gather.ts';
import { type SideIndex, Target } from './target.ts';

/** What came of a directed search. */
export interface Hunt {
  readonly schedules: number;
  /** In how many the first side came first, and in how many the second one. */
  readonly orders: readonly [number, number];
  /** The schedule that went wrong; the last one. */
  readonly harm: Result | undefined;
}

/** Schedules directed at a race, one after the other. */
export class Hunter {
  readonly #subject: Subject;
  readonly #target: Target;
  readonly #strategy: WithEvents;
  readonly #orders: [number, number] = [0, 0];
  #schedules = 0;

  constructor(subject: Subject, race: Race) {
    this.#subject = subject;
    this.#target = new Target(race, subject.board.host.guests[0]!.form.entryWords);
    this.#strategy = new WithEvents(new Directed(this.#target));
  }

  /** The next schedule: what has come of all so far. */
  run(seed: number): Hunt {
    const { turn } = this.#subject.board;
    const order = new OrderWatch(this.#target);
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = STACK_DEPTH;
    turn.watcher = (step) => order.look(step);
    try {
      const result = this.#subject.run(this.#strategy, seed);
      this.#schedules++;
      const { first } = order;
      if (first !== undefined) this.#orders[first]++;
      const [a, b] = this.#orders;
      const harm = result.ending === 'ok' ? undefined : result;
      return { schedules: this.#schedules, orders: [a, b], harm };
    } finally {
      turn.watcher = undefined;
      Error.stackTraceLimit = stackTraceLimit;
    }
  }
}

/** Which side of a race came first in a run, where they first were of the same word. */
class OrderWatch {
  readonly #target: Target;
  readonly #seen: { readonly side: SideIndex; readonly step: Step }[] = [];
  first: SideIndex | undefined;

  constructor(target: Target) {
    this.#target = target;
  }

  /** At each step. */
  look(step: Step): void {
    const { kind, at, cpu } = step;
    if (this.first !== undefined || !this.#target.covers(kind, at)) return;
    const where = whereOf(new Error().stack!);
    for (const side of [0, 1] as const) {
      if (!this.#isSide(side, step, where)) continue;
      const other = this.#seen.find(
        (seen) =>
          seen.side !== side &&
          seen.step.cpu !== cpu &&
          this.#target.meet(seen.step.kind, seen.step.at, kind, at),
      );
      if (other !== undefined) this.first = this.#named(other.side, other.step.cpu, cpu);
      this.#seen.push({ side, step });
      if (other !== undefined) return;
    }
  }

  /** Where both sides are the same, the first is that of the lower CPU. */
  #named(side: SideIndex, first: number, second: number): SideIndex {
    const [a, b] = this.#target.sides;
    if (a.access !== b.access || placeText(a.where) !== placeText(b.where)) return side;
    return first < second ? 0 : 1;
  }

  #isSide(side: SideIndex, { kind, at }: Step, where: Where): boolean {
    const { where: expected } = this.#target.sides[side];
    return this.#target.isSide(side, kind, at) && placeText(where) === placeText(expected);
  }
}
