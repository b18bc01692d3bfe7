/** What only a guest with a shadow has to say. */

import { Hypercall } from '../../../shared/hypercall.ts';

export const ABOUT_SHADOWS: readonly number[] = [
  ...[Hypercall.NewPgtable, Hypercall.FlushTlb],
  ...[Hypercall.SetPte, Hypercall.SetPgd, Hypercall.SetPmd],
];
