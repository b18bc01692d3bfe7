/** Demand faults as written, each with its share of the flush that made it necessary. */

import { guestPagetableFlushUser } from '../src/paging/flush.ts';
import { misses } from './accesses.ts';
import { FORMS, HandDrivenGuest } from './guest.ts';
import { type Line, repeated } from './pair.ts';

export const faultLines: readonly Line[] = FORMS.map(({ paging, levels }) => ({
  name: `demand fault, ${levels}`,
  unit: 'ns',
  make: () => {
    const guest = new HandDrivenGuest(paging);
    // The baseline's own: its pages stay mapped.
    const mapped = new HandDrivenGuest(paging);
    mapped.faultAll();
    return {
      measured: repeated('demand_page, with its share of a flush', () => {
        guestPagetableFlushUser(guest.cpu);
        return guest.faultAll();
      }),
      baseline: misses(mapped.mmu()),
    };
  },
}));
