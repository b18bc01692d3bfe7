/** Amounts for tests: all with UMBRA_SLOW set, and a part otherwise. */

export const SLOW = process.env['UMBRA_SLOW'] !== undefined;

/** One in this many, or all. */
export const someOf = <T>(all: readonly T[], one: number): readonly T[] =>
  SLOW ? all : all.filter((_, i) => i % one === 0);
