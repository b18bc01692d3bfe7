/**
 * A search directed at a race, in the spirit of RaceFuzzer (Sen: Race Directed Random Testing
 * of Concurrent Programs, PLDI 2008): a CPU whose pending access is one side is held until another
 * CPU's pending access is the other side. A coin decides which is made first, and the other waits
 * until that CPU has run for a while.
 *
 * The rate of other switches, the share of candidates that are held, and how long the second side
 * waits are drawn for each run.
 */

import { Dice } from '../strategies/dice.ts';
import {
  countRunnable,
  isRunnable,
  nthRunnable,
  type Situation,
  type Strategy,
} from '../strategies/strategy.ts';
import type { Pending, Target } from './target.ts';

/** One in so many decisions switches to another CPU. */
const SWITCHES = [50, 10, 2];
/** Steps for which the second side waits at most; it goes on earlier if no other CPU can. */
const WAITS = [0, 3, 20, 1000];

/** The decision for a CPU at its pending access. */
type Stand =
  /** Nothing yet, or it may go on. */
  | 'undecided'
  | 'free'
  /** Until it meets the other side. */
  | 'held'
  /** Until the other side has gone on for a while. */
  | 'second';

export class Directed implements Strategy {
  readonly #target: Target;
  readonly #dice = new Dice();
  #switches = 0;
  /** Out of 4. */
  #holds = 0;
  #waits = 0;
  #stands: Stand[] = [];
  /** For second sides: the step from which they may go on. */
  #until: number[] = [];

  constructor(target: Target) {
    this.#target = target;
  }

  begin(seed: number, actors: number): void {
    this.#dice.seed(seed);
    this.#switches = SWITCHES[this.#dice.below(SWITCHES.length)]!;
    this.#holds = this.#dice.below(2) === 0 ? 4 : 2;
    this.#waits = WAITS[this.#dice.below(WAITS.length)]!;
    this.#stands = Array<Stand>(actors).fill('undecided');
    this.#until = Array<number>(actors).fill(0);
  }

  next(situation: Situation): number {
    const chosen = this.#meeting(situation) ?? this.#other(situation);
    this.#stands[chosen] = 'undecided';
    return chosen;
  }

  draw(): number {
    return this.#dice.word();
  }

  /** The CPU that goes first, if both sides are pending. */
  #meeting(situation: Situation): number | undefined {
    for (let a = 0; a < situation.cpus; a++) {
      if (!this.#mayMeet(situation, a)) continue;
      for (let b = 0; b < a; b++) {
        if (!this.#mayMeet(situation, b)) continue;
        if (!this.#target.isPair(pendingOf(situation, a), pendingOf(situation, b))) continue;
        const [first, second] = this.#dice.below(2) === 0 ? [a, b] : [b, a];
        this.#stands[second] = 'second';
        this.#until[second] = situation.step + this.#dice.below(this.#waits + 1) + 1;
        return first;
      }
    }
    return undefined;
  }

  /** It is held at a side's access. */
  #mayMeet(situation: Situation, cpu: number): boolean {
    const isAtSide = this.#target.isSide(pendingOf(situation, cpu));
    if (!isRunnable(situation.runnable, cpu) || !isAtSide) return false;
    if (this.#stands[cpu] === 'undecided') {
      this.#stands[cpu] = this.#dice.below(4) < this.#holds ? 'held' : 'free';
    }
    return this.#stands[cpu] === 'held';
  }

  /** A CPU that is not held; a held one if no other can go on. */
  #other({ runnable, current, step }: Situation): number {
    let free = 0;
    for (let mask = runnable; mask !== 0; mask &= mask - 1) {
      const actor = 31 - Math.clz32(mask & -mask);
      const stand = this.#stands[actor];
      const waits = stand === 'held' || (stand === 'second' && step < this.#until[actor]!);
      if (!waits) free |= 1 << actor;
    }
    const stays = isRunnable(free, current) && this.#dice.below(this.#switches) !== 0;
    if (stays) return current;
    const among = free !== 0 ? free : runnable;
    return nthRunnable(among, this.#dice.below(countRunnable(among)));
  }
}

const pendingOf = (situation: Situation, cpu: number): Pending => ({
  kind: situation.pendingKind(cpu),
  at: situation.pendingAt(cpu),
});
