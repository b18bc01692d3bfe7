/** Invariants that a litmus test leaves to its guest, and those that the host must keep. */

import type { Host } from '../../../shared/host.ts';
import { dutyOf, GUEST_DUTIES, type GuestDuty } from '../../check/guest-duty.ts';
import { checkAll } from '../../check/invariants.ts';
import type { Moment } from '../../check/moment.ts';
import type { Violation } from '../../check/violation.ts';
import { type Gva, pageStart, toGva } from '../../hardware/address.ts';
import type { Litmus } from './litmus.ts';
import type { Reader } from './tokens.ts';

/** An invariant that is left to a test's guest: everywhere, or in these pages. */
export interface LeftToGuest {
  readonly duty: GuestDuty;
  readonly pages: readonly Gva[];
}

/** `stale`, `rights 0x00400000 0x00401000` */
export function readDuty(reader: Reader): LeftToGuest {
  const duty = reader.word(GUEST_DUTIES);
  const pages: Gva[] = [];
  while (reader.peek !== '') pages.push(toGva(pageStart(reader.address())));
  return { duty, pages };
}

export interface Broken {
  /** Violations that are the host's fault. */
  readonly byHost: readonly Violation[];
  /** Violations of what is left to the guest. */
  readonly byGuest: ReadonlySet<GuestDuty>;
}

/** At rest, or with all CPUs at safe points. */
export function brokenIn({ guestDuty }: Litmus, host: Host, moment?: Moment): Broken {
  const byGuest = new Set<GuestDuty>();
  const byHost = checkAll(host, moment).filter((violation) => {
    const duty = dutyOf(violation);
    if (duty === undefined || !guestDuty.some((left) => covers(left, duty, violation))) return true;
    byGuest.add(duty);
    return false;
  });
  return { byHost, byGuest };
}

const covers = ({ duty, pages }: LeftToGuest, broken: GuestDuty, { vaddr }: Violation): boolean =>
  duty === broken && (pages.length === 0 || pages.some((page) => page === vaddr));
