/**
 * What a step waits for: it can be taken only while some words are as they should be, and, of some
 * steps, once the stores that its CPU has buffered are in memory.
 */

export interface Guard {
  readonly words: readonly number[];
  /** `found`: what is in these words, in their order. */
  readonly holds: (found: readonly number[]) => boolean;
  readonly drained?: boolean;
}

/** For nothing but its CPU's buffer. */
export const DRAINED: Guard = { words: [], holds: () => true, drained: true };

/** A word is, or is not, `value`; signed or not is the same. */
export const guardOn = (at: number, value: number, isEqual: boolean): Guard => ({
  words: [at],
  holds: ([found]) => ((found! ^ value) === 0) === isEqual,
});
