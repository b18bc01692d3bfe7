/** Arms of an experiment: the varied factors as lists of levels, and one run. */

import type { CostTable } from '../cost/model.ts';
import type { Arm, Measures } from './study.ts';

type Factors = Readonly<Record<string, readonly (string | number)[]>>;

/** One level of each factor. */
type Combination<F extends Factors> = { readonly [Name in keyof F]: F[Name][number] };

/** Measures one run of the guest or machine that these levels are about. */
type Run<L> = (levels: L, seed: number, costs: CostTable) => Measures | Promise<Measures>;

/** An arm for every combination of levels; the last factor varies fastest. */
export const crossed = <const F extends Factors>(
  experiment: string,
  factors: F,
  run: Run<Combination<F>>,
): Arm[] =>
  combinations(factors).map((levels) => ({
    experiment,
    levels,
    run: async (seed, costs) => run(levels, seed, costs),
  }));

const combinations = <F extends Factors>(factors: F): Combination<F>[] =>
  Object.entries(factors).reduce<Record<string, string | number>[]>(
    (all, [name, levels]) =>
      all.flatMap((one) => levels.map((level) => ({ ...one, [name]: level }))),
    [{}],
  ) as Combination<F>[];
