/** The kernel's tables hold host frames and are not its to write: it asks the host to. */

import { Hypercall } from '../../../../shared/hypercall.ts';
import { PAGE_SHIFT } from '../../../hardware/address.ts';
import { type Entry, isPresent, makeEntry, PAGE_NX_HIGH, ptePfn } from '../../../hardware/entry.ts';
import type { KernelContext } from '../context.ts';
import { asyncHypercall, type Telling } from '../hypercalls.ts';
import { setKernelPageRights } from '../kernel-mapping.ts';
import { PAGE_OFFSET } from '../layout.ts';
import { entryAt, type MmuOps } from './mmu-ops.ts';
import { SHADOW } from './shadow.ts';

export const DIRECT: MmuOps = {
  ...SHADOW,
  loadPte: (k, at) => {
    const entry = k.loadEntry(at);
    if (!isPresent(entry)) return entry;
    const page = k.instruction((cpu) => cpu.guestPage(ptePfn(entry)));
    return makeEntry(page, entry.low & 0xfff, entry.high & PAGE_NX_HIGH);
  },
  setPte: (k, telling, _pgd, _address, at, entry) => updateEntry(k, telling, at, entry),
  initPte: (k, at, entry) => updateEntry(k, 'lazily', at, entry),
  setTableEntry: (k, _call, table, index, entry) =>
    updateEntry(k, 'now', entryAt(k, table, index), entry),
  protectTable: (k, page) => setKernelPageRights(k, page, false),
  unprotectTable: (k, page) => setKernelPageRights(k, page, true),
  pinTable: (k, pgd) => k.hypercall(Hypercall.PinTable, pgd >>> PAGE_SHIFT),
  unpinTable: (k, pgd) => k.hypercall(Hypercall.UnpinTable, pgd >>> PAGE_SHIFT),
};

/** `mmu_update`, at once or with the next hypercall. */
function updateEntry(k: KernelContext, telling: Telling, at: number, { low, high }: Entry): void {
  const gpa = (at - PAGE_OFFSET) >>> 0;
  if (telling === 'now') {
    return k.hypercall(Hypercall.MmuUpdate, gpa, low >>> 0, high >>> 0);
  }
  k.call(() => {
    asyncHypercall(k, Hypercall.MmuUpdate, gpa, low >>> 0, high >>> 0, 0);
    return 0;
  });
}
