/** A litmus test with some of its operations left out. */

import { UserError } from '../../errors.ts';
import type { Litmus } from './litmus.ts';

/** Of each column the places of the operations that are left, ascending. */
export type Kept = readonly (readonly number[])[];

export const keepAll = ({ vcpus }: Litmus): Kept => vcpus.map(({ ops }) => [...ops.keys()]);

/**
 * Columns, outcomes and the guest stay: a vCPU without operations comes to its end at once,
 * and one that another is to start waits for that still. Throws UserError when there is
 * nothing at a place.
 */
export function keep(litmus: Litmus, kept: Kept): Litmus {
  const fits =
    kept.length === litmus.vcpus.length &&
    kept.every((places, i) =>
      places.every((at, j) => at > (places[j - 1] ?? -1) && at < litmus.vcpus[i]!.ops.length),
    );
  if (!fits) throw new UserError('the token is damaged: it keeps operations that the test has not');
  const vcpus = litmus.vcpus.map((column, i) => ({
    ...column,
    ops: kept[i]!.map((at) => column.ops[at]!),
    texts: kept[i]!.map((at) => column.texts[at]!),
  }));
  return { ...litmus, vcpus };
}
