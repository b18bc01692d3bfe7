/** Runs compared by their cycles, those that repeat one another together. */

import { type CostTable, cyclesOf, meanOf } from '../cost/model.ts';
import {
  type Conclusion,
  type Sensitivity,
  type Subject,
  sensitivity,
} from '../cost/sensitivity.ts';
import { groupName, type Repeated, repetitionsOf, timesAsMuch } from './repeated.ts';

export interface Compared extends Conclusion {
  /** Runs of each. */
  readonly runs: { readonly less: number; readonly more: number };
  /** Where the ratio lies with 95 %; absent where runs are too few to say. */
  readonly low?: number;
  readonly high?: number;
  /** `fewer`: the side with fewer cycles here has fewer at the 95 % level. */
  readonly verdict: 'fewer' | 'not clear';
}

export interface CostComparison extends Sensitivity {
  readonly conclusions: readonly Compared[];
}

export function compareCosts(
  runs: readonly (Subject & Repeated)[],
  table: Pick<CostTable, 'cycles'>,
): CostComparison {
  const groups = repetitionsOf(runs).map((group) => ({
    name: groupName(group.map(({ name }) => name)),
    occurrences: meanOf(group.map(({ occurrences }) => occurrences)),
    cycles: group.map(({ occurrences }) => cyclesOf(occurrences, table.cycles)),
  }));
  const found = sensitivity(groups, table);
  const cyclesNamed = new Map(groups.map(({ name, cycles }) => [name, cycles]));
  return {
    ...found,
    conclusions: found.conclusions.map((conclusion) => {
      const [less, more] = [conclusion.less, conclusion.more].map((name) => cyclesNamed.get(name)!);
      const times = timesAsMuch(more!, less!);
      return {
        ...conclusion,
        runs: { less: less!.length, more: more!.length },
        ...(times && { low: times.low, high: times.high }),
        verdict: times !== undefined && times.low > 1 ? 'fewer' : 'not clear',
      };
    }),
  };
}
