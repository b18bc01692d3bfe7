/**
 * Adds acts of hardware: in every other run some interrupts and TLB evictions, at random steps
 * drawn beforehand. All else is decided by another strategy.
 */

import { actorOf } from '../engine/actors.ts';
import { Dice } from './dice.ts';
import { countRunnable, nthRunnable, type Situation, type Strategy } from './strategy.ts';

const MOST_EVENTS = 3;

/** Steps of a run, before one was seen. */
const FIRST_GUESS = 300;

/** Separate from the numbers that the other strategy draws from the same seed. */
const STREAM = 0x5eed_e7e7;

const KINDS = ['move', 'eviction'] as const;

type Kind = (typeof KINDS)[number];

export class WithEvents implements Strategy {
  readonly #inner: Strategy;
  readonly #dice = new Dice();
  /** Events to come, the next one last. */
  #plan: { readonly step: number; readonly kind: Kind }[] = [];
  /** An event is due that was not possible: it is retried at the beginnings of pieces. */
  #overdue = false;
  #steps = 0;

  constructor(inner: Strategy) {
    this.#inner = inner;
  }

  /** With an even seed there are no events. */
  begin(seed: number, actors: number): void {
    this.#inner.begin(seed, actors);
    this.#dice.seed(seed ^ STREAM);
    this.#overdue = false;
    const count = seed % 2 === 0 ? 0 : 1 + this.#dice.below(MOST_EVENTS);
    this.#plan.length = 0;
    for (let i = 0; i < count; i++) {
      const step = this.#dice.below(this.#steps || FIRST_GUESS);
      this.#plan.push({ step, kind: KINDS[this.#dice.below(KINDS.length)]! });
    }
    this.#plan.sort((a, b) => b.step - a.step);
  }

  next(situation: Situation): number {
    const due = this.#plan.at(-1);
    if (due === undefined || situation.step < due.step) return this.#inner.next(situation);
    if (this.#overdue && !situation.begins) return this.#inner.next(situation);
    const possible = ofKind(due.kind, situation);
    this.#overdue = possible === 0;
    if (this.#overdue) return this.#inner.next(situation);
    this.#plan.pop();
    return nthRunnable(possible, this.#dice.below(countRunnable(possible)));
  }

  get until(): number {
    const until = this.#inner.until ?? 0;
    const due = this.#plan.at(-1);
    return due === undefined || this.#overdue ? until : Math.min(until, due.step);
  }

  get eachPiece(): boolean {
    return this.#overdue;
  }

  ended(steps: number, trace: string): void {
    this.#steps = Math.max(this.#steps, steps);
    this.#inner.ended?.(steps, trace);
  }

  draw(): number {
    return this.#inner.draw();
  }

  get carry(): Strategy['carry'] {
    if (this.#inner.carry === undefined) return undefined;
    return (carry) => {
      this.#inner.carry!(carry);
      this.#dice.carry(carry);
      this.#overdue = carry(this.#overdue ? 1 : 0) === 1;
      const length = carry(this.#plan.length);
      this.#plan = Array.from({ length }, (_, i) => ({
        step: carry(this.#plan[i]?.step ?? 0),
        kind: KINDS[carry(KINDS.indexOf(this.#plan[i]?.kind ?? 'move'))]!,
      }));
    };
  }
}

function ofKind(kind: Kind, { events, cpus }: Situation): number {
  let mask = 0;
  for (let left = events; left !== 0; left &= left - 1) {
    const lowest = left & -left;
    if (actorOf(31 - Math.clz32(lowest), cpus).kind === kind) mask |= lowest;
  }
  return mask;
}
