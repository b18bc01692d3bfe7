/** Shadow paging, lguest's own way: everything is page_tables.c (src/paging). */

import { demandPage } from '../../paging/fault.ts';
import { guestPa } from '../../paging/flush.ts';
import { stackMoved } from '../../paging/pin.ts';
import { allocatePrivateSwitcher } from '../../paging/private-switcher.ts';
import { freeGuestPagetable, initGuestPagetable } from '../../paging/setup.ts';
import { claimPgdir, untilClaimable } from '../../paging/switch.ts';
import { enterGuest, leaveGuest } from '../switcher.ts';
import type { Virtualizer } from './virtualizer.ts';

export const SHADOW: Virtualizer = {
  initialise: (lg) => {
    const hasSwitcher = lg.sharesSwitcher || lg.cpus.every(allocatePrivateSwitcher);
    return initGuestPagetable(lg) === 0 && hasSwitcher;
  },
  free: freeGuestPagetable,
  mayDiscard: () => true,
  // A shadow entry holds a reference: the frame stays until the guest has told of the change.
  dropPage: () => {},
  claimTables: claimPgdir,
  untilTables: untilClaimable,
  enter: (host, hostCpu, mmu, cpu) => {
    enterGuest(host, hostCpu, mmu, cpu);
    return true;
  },
  leave: leaveGuest,
  repairFault: demandPage,
  ownTrap: () => undefined,
  deliversFault: () => false,
  deliversInterrupt: () => false,
  stackPa: guestPa,
  stackMoved,
  hypercall: () => 'not mine',
};
