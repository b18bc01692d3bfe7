/** NEW_PGTABLE: to a page table whose shadow is cached, and to one whose shadow is not. */

import type { Gpa } from '../src/hardware/address.ts';
import * as switching from '../src/paging/switch.ts';
import * as guests from './guest.ts';
import { FORMS, HandDrivenGuest, optionsFor } from './guest.ts';
import { nativeSide } from './native/yardstick.ts';
import { type Line, repeated, type Side } from './pair.ts';

// The module's own, as in the code that is measured.
const { guestNewPagetable } = switching;
const { TOPS, top } = guests;

function switches(name: string, guest: HandDrivenGuest, next: () => Gpa): Side {
  return repeated(name, () => {
    const { cpu } = guest;
    for (let i = 0; i < TOPS; i++) guestNewPagetable(cpu, next());
    return TOPS;
  });
}

function cached(guest: HandDrivenGuest): Side {
  const same = top(0);
  return switches('cached', guest, () => same);
}

/**
 * With so many top levels each is long gone when it comes again; nothing is mapped in
 * them, so this is what a flush costs that finds nothing.
 */
function evicting(guest: HandDrivenGuest): Side {
  let next = 0;
  return switches('not cached, nothing mapped', guest, () => top(next++));
}

export const pgdirLines: readonly Line[] = FORMS.flatMap(({ paging, levels }): Line[] => [
  {
    name: `new page table, cached, ${levels}`,
    unit: 'ns',
    goal: { of: 'native', most: 2 },
    measured: () => cached(new HandDrivenGuest({ paging })),
    baseline: () => evicting(new HandDrivenGuest({ paging })),
    native: () => nativeSide('new-pgtable-cached', optionsFor({ paging })),
  },
  {
    name: `new page table, evicting one, ${levels}`,
    unit: 'ns',
    goal: { of: 'native', most: 2 },
    measured: () => evicting(new HandDrivenGuest({ paging })),
    baseline: () => cached(new HandDrivenGuest({ paging })),
    native: () => nativeSide('new-pgtable-evicting', optionsFor({ paging })),
  },
]);
