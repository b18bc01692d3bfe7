/** SET_PTE: what the guest's telling that an entry has changed makes the host do. */

import { PAGE_ACCESSED, PAGE_DIRTY } from '../shared/entry.ts';
import { spgdAddr, spteAddr } from '../src/paging/entries.ts';
import { guestSetPte } from '../src/paging/set.ts';
import { FORMS, HandDrivenGuest, pageAddress, SWEEP, top, USER_PAGE } from './guest.ts';
import { preparedNativeSide } from './native/yardstick.ts';
import { type Line, PREPARED_TIMES, prepared } from './pair.ts';

/** Tell every page's entry, with these flags. */
export function setAll(guest: HandDrivenGuest, flags: number): number {
  const { cpu } = guest;
  for (let i = 0; i < SWEEP; i++) {
    guestSetPte(cpu, top(0), pageAddress(i), guest.entryFor(i, flags));
  }
  return SWEEP;
}

export const YOUNG = USER_PAGE | PAGE_ACCESSED | PAGE_DIRTY;

/** Read and write every page's entry: what cannot be done without. */
function rewriteAll(guest: HandDrivenGuest): number {
  const { cpu, lg } = guest;
  for (let i = 0; i < SWEEP; i++) {
    const va = pageAddress(i);
    const at = spteAddr(cpu, lg.entry(spgdAddr(cpu, cpu.cpuPgd, va)), va);
    lg.setEntry(at, lg.entry(at));
  }
  return SWEEP;
}

export const setPteLines: readonly Line[] = FORMS.flatMap(({ paging, levels }) =>
  [
    { what: 'ACCESSED and DIRTY', flags: YOUNG },
    { what: 'neither ACCESSED nor DIRTY', flags: USER_PAGE },
  ].map(
    ({ what, flags }): Line => ({
      name: `set_pte with ${what}, ${levels}`,
      unit: 'ns',
      goal: { of: 'native', most: 3 },
      make: () => {
        const guest = new HandDrivenGuest({ paging });
        guest.faultAll();
        // In the shadow, so that there is something to release.
        const map = (): void => void setAll(guest, YOUNG);
        return {
          measured: prepared('guest_set_pte', map, () => setAll(guest, flags)),
          baseline: prepared('the shadow entry found, read and written', map, () =>
            rewriteAll(guest),
          ),
          native: preparedNativeSide('set-pte', { ...guest.options, flags }, PREPARED_TIMES),
        };
      },
    }),
  ),
);
