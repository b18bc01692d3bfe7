/**
 * What the kernel does in one of three ways, by how it is virtualized (pv_mmu_ops of
 * arch/x86): change a page table entry, and load what the processor goes by.
 *
 *  shadow  it writes its own tables, and tells the host what has changed
 *  direct  its tables hold host frames and are not its to write: it asks the host to
 *  nested  it does all of it itself, and the host does not hear of it
 */

import { Hypercall } from '../../../shared/hypercall.ts';
import { PAGE_SHIFT, toGpa, toGva } from '../../hardware/address.ts';
import { type Entry, isPresent, makeEntry, PAGE_NX_HIGH, ptePfn } from '../../hardware/entry.ts';
import { Selector } from '../processor.ts';
import type { KernelContext } from './context.ts';
import { asyncHypercall, type Telling, tellPte } from './hypercalls.ts';
import { PAGE_OFFSET, STACK_PAGES } from './layout.ts';

/** Which hypercall tells of a changed entry of an upper level. */
export type TableCall = typeof Hypercall.SetPgd | typeof Hypercall.SetPmd;

/** `pte_val`: an entry of any level, with the guest's page in it. */
export function loadPte(k: KernelContext, at: number): Entry {
  const entry = k.loadEntry(at);
  if (k.guest.virtualization !== 'direct' || !isPresent(entry)) return entry;
  const page = k.instruction((cpu) => cpu.guestPage(ptePfn(entry)));
  return makeEntry(page, entry.low & 0xfff, entry.high & PAGE_NX_HIGH);
}

/** `set_pte`: an entry of the last level, in tables that are or may be in use. */
export function setPte(
  k: KernelContext,
  telling: Telling,
  pgd: number,
  address: number,
  at: number,
  entry: Entry,
): void {
  if (k.guest.virtualization === 'direct') return updateEntry(k, telling, at, entry);
  if (k.guest.virtualization === 'shadow') {
    k.storeEntry(at, entry);
    return tellPte(k, telling, pgd, address, entry);
  }
  const old = k.loadEntry(at);
  k.storeEntry(at, entry);
  // What was not there is in no TLB.
  if (isPresent(old)) k.instruction((cpu) => cpu.invlpg(toGva(address)));
}

/** The same in the tables of a process that has never run. */
export function initPte(k: KernelContext, at: number, entry: Entry): void {
  if (k.guest.virtualization === 'direct') updateEntry(k, 'lazily', at, entry);
  else k.storeEntry(at, entry);
}

/** `set_pgd` and `set_pmd`: entry `index` of the table at physical address `table`. */
export function setTableEntry(
  k: KernelContext,
  call: TableCall,
  table: number,
  index: number,
  entry: Entry,
): void {
  const at = k.va(table + index * k.guest.form.entryWords * 4);
  if (k.guest.virtualization === 'direct') return updateEntry(k, 'now', at, entry);
  k.storeEntry(at, entry);
  if (k.guest.virtualization === 'shadow') k.hypercall(call, table, index);
  // With PAE the processor keeps the top level's entries until CR3 is written.
  else if (!isPresent(entry) || (call === Hypercall.SetPgd && k.guest.form.pae)) reloadCr3(k);
}

/** `mmu_update`, at once or with the next hypercall. */
function updateEntry(k: KernelContext, telling: Telling, at: number, { low, high }: Entry): void {
  const gpa = at - PAGE_OFFSET;
  if (telling === 'now') {
    return k.hypercall(Hypercall.MmuUpdate, gpa, low >>> 0, high >>> 0);
  }
  k.call(() => {
    asyncHypercall(k, Hypercall.MmuUpdate, gpa, low >>> 0, high >>> 0, 0);
    return 0;
  });
}

/** `paravirt_alloc_pgd`: a new top level has what all have, and is one from now on. */
export function pinTable(k: KernelContext, pgd: number): void {
  if (k.guest.virtualization === 'direct') k.hypercall(Hypercall.PinTable, pgd >>> PAGE_SHIFT);
}

/** `paravirt_pgd_free`: nobody runs on it any more, and its user part is empty. */
export function unpinTable(k: KernelContext, pgd: number): void {
  if (k.guest.virtualization === 'direct') k.hypercall(Hypercall.UnpinTable, pgd >>> PAGE_SHIFT);
}

/** `write_cr3` */
export function writeCr3(k: KernelContext, top: number): void {
  if (k.guest.virtualization === 'nested') k.instruction((cpu) => cpu.writeCr3(toGpa(top)));
  else k.hypercall(Hypercall.NewPgtable, top);
}

/** `flush_tlb_user` and, for all of it, `flush_tlb_kernel`. */
export function flushTlb(k: KernelContext, all: 0 | 1): void {
  if (k.guest.virtualization === 'nested') reloadCr3(k);
  else k.hypercall(Hypercall.FlushTlb, all);
}

/** What it is already: the TLB is empty then. */
const reloadCr3 = (k: KernelContext): void => void k.instruction((cpu) => cpu.writeCr3(cpu.cr3));

/** `load_sp0`: where traps from user mode push. */
export function loadStack(k: KernelContext, top: number): void {
  if (k.guest.virtualization === 'nested') {
    k.instruction((cpu) => cpu.loadKernelStack(Selector.KernelData, toGva(top)));
  } else {
    k.hypercall(Hypercall.SetStack, Selector.KernelData, top, STACK_PAGES);
  }
}
