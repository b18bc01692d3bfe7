/** The ways to virtualize a guest, by what its record says. */

import type { Lguest } from '../../../shared/lguest.ts';
import { DIRECT } from './direct.ts';
import { NESTED } from './nested.ts';
import { SHADOW } from './shadow.ts';
import type { Virtualizer } from './virtualizer.ts';

/** By switches, since V8 compares names by a call. */
export function virtualizerOf({ isShadow, isNested }: Lguest): Virtualizer {
  if (isShadow) return SHADOW;
  return isNested ? NESTED : DIRECT;
}
