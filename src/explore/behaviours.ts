/**
 * How many behaviours a sample of schedules has shown, and how likely a further schedule of the
 * same strategy is to show another (Good: The population frequencies of species and the estimation
 * of population parameters, Biometrika 1953, after Turing; for testing: Böhme, STADS, TOSEM 2018).
 *
 * It is a statement on the strategy, not on coverage: behaviours that a strategy never reaches do
 * not count as unseen. In a test of 570 behaviours, random schedules had shown 29 when a further
 * one showed a new behaviour with a chance of one in a thousand.
 */

import { type Chance, formatChance } from '../numbers.ts';

export type Unseen = Chance;

/** Of a normal distribution: 95 % lie within so many standard deviations. */
const Z = 1.96;

/**
 * Of `n` independent schedules, `once` behaviours were shown by one schedule, and `twice` by two.
 * Undefined for no schedules.
 *
 * The variance is Esty's (Annals of Statistics 1983); the interval has the shape of Wilson's, so
 * that it has a width where nothing, or everything, was shown once. In simulations of 100 and 1,000
 * schedules it covered the truth in 89 to 100 of 100 (test/explore/behaviours.test.ts).
 */
export function unseenOf(n: number, once: number, twice: number): Unseen | undefined {
  if (n === 0) return undefined;
  const estimate = once / n;
  const variance = (once * (1 - estimate) + 2 * twice) / (n * n);
  const shrink = 1 + (Z * Z) / n;
  const middle = (estimate + (Z * Z) / (2 * n)) / shrink;
  const half = (Z * Math.sqrt(variance + (Z * Z) / (4 * n * n))) / shrink;
  const [low, high] = [Math.max(0, middle - half), Math.min(1, middle + half)];
  return { estimate, low: Math.min(low, estimate), high: Math.max(high, estimate) };
}

export class Behaviours {
  readonly #times = new Map<string, number>();
  #drawn = 0;

  /** `trace`: the digest of the behaviour; `isDrawn`: the schedule was not one of a list. */
  add(trace: string, isDrawn: boolean): void {
    if (isDrawn) this.#drawn++;
    // A behaviour that a list has shown is not new, however rarely it is drawn.
    this.#times.set(trace, (this.#times.get(trace) ?? 0) + (isDrawn ? 1 : NOT_DRAWN));
  }

  get distinct(): number {
    return this.#times.size;
  }

  /** The chance that a further schedule of the same kind shows a new behaviour. */
  get unseen(): Unseen | undefined {
    let [once, twice] = [0, 0];
    for (const times of this.#times.values()) {
      if (times === 1) once++;
      if (times === 2) twice++;
    }
    return unseenOf(this.#drawn, once, twice);
  }
}

/** More than twice. */
export const NOT_DRAWN = 3;

/** A line with that chance, for one more schedule `drawn` so; none if none was drawn. */
export const furtherText = (unseen: Unseen | null, drawn: string): string =>
  unseen === null
    ? ''
    : `chance that one more schedule${drawn} shows a new behaviour: ${formatChance(unseen)}\n`;
