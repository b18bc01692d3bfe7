/** SET_PTE: what the guest's telling that an entry has changed makes the host do. */

import { PAGE_ACCESSED, PAGE_DIRTY, type PagingName } from '../src/hardware/entry.ts';
import { spgdAddr, spteAddr } from '../src/paging/entries.ts';
import { guestSetPte } from '../src/paging/set.ts';
import { FORMS, HandDrivenGuest, optionsFor, pageAddress, SWEEP, top, USER_PAGE } from './guest.ts';
import { preparedNativeSide } from './native/yardstick.ts';
import { type Line, PREPARED_TIMES, prepared, type Side } from './pair.ts';

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

/** Done to a guest whose pages are in the shadow, so that there is something to release. */
function onMapped(
  name: string,
  paging: PagingName,
  body: (guest: HandDrivenGuest) => number,
): Side {
  const guest = new HandDrivenGuest({ paging });
  guest.faultAll();
  return prepared(
    name,
    () => setAll(guest, YOUNG),
    () => body(guest),
  );
}

export const setPteLines: readonly Line[] = FORMS.flatMap(({ paging, levels }) =>
  [
    { what: 'ACCESSED and DIRTY', flags: YOUNG },
    { what: 'neither ACCESSED nor DIRTY', flags: USER_PAGE },
  ].map(
    ({ what, flags }): Line => ({
      name: `set_pte with ${what}, ${levels}`,
      unit: 'ns',
      goal: { of: 'native', most: 2 },
      measured: () => onMapped('guest_set_pte', paging, (guest) => setAll(guest, flags)),
      baseline: () => onMapped('the shadow entry found, read and written', paging, rewriteAll),
      native: () =>
        preparedNativeSide('set-pte', { ...optionsFor({ paging }), flags }, PREPARED_TIMES),
    }),
  ),
);
