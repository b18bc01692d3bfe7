/**
 * Demand faults, each with its share of the flush that made it necessary: as written, and
 * repaired in every discipline.
 */

import type { DisciplineName } from '../shared/discipline.ts';
import type { PagingName } from '../src/hardware/entry.ts';
import { guestPagetableFlushUser } from '../src/paging/flush.ts';
import { misses } from './accesses.ts';
import { FORMS, HandDrivenGuest, optionsFor } from './guest.ts';
import { isolated } from './isolates.ts';
import { nativeSide, noYardstick } from './native/yardstick.ts';
import { type Line, repeated, type Side, scaling } from './pair.ts';

function faults(name: string, guest: HandDrivenGuest): Side {
  return repeated(name, () => {
    guestPagetableFlushUser(guest.cpu);
    return guest.faultAll();
  });
}

const asWritten = FORMS.map(
  ({ paging, levels }): Line => ({
    name: `demand fault, ${levels}`,
    unit: 'ns',
    goal: { of: 'native', most: paging === 'pae' ? 1.7 : 1.5 },
    measured: () =>
      faults('demand_page, with its share of a flush', new HandDrivenGuest({ paging })),
    baseline: () => misses(paging),
    native: () => nativeSide('fault', optionsFor({ paging })),
  }),
);

const repaired = (paging: PagingName, levels: string, discipline: DisciplineName): Line => ({
  name: `demand fault, ${discipline}, ${levels}`,
  unit: 'ns',
  measured: () => faults(`repaired, ${discipline}`, new HandDrivenGuest({ paging, discipline })),
  baseline: () => faults('as written', new HandDrivenGuest({ paging })),
  native: () => nativeSide('fault', optionsFor({ paging, discipline })),
});

/** What it costs to take no lock, here and in C. */
const lockFree = FORMS.map(({ paging, levels }): Line => {
  const inC = (discipline: DisciplineName): Side =>
    nativeSide('fault', optionsFor({ paging, discipline }))!;
  const line = { part: 'faults', name: `demand fault, lock-free, ${levels}`, pair: 0 } as const;
  return {
    name: `demand fault, lock-free for as written, ${levels}`,
    unit: 'times',
    threads: true,
    goal: { of: 'baseline', most: 1 },
    measured: () => scaling('umbra', isolated('baseline', line), isolated('measured', line)),
    baseline: () => scaling('in C', inC('as-written'), inC('lock-free')),
  };
});

export const faultLines: readonly Line[] = [
  ...asWritten,
  ...FORMS.flatMap(({ paging, levels }) =>
    (['lock-free', 'pgdir-lock', 'guest-lock'] as const).map((discipline) =>
      repaired(paging, levels, discipline),
    ),
  ),
  ...(noYardstick() === undefined ? lockFree : []),
];
