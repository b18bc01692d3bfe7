/**
 * Invariant 5, the other half: an entry that the guest cleared does not come back. The guest
 * kernel's records of its mappings must agree with its tables.
 */

import type { Host } from '../../shared/host.ts';
import { auditKernel } from '../guest/kernel/audit.ts';
import { SWAPPER_PG_DIR } from '../guest/kernel/layout.ts';
import { toGpa } from '../hardware/address.ts';
import { Entry } from '../hardware/entry.ts';
import { asGuestSees, isSynchronised, wordOf } from './guest-tables.ts';
import { type Violation, violation } from './violation.ts';

/** At rest, or with all CPUs at safe points. */
export function checkKernelBooks(host: Host): Violation[] {
  return host.guests.filter(isSynchronised).flatMap((lg) => {
    const read = (gpa: number): number => wordOf(lg, toGpa(gpa));
    // A guest that some other software runs in keeps none.
    if (read(SWAPPER_PG_DIR) === 0) return [];
    const entry = (gpa: number): number => asGuestSees(lg, new Entry(read(gpa), 0)).low >>> 0;
    const findings = auditKernel({ form: lg.form, pages: lg.pfnLimit, read, entry });
    const expected = 'tables as the guest’s kernel has counted them';
    return findings.map((finding) =>
      violation(5, 'an entry came back', { guest: lg.index }, expected, finding),
    );
  });
}
