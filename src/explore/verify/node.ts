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
