/** A node of the search tree: the actor that goes on in this run, and the backtrack set. */

import type { Footprint } from './accesses.ts';

export type Steps = readonly (Footprint | undefined)[];

export const NO_STEPS: Steps = [];

/** Of those that are given as bits by actor. */
export const stepsOf = (steps: Steps, actors: number): Steps =>
  steps.map((step, actor) => (((actors >>> actor) & 1) === 1 ? step : undefined));

/** The same, with what `actor` does. */
export function withStep(steps: Steps, actor: number, step: Footprint): Steps {
  const more = [...steps];
  more[actor] = step;
  return more;
}

export interface Node {
  /** The actor that goes on in this run. */
  actor: number;
  /** As bits by actor: the backtrack set; the explored actors; the sleep set. */
  planned: number;
  done: number;
  readonly asleep: number;
  /** By actor, the steps of those that sleep, and of those whose runs are done. */
  steps: Steps;
}

/** A place in the search tree, known beyond one run. */
export interface PlaceInTree {
  /** The place one step before, and the actor that takes this step. */
  readonly parent: PlaceInTree | undefined;
  readonly from: number;
  readonly depth: number;
  /** As of a Node. */
  planned: number;
  done: number;
  readonly asleep: number;
  steps: Steps;
}

/** The steps of runs that leave `place` by `actor`, for Dpor.enter. */
export function nodesTo(place: PlaceInTree, actor: number): readonly Node[] {
  const done = 1 << actor;
  const asleep = place.asleep | (place.done & ~done);
  const nodes = [{ ...nodeAt(place, actor), done, asleep, steps: place.steps }];
  for (let at = place; at.parent !== undefined; at = at.parent) {
    nodes.push(nodeAt(at.parent, at.from));
  }
  return nodes.reverse();
}

const nodeAt = ({ planned, asleep }: PlaceInTree, actor: number): Node => ({
  actor,
  planned,
  done: planned,
  asleep,
  steps: NO_STEPS,
});

/** As bits by actor: the backtrack set without explored actors. */
export const left = ({ planned, done, asleep }: Omit<Node, 'actor' | 'steps'>): number =>
  planned & ~done & ~asleep;

/** The number of the lowest bit that is set. */
export const lowest = (mask: number): number => 31 - Math.clz32(mask & -mask);

/** The numbers of all bits that are set. */
export function bitsOf(mask: number): number[] {
  const bits: number[] = [];
  for (let rest = mask; rest !== 0; rest &= rest - 1) bits.push(lowest(rest));
  return bits;
}

/** A backtrack request for a node of another unit: the step of the run, and the actor. */
export interface Plan {
  readonly step: number;
  readonly actor: number;
}
