/** The policies of a guest's paging code as fields of a file: a scenario's or a litmus test's. */

import { z } from 'zod';
import {
  AS_LGUEST,
  MOST_PREFAULT,
  type PagingPolicy,
  POLICY_CHOICES,
} from '../../shared/paging-policy.ts';

const chosen = <K extends keyof typeof POLICY_CHOICES>(what: K, description: string) =>
  z.enum(POLICY_CHOICES[what]).default(AS_LGUEST[what]).describe(description);

export const pagingPolicySchema = z
  .strictObject({
    set_pte: chosen(
      'setPte',
      'An entry that the guest sets with ACCESSED is mapped then or later.',
    ),
    eviction: chosen('eviction', 'Which cached pgdir makes room for another top level.'),
    kernel_mappings: chosen('kernelMappings', 'What becomes of the kernel part of such a pgdir.'),
    kernel_change: chosen(
      'kernelChange',
      'When a kernel mapping has changed: throw all away, or only what differs from the guest’s.',
    ),
    prefault: z
      .int()
      .min(1)
      .max(MOST_PREFAULT)
      .default(AS_LGUEST.prefault)
      .describe('Entries that a fault looks at together, its own and those beside it.'),
    reclaim: chosen(
      'reclaim',
      'Whether shadows that nobody runs on are emptied when the host is short of memory.',
    ),
  })
  .describe('Where the paging code does other than lguest’s.');

export const pagingPolicyOf = (policy: z.output<typeof pagingPolicySchema>): PagingPolicy => ({
  setPte: policy.set_pte,
  eviction: policy.eviction,
  kernelMappings: policy.kernel_mappings,
  kernelChange: policy.kernel_change,
  prefault: policy.prefault,
  reclaim: policy.reclaim,
});
