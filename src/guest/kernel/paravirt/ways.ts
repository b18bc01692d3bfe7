/** The kernel's operations for each way to virtualize it. */

import type { Virtualization } from '../../../../shared/virtualization.ts';
import { DIRECT } from './direct.ts';
import type { MmuOps } from './mmu-ops.ts';
import { NESTED } from './nested.ts';
import { SHADOW } from './shadow.ts';

export const MMU_OPS: Readonly<Record<Virtualization, MmuOps>> = {
  shadow: SHADOW,
  direct: DIRECT,
  nested: NESTED,
};
