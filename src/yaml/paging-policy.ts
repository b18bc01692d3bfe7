/** The policies of a guest's paging code as fields of a file: a scenario's or a litmus test's. */

import { z } from 'zod';
import {
  type FieldName,
  fieldName,
  ofEach,
  PAGING_POLICIES,
  type PagingPolicy,
  POLICY_NAMES,
  type PolicyName,
} from '../paging/policies/declared.ts';

type Fields = {
  readonly [K in PolicyName as FieldName<K>]: z.ZodDefault<
    z.ZodType<PagingPolicy[K], PagingPolicy[K]>
  >;
};

function fieldOf(name: PolicyName): z.ZodType {
  const { options, does, ...number } = PAGING_POLICIES[name];
  const field: z.ZodType =
    'most' in number ? z.int().min(1).max(number.most) : z.enum(options as readonly string[]);
  return field.default(options[0]).describe(does);
}

export const pagingPolicySchema = z
  .strictObject(
    Object.fromEntries(POLICY_NAMES.map((name) => [fieldName(name), fieldOf(name)])) as Fields,
  )
  .describe('Where the paging code differs from lguest’s.');

export const pagingPolicyOf = (policy: z.output<typeof pagingPolicySchema>): PagingPolicy =>
  ofEach((name) => policy[fieldName(name)]) as PagingPolicy;
