/** The kernel does all of it itself, as on bare hardware, and the host does not hear of it. */

import { Hypercall } from '../../../../shared/hypercall.ts';
import { toGpa, toGva } from '../../../hardware/address.ts';
import { isPresent } from '../../../hardware/entry.ts';
import { Selector } from '../../processor.ts';
import type { KernelContext } from '../context.ts';
import { entryAt, type MmuOps } from './mmu-ops.ts';
import { SHADOW } from './shadow.ts';

export const NESTED: MmuOps = {
  ...SHADOW,
  setPte: (k, _telling, _pgd, address, at, entry) => {
    const old = k.loadEntry(at);
    k.storeEntry(at, entry);
    // An entry that was not present is in no TLB.
    if (isPresent(old)) k.instruction((cpu) => cpu.invlpg(toGva(address)));
  },
  setTableEntry: (k, call, table, index, entry) => {
    k.storeEntry(entryAt(k, table, index), entry);
    // With PAE the processor keeps the top level's entries until CR3 is written.
    if (!isPresent(entry) || (call === Hypercall.SetPgd && k.guest.form.pae)) reloadCr3(k);
  },
  flushLazy: () => {},
  writeCr3: (k, top) => {
    k.instruction((cpu) => cpu.writeCr3(toGpa(top)));
  },
  flushTlb: reloadCr3,
  loadStack: (k, top) => {
    k.instruction((cpu) => cpu.loadKernelStack(Selector.KernelData, toGva(top)));
  },
};

/** Write the same value to CR3, which empties the TLB. */
function reloadCr3(k: KernelContext): void {
  k.instruction((cpu) => cpu.writeCr3(cpu.cr3));
}
