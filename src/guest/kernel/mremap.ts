/**
 * mremap: moves the mappings of a range to another one. No thread may find them at both places: the
 * old entries are removed and flushed on all vCPUs before the new ones are set (move_page_tables of
 * mm/mremap.c; CVE-2018-18281).
 */

import { PAGE_SIZE } from '../../hardware/address.ts';
import { Entry, isPresent, NO_ENTRY, PAGE_PRESENT } from '../../hardware/entry.ts';
import type { KernelContext } from './context.ts';
import { PAGE_OFFSET } from './layout.ts';
import { eachUserPte, pgdOf, pteAddress, unmapRange } from './page-tables.ts';
import { flushMm, markStale } from './tlb.ts';
import { moveVmas, removeVmas } from './vma.ts';

/** In the place of PRESENT: an entry that is on its way. */
const MOVED = 0x400;

/** Whether a range of the same length can be where `to` says, and is another. */
export const canMove = (start: number, end: number, to: number): boolean => {
  const last = to + (end - start);
  return to % PAGE_SIZE === 0 && last <= PAGE_OFFSET && (last <= start || to >= end);
};

/** MREMAP_FIXED: mappings at `to` are removed. The range keeps its length. */
export function mremap(k: KernelContext, mm: number, start: number, end: number, to: number): void {
  const last = to + (end - start);
  unmapRange(k, mm, to, last);
  removeVmas(k, mm, to, last);
  moveVmas(k, mm, start, end, to);
  const pgd = pgdOf(k, mm);
  eachUserPte(k, pgd, start, end, (at, entry, address) => {
    const parked = new Entry((entry.low & ~PAGE_PRESENT) | MOVED, entry.high);
    const place = pteAddress(k, pgd, address - start + to, true);
    k.mmu.initPte(k, place, isPresent(entry) ? parked : entry);
    k.mmu.setPte(k, 'lazily', pgd, address, at, NO_ENTRY);
    markStale(k, mm);
  });
  k.mmu.flushLazy(k);
  flushMm(k, mm);
  eachUserPte(k, pgd, to, last, (at, entry, address) => {
    if (!(entry.low & MOVED)) return;
    const moved = new Entry((entry.low & ~MOVED) | PAGE_PRESENT, entry.high);
    k.mmu.setPte(k, 'lazily', pgd, address, at, moved);
  });
  k.mmu.flushLazy(k);
}
