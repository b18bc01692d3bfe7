/** Shadow paging, lguest's own way: everything is page_tables.c (src/paging). */

import { Hypercall } from '../../../shared/hypercall.ts';
import type { LgCpu } from '../../../shared/lg-cpu.ts';
import { toGpa, toGva } from '../../hardware/address.ts';
import { Entry } from '../../hardware/entry.ts';
import { demandPage } from '../../paging/fault.ts';
import { guestPa, guestPagetableFlushUser } from '../../paging/flush.ts';
import { stackMoved } from '../../paging/pin.ts';
import { guestMappingsChanged } from '../../paging/policies/compare.ts';
import { notifyDiscard, shrinkIfShort } from '../../paging/policies/reclaim.ts';
import { allocatePrivateSwitcher } from '../../paging/private-switcher.ts';
import { guestSetPgd, guestSetPmd, guestSetPte } from '../../paging/set.ts';
import { freeGuestPagetable, initGuestPagetable } from '../../paging/setup.ts';
import {
  claimPgdir,
  guestNewPagetable,
  letGoOfPgdir,
  untilClaimable,
} from '../../paging/switch.ts';
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
  pageDropped: notifyDiscard,
  claimTables: (cpu) => {
    shrinkIfShort(cpu);
    // A vCPU whose shadow another has taken, when all were in use, waits for one.
    return !cpu.started || claimPgdir(cpu);
  },
  untilTables: untilClaimable,
  letGoOfTables: letGoOfPgdir,
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
  hypercall: doShadowHcall,
};

function doShadowHcall(
  cpu: LgCpu,
  number: number,
  a: number,
  b: number,
  c: number,
  d: number,
): boolean {
  const { pae } = cpu.lg.form;
  switch (number) {
    case Hypercall.NewPgtable:
      guestNewPagetable(cpu, toGpa(a));
      return true;
    case Hypercall.FlushTlb:
      if (a === 0) guestPagetableFlushUser(cpu);
      else guestMappingsChanged(cpu);
      return true;
    case Hypercall.SetPte:
      guestSetPte(cpu, toGpa(a), toGva(b), new Entry(c, pae ? d : 0));
      return true;
    case Hypercall.SetPgd:
      guestSetPgd(cpu, toGpa(a), b);
      return true;
    case Hypercall.SetPmd:
      // Only a kernel with CONFIG_X86_PAE has it.
      if (pae) guestSetPmd(cpu);
      return pae;
    default:
      return false;
  }
}
