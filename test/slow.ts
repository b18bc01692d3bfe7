/** What a test does at length with UMBRA_SLOW set, and a part of it otherwise. */

export const SLOW = process.env['UMBRA_SLOW'] !== undefined;

/** One in so many, or all. */
export const someOf = <T>(all: readonly T[], one: number): readonly T[] =>
  SLOW ? all : all.filter((_, i) => i % one === 0);
