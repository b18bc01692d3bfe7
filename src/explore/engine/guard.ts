/** What a step waits for: it can be taken only while some words are as they should be. */

export interface Guard {
  readonly words: readonly number[];
  /** `found`: what is in these words, in their order. */
  readonly holds: (found: readonly number[]) => boolean;
}

/** A word is, or is not, `value`; signed or not is the same. */
export const guardOn = (at: number, value: number, isEqual: boolean): Guard => ({
  words: [at],
  holds: ([found]) => ((found! ^ value) === 0) === isEqual,
});
