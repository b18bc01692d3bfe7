/**
 * How many behaviours a test has, before all are run: by random ways down the tree of runs (Knuth:
 * Estimating the Efficiency of Backtrack Programs, 1975). The tree that was seen is kept, since the
 * branches of a place become known only by runs that pass it. An unseen branch is taken to be as
 * large as the mean of its siblings.
 */

import { Dice } from '../strategies/dice.ts';
import type { Subject } from '../subject.ts';
import { bitsOf, nodesTo, type PlaceInTree, withStep } from './node.ts';
import { runUnit, type UnitResult } from './unit.ts';

/** The whole rest of a run, from where nobody else is to go on. */
const LEAF = 'leaf';

interface Place extends PlaceInTree {
  readonly parent: Place | undefined;
  /** By actor, what comes after its step, as far as it was seen. */
  readonly below: (Below | undefined)[];
}

type Below = Place | typeof LEAF;

/** By so many runs at most, the same each time; where fewer are all there are, their number. */
export function estimate(subject: Subject, most: number): number {
  return new Estimator(subject).estimate(most);
}

/** There are hardly fewer: of known numbers, an estimate was 2.6 times at most (docs/verify.md). */
export const leastOf = (estimated: number): number => estimated / 4;

class Estimator {
  readonly #subject: Subject;
  readonly #dice = new Dice();
  #runs = 0;

  constructor(subject: Subject) {
    this.#subject = subject;
    this.#dice.seed(0);
  }

  estimate(most: number): number {
    const root = this.#run(undefined, 0);
    while (this.#runs < most && !isSeen(root)) this.#goDown(root);
    return sizeOf(root);
  }

  /** From `root` to the end of a run, by random branches of those not wholly seen. */
  #goDown(root: Below): void {
    for (let at: Below = root; at !== LEAF; ) {
      const open: number[] = actorsAt(at).filter((actor) => !isSeen((at as Place).below[actor]));
      if (open.length === 0) return;
      const actor = open[this.#dice.below(open.length)]!;
      at = at.below[actor] ?? this.#run(at, actor);
    }
  }

  /** One run that leaves `place` by a step of `actor`. */
  #run(place: Place | undefined, actor: number): Below {
    this.#runs++;
    const nodes = place === undefined ? [] : nodesTo(place, actor);
    if (place !== undefined) place.done |= 1 << actor;
    const result = runUnit(this.#subject, nodes, 1);
    if (place !== undefined) place.steps = withStep(place.steps, actor, result.step!);
    for (const plan of result.plans) {
      let at = place!;
      while (at.depth > plan.step) at = at.parent!;
      at.planned |= 1 << plan.actor;
    }
    return this.#keep(place, actor, result);
  }

  #keep(place: Place | undefined, actor: number, { rest }: UnitResult): Below {
    let parent = place;
    let from = actor;
    let first: Below = LEAF;
    for (const { actor: next, planned, done, asleep, steps } of rest) {
      const depth: number = parent === undefined ? 0 : parent.depth + 1;
      const at: Place = { parent, from, depth, planned, done, asleep, steps, below: [] };
      if (first === LEAF) first = at;
      if (parent !== undefined) parent.below[from] = at;
      parent = at;
      from = next;
    }
    if (parent !== undefined) parent.below[from] = LEAF;
    return first;
  }
}

/** The actors that are explored from a place, or planned to be. */
const actorsAt = ({ planned, asleep }: Place): number[] => bitsOf(planned & ~asleep);

/** Whether every branch below that is known was run. */
const isSeen = (below: Below | undefined): boolean =>
  below === LEAF ||
  (below !== undefined && actorsAt(below).every((actor) => isSeen(below.below[actor])));

function sizeOf(below: Below): number {
  if (below === LEAF) return 1;
  const seen = below.below.filter((each) => each !== undefined);
  const sum = seen.reduce((all, each) => all + sizeOf(each), 0);
  return (sum * actorsAt(below).length) / seen.length;
}
