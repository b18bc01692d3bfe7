/** A litmus test with some of its operations left out. */

import { UserError } from '../../errors.ts';
import type { Litmus } from './litmus.ts';

/** For each column the places of the kept operations, ascending. */
export type Kept = readonly (readonly number[])[];

export const keepAll = ({ vcpus }: Litmus): Kept => vcpus.map(({ ops }) => [...ops.keys()]);

/**
 * Columns, outcomes and the guest stay: a vCPU without operations ends at once, and one that
 * another starts still waits for that. Throws UserError for a place without an operation.
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
