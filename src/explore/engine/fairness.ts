/**
 * Fairness: an actor that has made an attempt in vain yields, whatever the strategy says
 * (Musuvathi, Qadeer: Fair Stateless Model Checking, PLDI 2008, algorithm 1; relax is their yield):
 *
 * - It takes no next step while another can.
 * - Between two vain attempts, another actor that was enabled all the time, or that it disabled,
 *   must take a step. If it took none, the next attempt comes after its next step.
 *
 * So a loop that waits for another CPU ends under every strategy, and a run of too many steps is a
 * livelock. See docs/decisions/fairness.md.
 */

/** For each actor, sets of actors as bits. */
const Word = {
  /** Those that must take a step before it does. */
  After: 0,
  /** Since its last vain attempt: those that took a step, */
  Stepped: 1,
  /** those that were enabled all the time, */
  Able: 2,
  /** and those that its own steps disabled. */
  Stopped: 3,
} as const;

const WORDS = 4;

/** Those that made any attempt in vain; those enabled at the last decision. */
const TRIED = 0;
const WERE_ABLE = 1;
const ACTORS = 2;

export const fairnessWords = (actors: number): number => ACTORS + actors * WORDS;

export class Fairness {
  readonly #words: Uint32Array;

  /** `words`: as many as fairnessWords says, zero at the beginning of a run. */
  constructor(words: Uint32Array) {
    this.#words = words;
  }

  /** A run begins. */
  reset(): void {
    this.#words.fill(0);
  }

  /** `current` has made an attempt in vain; `able` are the enabled actors. */
  triedInVain(current: number, able: number): void {
    const words = this.#words;
    const at = placeOf(current);
    this.#see(current, able);
    if ((words[TRIED]! & (1 << current)) !== 0) {
      const due = words[at + Word.Able]! | words[at + Word.Stopped]!;
      words[at + Word.After]! |= due & ~words[at + Word.Stepped]! & ~(1 << current);
    }
    words[TRIED]! |= 1 << current;
    words[WERE_ABLE] = able;
    words[at + Word.Stepped] = 0;
    words[at + Word.Able] = able;
    words[at + Word.Stopped] = 0;
  }

  /**
   * Before a decision: which of the `able` actors may go on; never none, if any is able. `current`
   * took the last step, and `inVain` says whether that was an attempt in vain.
   */
  mayGoOn(current: number, able: number, inVain: boolean): number {
    if (this.#words[TRIED] === 0) return able;
    this.#see(current, able);
    let may = able;
    for (let mask = this.#words[TRIED]!; mask !== 0; mask &= mask - 1) {
      const actor = lowest(mask);
      if ((this.#words[placeOf(actor) + Word.After]! & able) !== 0) may &= ~(1 << actor);
    }
    const others = may & ~(1 << current);
    return inVain && others !== 0 ? others : may;
  }

  /** `actor` takes the next step. */
  chosen(actor: number): void {
    const words = this.#words;
    const mine = 1 << actor;
    for (let mask = words[TRIED]!; mask !== 0; mask &= mask - 1) {
      const at = placeOf(lowest(mask));
      words[at + Word.After]! &= ~mine;
      words[at + Word.Stepped]! |= mine;
    }
  }

  /** Actors that are no longer enabled were disabled by the steps of `current`. */
  #see(current: number, able: number): void {
    const words = this.#words;
    const stopped = words[WERE_ABLE]! & ~able & ~(1 << current);
    words[WERE_ABLE] = able;
    words[placeOf(current) + Word.Stopped]! |= stopped;
    for (let mask = words[TRIED]!; mask !== 0; mask &= mask - 1) {
      words[placeOf(lowest(mask)) + Word.Able]! &= able;
    }
  }
}

const placeOf = (actor: number): number => ACTORS + actor * WORDS;

/** The number of the lowest bit that is set. */
const lowest = (mask: number): number => 31 - Math.clz32(mask & -mask);
