/** Amounts for tests: all with UMBRA_SLOW set, and a part otherwise. */

export const SLOW = process.env['UMBRA_SLOW'] !== undefined;

/** One in this many, beginning with the first or another; or all. */
export const someOf = <T>(all: readonly T[], one: number, first = 0): readonly T[] =>
  SLOW ? all : all.filter((_, i) => i % one === first % one);
