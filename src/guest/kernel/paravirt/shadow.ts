/** The kernel writes its own tables, and tells the host what has changed. */

import { Hypercall } from '../../../../shared/hypercall.ts';
import { Selector } from '../../processor.ts';
import { tellPte } from '../hypercalls.ts';
import { STACK_PAGES } from '../layout.ts';
import { entryAt, type MmuOps } from './mmu-ops.ts';

const nothing = (): void => {};

export const SHADOW: MmuOps = {
  loadPte: (k, at) => k.loadEntry(at),
  setPte: (k, telling, pgd, address, at, entry) => {
    k.storeEntry(at, entry);
    tellPte(k, telling, pgd, address, entry);
  },
  initPte: (k, at, entry) => k.storeEntry(at, entry),
  setTableEntry: (k, call, table, index, entry) => {
    k.storeEntry(entryAt(k, table, index), entry);
    k.hypercall(call, table, index);
  },
  flushLazy: (k) => k.hypercall(Hypercall.FlushAsync),
  protectTable: nothing,
  unprotectTable: nothing,
  pinTable: nothing,
  unpinTable: nothing,
  writeCr3: (k, top) => k.hypercall(Hypercall.NewPgtable, top),
  flushTlb: (k, all) => k.hypercall(Hypercall.FlushTlb, all),
  loadStack: (k, top) => k.hypercall(Hypercall.SetStack, Selector.KernelData, top, STACK_PAGES),
};
