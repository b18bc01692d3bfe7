/**
 * The operations that depend on how the kernel is virtualized (pv_mmu_ops of arch/x86): change page
 * table entries, and load processor state. Each way is a file beside this one and a line in
 * ways.ts.
 */

import type { Hypercall } from '../../../../shared/hypercall.ts';
import type { Entry } from '../../../hardware/entry.ts';
import type { KernelContext } from '../context.ts';
import type { Telling } from '../hypercalls.ts';

/** Which hypercall tells of a changed entry of an upper level. */
export type TableCall = typeof Hypercall.SetPgd | typeof Hypercall.SetPmd;

export interface MmuOps {
  /** `pte_val`: an entry of any level, with the guest's page in it. */
  loadPte(k: KernelContext, at: number): Entry;
  /** `set_pte`: an entry of the last level, in tables that are or may be in use. */
  setPte(
    k: KernelContext,
    telling: Telling,
    pgd: number,
    address: number,
    at: number,
    entry: Entry,
  ): void;
  /** The same in the tables of a process that has never run. */
  initPte(k: KernelContext, at: number, entry: Entry): void;
  /** `set_pgd` and `set_pmd`: entry `index` of the table at physical address `table`. */
  setTableEntry(
    k: KernelContext,
    call: TableCall,
    table: number,
    index: number,
    entry: Entry,
  ): void;
  /** `arch_leave_lazy_mmu_mode`: send the deferred updates. */
  flushLazy(k: KernelContext): void;
  /** A page becomes a table, with its final content; and a page is no longer a table. */
  protectTable(k: KernelContext, page: number): void;
  unprotectTable(k: KernelContext, page: number): void;
  /** `paravirt_alloc_pgd`: a new top level has what all have, and is one from now on. */
  pinTable(k: KernelContext, pgd: number): void;
  /** `paravirt_pgd_free`: it is not in use any more, and its user part is empty. */
  unpinTable(k: KernelContext, pgd: number): void;
  writeCr3(k: KernelContext, top: number): void;
  /** `flush_tlb_user` and, for all of it, `flush_tlb_kernel`. */
  flushTlb(k: KernelContext, all: 0 | 1): void;
  /** `load_sp0`: where traps from user mode push. */
  loadStack(k: KernelContext, top: number): void;
}

/** Where entry `index` of the table at physical address `table` is. */
export const entryAt = (k: KernelContext, table: number, index: number): number =>
  k.va(table + index * k.guest.form.entryWords * 4);
