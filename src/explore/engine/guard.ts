/**
 * The guard of a step: the step is enabled only while a condition on some words holds, and for
 * some steps only once its CPU's store buffer is empty.
 */

export interface Guard {
  readonly words: readonly number[];
  /** `found`: the values of these words, in their order. */
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
