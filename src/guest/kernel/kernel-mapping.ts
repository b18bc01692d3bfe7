/**
 * The kernel's own mapping of memory. Its last-level tables hang below every top level,
 * so an entry is changed once, and the host, which is told, changes it in every shadow.
 */

import { PAGE_SHIFT, PAGE_SIZE } from '../../hardware/address.ts';
import {
  type Entry,
  makeEntry,
  NO_ENTRY,
  PAGE_ACCESSED,
  PAGE_DIRTY,
  PAGE_GLOBAL,
  PAGE_PRESENT,
  PAGE_RW,
  PMD_SHIFT,
} from '../../hardware/entry.ts';
import type { KernelContext } from './context.ts';
import type { Telling } from './hypercalls.ts';
import { SWAPPER_PG_DIR } from './layout.ts';

/** PAGE_KERNEL: with GLOBAL, as a kernel sets it that was told of PGE. */
export const KERNEL_PAGE = PAGE_PRESENT | PAGE_RW | PAGE_ACCESSED | PAGE_DIRTY | PAGE_GLOBAL;

/** Unmap a page from the kernel's mapping; effective once the TLBs are flushed. */
export const unmapKernelPage = (k: KernelContext, page: number): void =>
  setKernelPte(k, 'lazily', k.va(page << PAGE_SHIFT), NO_ENTRY);

export const mapKernelPage = (k: KernelContext, page: number): void =>
  setKernelPte(k, 'now', k.va(page << PAGE_SHIFT), makeEntry(page, KERNEL_PAGE));

/**
 * Where only the host may write a page table, it is read-only to the kernel as long as it is one.
 */
export function setKernelPageRights(k: KernelContext, page: number, writable: boolean): void {
  const entry = makeEntry(page, writable ? KERNEL_PAGE : KERNEL_PAGE & ~PAGE_RW);
  setKernelPte(k, 'now', k.va(page << PAGE_SHIFT), entry);
}

/** The last-level entry of an address of the kernel's. */
export function setKernelPte(
  k: KernelContext,
  telling: Telling,
  address: number,
  entry: Entry,
): void {
  k.call(() => {
    const { form } = k.guest;
    const bytes = form.entryWords * 4;
    const swapper = k.load(k.va(SWAPPER_PG_DIR));
    const below = (table: number, index: number): number =>
      (k.mmu.loadPte(k, k.va(table + index * bytes)).low & -PAGE_SIZE) >>> 0;
    let table = below(swapper, address >>> form.pgdirShift);
    if (form.pae) table = below(table, (address >>> PMD_SHIFT) & (form.ptrsPerPmd - 1));
    const last = (address >>> PAGE_SHIFT) & (form.ptrsPerPte - 1);
    k.mmu.setPte(k, telling, swapper, address >>> 0, k.va(table + last * bytes), entry);
    return 0;
  });
}
