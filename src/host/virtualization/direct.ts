/**
 * Direct paging (src/direct). Until the guest has tables it runs on a linear shadow, and it enters
 * through a copy of its top level that maps the Switcher; the rest is shared with shadow paging.
 */

import { directPa, doDirectHcall, freeDirectTables } from '../../direct/hypercalls.ts';
import { typeOf } from '../../direct/types.ts';
import { demandPage } from '../../paging/fault.ts';
import { SHADOW } from './shadow.ts';
import type { Virtualizer } from './virtualizer.ts';

export const DIRECT: Virtualizer = {
  ...SHADOW,
  free: (lg) => {
    freeDirectTables(lg);
    SHADOW.free(lg);
  },
  mayDiscard: (lg, page) => typeOf(lg, page) === 0,
  repairFault: (cpu, va, errorCode) => cpu.linearPages && demandPage(cpu, va, errorCode),
  stackPa: directPa,
  // Its stack is mapped by the guest's own tables alone.
  stackMoved: () => {},
  hypercall: doDirectHcall,
};
