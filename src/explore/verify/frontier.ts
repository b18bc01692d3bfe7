/**
 * The frontier of a search: branches that are not explored yet, each a unit (unit.ts) that threads
 * run in parallel. Nodes on the path to an unexplored unit belong to the frontier: a unit reports
 * actors to add to their backtrack sets.
 *
 * The units, and so the number of blocked runs, may depend on the order in which units finish, with
 * more than two actors. The behaviours do not.
 */

import { assert } from '../../errors.ts';
import { bitsOf, left, type Node, nodesTo, type PlaceInTree, withStep } from './node.ts';
import { type Met, Outcomes } from './outcomes.ts';
import type { UnitResult } from './unit.ts';

interface Place extends PlaceInTree {
  readonly parent: Place | undefined;
  /** The estimated share of the whole tree of each branch from here. */
  readonly share: number;
}

/** A branch to explore; at first the whole tree. */
interface Branch {
  /** In the order in which they became known. */
  readonly number: number;
  readonly place: Place | undefined;
  readonly actor: number;
  readonly share: number;
}

const ROOT: Branch = { number: 0, place: undefined, actor: 0, share: 1 };

export interface Totals {
  classes: number;
  blocked: number;
  /** Of all runs to their end. */
  steps: number;
  /** That threads worked at it, one after the other. */
  seconds: number;
}

export const noTotals = (): Totals => ({ classes: 0, blocked: 0, steps: 0, seconds: 0 });

/** A unit that was run: which one it was, for the frontier that it is of, and its result. */
export interface Done<Result> {
  readonly place: readonly number[];
  readonly result: Result;
}

/** A running unit: its task, and how to settle it. */
export interface Due<Part, Result> {
  readonly part: Part;
  /** See Done. */
  readonly place: readonly number[];
  add(result: Result): void;
  /** It was not done after all. */
  giveBack(): void;
}

/** Runs that begin with these steps; none for all of them. */
export interface UnitPart {
  readonly nodes: readonly Node[];
}

export class Frontier {
  readonly totals: Totals = noTotals();
  /** Up to how many preemptions all are done, and how many those are: there is none. */
  readonly bound = null;
  readonly within = null;
  readonly #met = new Outcomes();
  /** The last one is done first. */
  readonly #queue: Branch[] = [ROOT];
  #known = 1;
  readonly #working = new Set<Branch>();
  /** The estimated total, and what is done. */
  #share = 1;
  #doneShare = 0;

  get isDone(): boolean {
    return this.#queue.length === 0 && this.#working.size === 0;
  }

  get isUnderWay(): boolean {
    return this.#working.size > 0;
  }

  get met(): readonly Met[] {
    return this.#met.all;
  }

  /**
   * The estimated number of behaviours, if the unknown part of the tree is like the known part;
   * once something is done. Trees are uneven: it may be off by ten times and more.
   */
  get guess(): number | undefined {
    if (this.isDone) return this.totals.classes;
    return this.#doneShare === 0
      ? undefined
      : this.totals.classes * (this.#share / this.#doneShare);
  }

  /** The next unit, if there is one that can be done now. */
  due(): Due<UnitPart, UnitResult> | undefined {
    const branch = this.#take(isReady);
    return (
      branch && {
        place: [branch.number],
        part: { nodes: branch.place === undefined ? [] : nodesTo(branch.place, branch.actor) },
        add: (result) => this.#add(branch, result),
        giveBack: () => this.#giveBack(branch),
      }
    );
  }

  /** Units that were done before, in the order in which they were added. */
  resume(units: Iterable<Done<UnitResult>>): void {
    for (const { place, result } of units) {
      const branch = this.#take(({ number }) => number === place[0]);
      assert(branch !== undefined, 'what was done was known');
      this.#add(branch, result);
    }
  }

  /** No more of it will be asked for: forget what is left, but that there is something. */
  leave(): void {
    this.#queue.splice(1);
  }

  /** The last one of which this is so. */
  #take(isNext: (branch: Branch) => boolean): Branch | undefined {
    const at = this.#queue.findLastIndex(isNext);
    const [branch] = at < 0 ? [] : this.#queue.splice(at, 1);
    if (branch === undefined) return undefined;
    this.#working.add(branch);
    if (branch.place !== undefined) branch.place.done |= 1 << branch.actor;
    return branch;
  }

  #add(branch: Branch, result: UnitResult): void {
    const { totals } = this;
    this.#working.delete(branch);
    totals.classes += result.classes;
    totals.blocked += result.blocked;
    totals.steps += result.steps;
    totals.seconds += result.seconds;
    this.#met.addAll(result.met);
    const { place, actor } = branch;
    if (place !== undefined) place.steps = withStep(place.steps, actor, result.step!);
    for (const plan of result.plans) this.#plan(place!, plan.step, plan.actor);
    this.#addRest(branch, result.rest);
  }

  #giveBack(branch: Branch): void {
    this.#working.delete(branch);
    if (branch.place !== undefined) branch.place.done &= ~(1 << branch.actor);
    this.#queue.push(branch);
  }

  #plan(from: Place, step: number, actor: number): void {
    let place = from;
    while (place.depth > step) place = place.parent!;
    if (((place.planned | place.asleep) & (1 << actor)) !== 0) return;
    place.planned |= 1 << actor;
    this.#share += place.share;
    this.#queue.push({ number: this.#known++, place, actor, share: place.share });
  }

  /** Add the unexplored branches of nodes on the path of a unit. */
  #addRest(branch: Branch, rest: readonly Node[]): void {
    let parent = branch.place;
    let from = branch.actor;
    let share = branch.share;
    let done = branch.share;
    for (const { actor, planned, done: gone, asleep, steps } of rest) {
      share /= bitsOf(planned).length;
      const depth: number = parent === undefined ? 0 : parent.depth + 1;
      const place: Place = { parent, from, depth, planned, done: gone, asleep, steps, share };
      for (const other of bitsOf(left(place))) {
        this.#queue.push({ number: this.#known++, place, actor: other, share });
        done -= share;
      }
      parent = place;
      from = actor;
    }
    this.#doneShare += done;
  }
}

/** Its siblings before it have taken their step. */
const isReady = ({ place }: Branch): boolean =>
  place === undefined || bitsOf(place.done).every((actor) => place.steps[actor]);
