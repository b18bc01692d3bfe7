/**
 * Who has tried something in vain gives way, whatever the strategy says (Musuvathi, Qadeer: Fair
 * Stateless Model Checking, PLDI 2008, algorithm 1, where to relax is to yield):
 *
 * - It takes no next step while another can.
 * - Between two vain attempts, another that could go on all the time, or that it kept from going
 *   on, was to take a step. If it took none, the next attempt comes after its next step.
 *
 * So a loop that waits for what another CPU does ends under every strategy, and a run of too many
 * steps is one in which nobody gets on. See docs/decisions/fairness.md.
 */

/** Of each actor, as bits by actor. */
const Word = {
  /** Who takes a step before it does. */
  After: 0,
  /** Since its last vain attempt: who took a step, */
  Stepped: 1,
  /** who could go on all the time, */
  Able: 2,
  /** and whom its own steps kept from going on. */
  Stopped: 3,
} as const;

const WORDS = 4;

/** Who has tried in vain at all; who could go on at the last decision. */
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

  /** `current` has tried something in vain, and `able` are those that can go on. */
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
   * Before a decision: of those that are `able` to go on, who may; never nobody, if anybody is able.
   * `current` took the last step, and `inVain` says whether it has just tried something in vain.
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

  /** Who cannot go on any more could before the steps that `current` has taken since. */
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
