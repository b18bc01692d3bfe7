/** NEW_PGTABLE: to a page table whose shadow is cached, and to one whose shadow is not. */

import { guestNewPagetable } from '../src/paging/switch.ts';
import { FORMS, HandDrivenGuest, TOPS, top } from './guest.ts';
import { type Line, repeated } from './pair.ts';

export const pgdirLines: readonly Line[] = FORMS.map(({ paging, levels }) => ({
  name: `new page table, evicting one, ${levels}`,
  unit: 'ns',
  make: () => {
    const evicting = new HandDrivenGuest(paging);
    const cached = new HandDrivenGuest(paging);
    let next = 0;
    return {
      // With so many top levels each is long gone when it comes again; nothing is mapped
      // in them, so this is what a flush costs that finds nothing.
      measured: repeated('not cached, nothing mapped', () => {
        for (let i = 0; i < TOPS; i++) guestNewPagetable(evicting.cpu, top(next++));
        return TOPS;
      }),
      baseline: repeated('cached', () => {
        for (let i = 0; i < TOPS; i++) guestNewPagetable(cached.cpu, top(0));
        return TOPS;
      }),
    };
  },
}));
