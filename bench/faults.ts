/**
 * Demand faults, each with its share of the flush that made it necessary: as written, and
 * repaired in every discipline.
 */

import type { DisciplineName } from '../shared/discipline.ts';
import type { PagingName } from '../src/hardware/entry.ts';
import { guestPagetableFlushUser } from '../src/paging/flush.ts';
import type { Goal } from '../src/report/benchmark.ts';
import { misses } from './accesses.ts';
import { FORMS, HandDrivenGuest, optionsFor } from './guest.ts';
import { nativeSide } from './native/yardstick.ts';
import { type Line, repeated, type Side } from './pair.ts';

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
    goal: { of: 'native', most: 2.5 },
    measured: () =>
      faults('demand_page, with its share of a flush', new HandDrivenGuest({ paging })),
    baseline: () => misses(paging),
    native: () => nativeSide('fault', optionsFor({ paging })),
  }),
);

const repaired = (paging: PagingName, levels: string, discipline: DisciplineName): Line => {
  const goal: Goal | undefined =
    discipline === 'lock-free' ? { of: 'baseline', most: 1.3 } : undefined;
  return {
    name: `demand fault, ${discipline}, ${levels}`,
    unit: 'ns',
    ...(goal && { goal }),
    measured: () => faults(`repaired, ${discipline}`, new HandDrivenGuest({ paging, discipline })),
    baseline: () => faults('as written', new HandDrivenGuest({ paging })),
    native: () => nativeSide('fault', optionsFor({ paging, discipline })),
  };
};

export const faultLines: readonly Line[] = [
  ...asWritten,
  ...FORMS.flatMap(({ paging, levels }) =>
    (['lock-free', 'pgdir-lock', 'guest-lock'] as const).map((discipline) =>
      repaired(paging, levels, discipline),
    ),
  ),
];
