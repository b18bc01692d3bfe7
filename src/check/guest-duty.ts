/**
 * The guest's own duties: invariants that hold only once its kernel has told the host of all
 * changes of its tables. A kernel that flushes late, too little or in the wrong order breaks them,
 * and harms only itself. All others are the host's duties, whatever a guest does.
 */

import type { Violation } from './violation.ts';

export const GUEST_DUTIES = ['stale', 'rights', 'accessed_dirty'] as const;

export type GuestDuty = (typeof GUEST_DUTIES)[number];

/**
 * By titles of violations. A page outside comes from the guest's entry; the shadow is the host's.
 */
const DUTY_OF: Readonly<Record<string, GuestDuty>> = {
  'a stale shadow entry': 'stale',
  'a page outside the guest': 'stale',
  'more rights than the guest gives': 'rights',
  'ACCESSED is lost': 'accessed_dirty',
  'DIRTY is lost': 'accessed_dirty',
};

/** Whose duty it could have been but the host's; undefined if the host's alone. */
export const dutyOf = ({ title }: Violation): GuestDuty | undefined => DUTY_OF[title];
