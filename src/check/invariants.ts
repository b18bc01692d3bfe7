/** All invariants that can be checked at one moment, in the order of their numbers. */

import type { Host } from '../../shared/host.ts';
import { checkAccessedDirty } from './accessed-dirty.ts';
import { isAsWritten } from './as-written.ts';
import { checkDirect } from './direct.ts';
import { checkGuestMemory } from './guest-memory.ts';
import { checkIsolation, checkRights } from './isolation.ts';
import { checkKernelBooks } from './kernel-books.ts';
import { Moment } from './moment.ts';
import { checkLivelock } from './progress.ts';
import { checkReferences } from './references.ts';
import { checkStale } from './stale.ts';
import { checkSwitcher } from './switcher.ts';
import type { Check, Violation } from './violation.ts';

/** At rest, or with all CPUs at safe points. */
const ALL_CHECKS: readonly Check[] = [
  checkIsolation,
  checkRights,
  checkDirect,
  (host, moment) => checkReferences(host, moment),
  checkSwitcher,
  checkStale,
  checkAccessedDirty,
  checkKernelBooks,
  checkGuestMemory,
  checkLivelock,
];

/**
 * The invariants for the code as written, with all its defects: without those that several of the
 * defects break, on the guest's rights, ACCESSED and DIRTY, and on entries that the guest removed.
 * Code that is repaired even in part must keep all.
 */
export function heldTo(host: Host, violations: readonly Violation[]): Violation[] {
  return violations.filter(({ invariant, guest, title }) => {
    if (guest === undefined || !isAsWritten(host.guests[guest]!)) return true;
    return invariant !== 4 && invariant !== 5 && title !== 'more rights than the guest gives';
  });
}

export const checkAll = (host: Host, moment = new Moment()): Violation[] =>
  heldTo(
    host,
    ALL_CHECKS.flatMap((check) => check(host, moment)),
  );
