/**
 * Invariant 5: ACCESSED and DIRTY are never lost. A present shadow entry has ACCESSED in the
 * guest's own entry, and a writable one DIRTY, since the next access would not fault. And bits that
 * a guest cleared do not come back.
 */

import type { Host } from '../../shared/host.ts';
import { Right } from '../hardware/access.ts';
import { flagsOf, PAGE_ACCESSED, PAGE_DIRTY, PAGE_RW } from '../hardware/entry.ts';
import { guestLookUp, isShadowed, judgingTop } from './guest-tables.ts';
import { Moment } from './moment.ts';
import { type Violation, violation, wordsOf } from './violation.ts';

/** At rest, or with all CPUs at safe points. */
export function checkAccessedDirty(host: Host, moment = new Moment()): Violation[] {
  const violations: Violation[] = [];
  for (const lg of host.guests.filter(isShadowed)) {
    for (const { pgdir, vaddr, entry, rights } of moment.shadow(lg).entries) {
      if (vaddr >= host.switcherAddr) continue;
      const own = guestLookUp(lg, judgingTop(lg, pgdir, vaddr), vaddr);
      // Entries that the guest does not map are invariant 4's.
      if (own === undefined) continue;
      const writable = (rights & Right.SupervisorWrite) !== 0;
      const due = writable ? PAGE_ACCESSED | PAGE_DIRTY | PAGE_RW : PAGE_ACCESSED;
      const missing = due & ~flagsOf(own.entry);
      // RW alone is a right, which is invariant 1's.
      if ((missing & ~PAGE_RW) === 0) continue;
      const place = { guest: lg.index, pgdir, vaddr, entry: wordsOf(entry) };
      const name = missing & PAGE_ACCESSED ? 'ACCESSED' : 'DIRTY';
      const flags = `0x${flagsOf(own.entry).toString(16)}`;
      violations.push(
        violation(5, `${name} is lost`, place, `${name} in the guest’s entry`, `flags ${flags}`),
      );
    }
  }
  return violations;
}
