/**
 * Runs that repeat one another: given the same, each with a seed of its own. What one run has less
 * of than another it may have by chance; what six have less of than six others can be said.
 */

import { FEWEST, type Interval, ratioOf } from './statistics.ts';

export interface Repeated {
  /** Its input, without the seed. */
  readonly given: string;
  readonly seed: number | undefined;
}

/** The compared part of a run's report. */
interface Described {
  readonly configuration?: { readonly seed: number };
  readonly guests?: readonly { readonly name: string; readonly command: string }[];
}

/** `otherwise`: stands for the input, if the report lacks it. */
export function repeatedBy({ configuration, guests }: Described, otherwise: string): Repeated {
  if (configuration === undefined) return { given: otherwise, seed: undefined };
  const { seed, ...given } = configuration;
  const commands = guests?.map(({ name, command }) => [name, command]);
  return { given: JSON.stringify([given, commands]), seed };
}

/** Two with the same seed are not repetitions, but configurations to compare. */
export function repetitionsOf<T extends Repeated>(runs: readonly T[]): readonly (readonly T[])[] {
  const groups: T[][] = [];
  for (const run of runs) {
    const own = groups.find((group) =>
      group.every(({ given, seed }) => given === run.given && seed !== run.seed),
    );
    if (own === undefined) groups.push([run]);
    else own.push(run);
  }
  return groups;
}

/** `pinned.json and 5 more` */
export const groupName = (names: readonly string[]): string =>
  names.length === 1 ? names[0]! : `${names[0]} and ${names.length - 1} more`;

/** How many times as much the one has; undefined where runs are too few for that to be said. */
export const timesAsMuch = (of: readonly number[], to: readonly number[]): Interval | undefined =>
  Math.min(of.length, to.length) < FEWEST ? undefined : ratioOf(of, to);
