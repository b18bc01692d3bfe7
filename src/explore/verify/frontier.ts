/**
 * The frontier of a search: branches that are not explored yet, each a unit (unit.ts) that threads
 * run in parallel. Nodes on the path to an unexplored unit belong to the frontier: a unit reports
 * actors to add to their backtrack sets.
 *
 * The units, and so the number of blocked runs, may depend on the order in which units finish, with
 * more than two actors. The behaviours do not.
 */

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
  readonly place: Place | undefined;
  readonly actor: number;
  readonly share: number;
}

const ROOT: Branch = { place: undefined, actor: 0, share: 1 };

export interface Totals {
  classes: number;
  blocked: number;
  /** Of all runs to their end. */
  steps: number;
  /** That threads worked at it, one after the other. */
  seconds: number;
}

export const noTotals = (): Totals => ({ classes: 0, blocked: 0, steps: 0, seconds: 0 });

/** A running unit: its task, and how to settle it. */
export interface Due<Part, Result> {
  readonly part: Part;
  add(result: Result): void;
  /** It was not done after all. */
  giveBack(): void;
}

/** A frontier as text can hold it. */
export interface SavedFrontier extends Totals {
  readonly met: readonly Met[];
  readonly share: number;
  readonly doneShare: number;
  readonly places: readonly SavedPlace[];
  /** For each branch to explore, its node and actor. */
  readonly branches: readonly (readonly [place: number, actor: number])[];
}

interface SavedPlace extends Omit<Place, 'parent' | 'depth' | 'steps'> {
  readonly parent: number;
  readonly steps: readonly (readonly number[] | null)[];
}

/** Runs that begin with these steps; none for all of them. */
export interface UnitPart {
  readonly nodes: readonly Node[];
}

const NOWHERE = -1;

export class Frontier {
  readonly totals: Totals = noTotals();
  /** Up to how many preemptions all are done: there is none. */
  readonly bound = null;
  readonly #met = new Outcomes();
  /** The last one is done first. */
  readonly #queue: Branch[] = [ROOT];
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
    const branch = this.#take();
    return (
      branch && {
        part: { nodes: branch.place === undefined ? [] : nodesTo(branch.place, branch.actor) },
        add: (result) => this.#add(branch, result),
        giveBack: () => this.#giveBack(branch),
      }
    );
  }

  /** The last one whose siblings before it have taken their step. */
  #take(): Branch | undefined {
    const at = this.#queue.findLastIndex(({ place }) => {
      return place === undefined || bitsOf(place.done).every((actor) => place.steps[actor]);
    });
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
    this.#queue.push({ place, actor, share: place.share });
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
        this.#queue.push({ place, actor: other, share });
        done -= share;
      }
      parent = place;
      from = actor;
    }
    this.#doneShare += done;
  }

  save(): SavedFrontier {
    const places: SavedPlace[] = [];
    const numbers = new Map<Place, number>();
    const numberOf = (place: Place | undefined): number => {
      if (place === undefined) return NOWHERE;
      const way: Place[] = [];
      for (let at: Place | undefined = place; at && !numbers.has(at); at = at.parent) way.push(at);
      for (const each of way.reverse()) {
        const { parent, depth: _, steps, ...at } = each;
        numbers.set(each, places.length);
        places.push({
          ...at,
          parent: parent === undefined ? NOWHERE : numbers.get(parent)!,
          steps: Array.from(steps, (step) => (step === undefined ? null : [...step])),
        });
      }
      return numbers.get(place)!;
    };
    const branches = [...this.#working, ...this.#queue].map(
      ({ place, actor }) => [numberOf(place), actor] as const,
    );
    const { totals, met } = this;
    return {
      ...totals,
      met,
      share: this.#share,
      doneShare: this.#doneShare,
      places,
      branches,
    };
  }

  static load(saved: SavedFrontier): Frontier {
    const frontier = new Frontier();
    const { classes, blocked, steps, seconds } = saved;
    Object.assign(frontier.totals, { classes, blocked, steps, seconds });
    frontier.#met.addAll(saved.met);
    frontier.#share = saved.share;
    frontier.#doneShare = saved.doneShare;
    const places: Place[] = [];
    for (const { parent: number, steps: lists, ...at } of saved.places) {
      const parent = places[number];
      const footprints = lists.map((list) => (list === null ? undefined : Int32Array.from(list)));
      const depth: number = parent === undefined ? 0 : parent.depth + 1;
      places.push({ ...at, parent, depth, steps: footprints });
    }
    frontier.#queue.length = 0;
    for (const [number, actor] of saved.branches) {
      const place = places[number];
      // Units that were running when it was saved were not done.
      if (place !== undefined) place.done &= ~(1 << actor);
      frontier.#queue.push({ place, actor, share: place?.share ?? 1 });
    }
    return frontier;
  }
}

/** A node on the path, with its actor. */
