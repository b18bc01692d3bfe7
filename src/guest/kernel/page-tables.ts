/**
 * The guest's page tables, as its kernel builds them: in guest memory, written through
 * the kernel's own mapping and announced to the host by hypercall (arch/x86/lguest/boot.c).
 */

import { Hypercall } from '../../../shared/hypercall.ts';
import { PAGE_SHIFT, PAGE_SIZE } from '../../hardware/address.ts';
import {
  Entry,
  isPresent,
  makeEntry,
  NO_ENTRY,
  PAGE_ACCESSED,
  PAGE_DIRTY,
  PAGE_GLOBAL,
  PAGE_NX_HIGH,
  PAGE_PRESENT,
  PAGE_RW,
  PAGE_TABLE,
  PAGE_USER,
  type PagingForm,
  PMD_SHIFT,
} from '../../hardware/entry.ts';
import { Prot } from '../program.ts';
import type { KernelContext } from './context.ts';
import { Mm, PAGE_OFFSET, SWAPPER_PG_DIR, ZERO_PAGE } from './layout.ts';
import { allocPage, getPage, putPage } from './pages.ts';
import type { TableCall } from './paravirt/mmu-ops.ts';
import { flushMm, markStale } from './tlb.ts';
import { eachVma } from './vma.ts';

/** A page that is mapped but not to be used (PROT_NONE), by Linux's bit for it. */
const PROTNONE = PAGE_GLOBAL;
/**
 * With neither this nor PRESENT an entry of PRESENT's other bits says where the content is
 * (swap.ts).
 */
const SWAPPED = 0x200;

export const swapEntry = (slot: number): Entry => makeEntry(slot, SWAPPED);

export const isSwapped = (entry: Entry): boolean =>
  !isPresent(entry) && (entry.low & SWAPPED) !== 0;

/** Bytes that one page of last-level entries maps. */
const ptePageSpan = (form: PagingForm): number => form.ptrsPerPte * PAGE_SIZE;

const entryBytes = (k: KernelContext): number => k.guest.form.entryWords * 4;

/** The page behind an entry: page numbers of guests fit the low half. */
export const pageOf = (entry: Entry): number => entry.low >>> PAGE_SHIFT;

/** A new top level whose kernel part is everybody's. Returns its physical address. */
export const pgdAlloc = (k: KernelContext): number =>
  k.call(() => {
    const page = allocPage(k);
    const pgd = page << PAGE_SHIFT;
    const { form } = k.guest;
    const swapper = k.load(k.va(SWAPPER_PG_DIR));
    k.each(PAGE_OFFSET / 2 ** form.pgdirShift, form.ptrsPerPgd, (i) => {
      const offset = i * entryBytes(k);
      k.storeEntry(k.va(pgd + offset), k.mmu.loadPte(k, k.va(swapper + offset)));
    });
    k.mmu.protectTable(k, page);
    k.mmu.pinTable(k, pgd);
    return pgd;
  });

/**
 * The virtual address of the last-level entry for `address`, or 0 where a level is
 * missing; `allocate` fills it in.
 */
export const pteAddress = (
  k: KernelContext,
  pgd: number,
  address: number,
  allocate: boolean,
): number =>
  k.call(() => {
    const { form } = k.guest;
    const top = Math.floor(address / 2 ** form.pgdirShift);
    const flags = form.pae ? PAGE_PRESENT : PAGE_TABLE;
    let table = below(k, Hypercall.SetPgd, pgd, top, allocate, flags);
    if (table !== 0 && form.pae) {
      const pmd = table;
      const middle = (address >>> PMD_SHIFT) & (form.ptrsPerPmd - 1);
      table = below(k, Hypercall.SetPmd, pmd, middle, allocate, PAGE_TABLE);
    }
    if (table === 0) return 0;
    const last = (address >>> PAGE_SHIFT) & (form.ptrsPerPte - 1);
    return k.va(table + last * entryBytes(k));
  });

/** The table that entry `index` of a table leads to, as a physical address; 0 for none. */
function below(
  k: KernelContext,
  call: TableCall,
  table: number,
  index: number,
  allocate: boolean,
  flags: number,
): number {
  const entry = k.mmu.loadPte(k, k.va(table + index * entryBytes(k)));
  if (isPresent(entry)) return pageOf(entry) << PAGE_SHIFT;
  if (!allocate) return 0;
  const page = allocPage(k);
  k.mmu.protectTable(k, page);
  k.mmu.setTableEntry(k, call, table, index, makeEntry(page, flags));
  return page << PAGE_SHIFT;
}

/** A page that was a table, and is part of none any more. */
export function putTable(k: KernelContext, page: number): void {
  k.mmu.unprotectTable(k, page);
  putPage(k, page);
}

/** An entry for a user page with the rights of its VMA; writable only if `write` too. */
export function userEntry(k: KernelContext, page: number, prot: number, write: boolean): Entry {
  const young = PAGE_PRESENT | PAGE_USER | PAGE_ACCESSED;
  const entry = makeEntry(page, write ? young | PAGE_RW | PAGE_DIRTY : young);
  const noExecute = k.guest.nx && !(prot & Prot.Exec);
  return noExecute ? new Entry(entry.low, PAGE_NX_HIGH) : entry;
}

/**
 * `body` for each entry in use for user pages from `start` to `end` (exclusive), which
 * are page-aligned; it gets the entry's address, the entry, and what it maps.
 */
export function eachUserPte(
  k: KernelContext,
  pgd: number,
  start: number,
  end: number,
  body: (at: number, entry: Entry, address: number) => void,
): void {
  const { form } = k.guest;
  const span = ptePageSpan(form);
  k.each(Math.floor(start / span), Math.ceil(end / span), (table) => {
    const first = Math.max(start, table * span);
    const last = Math.min(end, (table + 1) * span);
    const at = pteAddress(k, pgd, table * span, false);
    if (at === 0) return;
    k.each((first - table * span) / PAGE_SIZE, (last - table * span) / PAGE_SIZE, (i) => {
      const entryAt = at + i * entryBytes(k);
      const entry = k.mmu.loadPte(k, entryAt);
      if (entry.low !== 0) body(entryAt, entry, table * span + i * PAGE_SIZE);
    });
  });
}

/** `unmap_page_range`: remove the entries, and free the pages that have no other mapping. */
export function unmapRange(k: KernelContext, mm: number, start: number, end: number): void {
  const zeroPage = k.load(k.va(ZERO_PAGE));
  const pgd = pgdOf(k, mm);
  eachUserPte(k, pgd, start, end, (at, entry, address) => {
    k.mmu.setPte(k, 'lazily', pgd, address, at, NO_ENTRY);
    markStale(k, mm);
    if (pageOf(entry) !== zeroPage) putPage(k, pageOf(entry));
  });
  k.mmu.flushLazy(k);
  flushMm(k, mm);
}

/** `change_protection`: never makes an entry writable; the next write's fault does that. */
export function protectRange(
  k: KernelContext,
  mm: number,
  start: number,
  end: number,
  prot: number,
): void {
  const pgd = pgdOf(k, mm);
  eachUserPte(k, pgd, start, end, (at, entry, address) => {
    if (isSwapped(entry)) return;
    k.mmu.setPte(k, 'lazily', pgd, address, at, protectedEntry(k, entry, prot));
    markStale(k, mm);
  });
  k.mmu.flushLazy(k);
  flushMm(k, mm);
}

function protectedEntry(k: KernelContext, entry: Entry, prot: number): Entry {
  const page = pageOf(entry);
  if (prot === 0) return makeEntry(page, PROTNONE);
  const keep = userEntry(k, page, prot, false);
  if (!(prot & Prot.Write) || !(entry.low & PAGE_RW)) return keep;
  return new Entry(keep.low | PAGE_RW | (entry.low & PAGE_DIRTY), keep.high);
}

/** Share all user pages with a child, read-only on both sides until one of them writes. */
export function copyPageTables(k: KernelContext, mm: number, child: number): void {
  const zeroPage = k.load(k.va(ZERO_PAGE));
  const from = pgdOf(k, mm);
  const to = pgdOf(k, child);
  eachVma(k, mm, (start, end) => {
    eachUserPte(k, from, start, end, (at, entry, address) => {
      const shared = new Entry(entry.low & ~PAGE_RW, entry.high);
      if (entry.low & PAGE_RW) {
        k.mmu.setPte(k, 'lazily', from, address, at, shared);
        markStale(k, mm);
      }
      k.mmu.initPte(k, pteAddress(k, to, address, true), shared);
      if (pageOf(entry) !== zeroPage) getPage(k, pageOf(entry));
    });
  });
  k.mmu.flushLazy(k);
  flushMm(k, mm);
}

/** `free_pgtables`: the user part of a top level whose pages are unmapped already. */
export function freeUserTables(k: KernelContext, pgd: number): void {
  const { form } = k.guest;
  k.each(0, PAGE_OFFSET / 2 ** form.pgdirShift, (i) => {
    const at = k.va(pgd + i * entryBytes(k));
    const entry = k.mmu.loadPte(k, at);
    if (!isPresent(entry)) return;
    k.mmu.setTableEntry(k, Hypercall.SetPgd, pgd, i, NO_ENTRY);
    if (form.pae) {
      const pmd = pageOf(entry) << PAGE_SHIFT;
      k.each(0, form.ptrsPerPmd, (j) => {
        const middle = k.mmu.loadPte(k, k.va(pmd + j * entryBytes(k)));
        if (isPresent(middle)) putTable(k, pageOf(middle));
      });
    }
    putTable(k, pageOf(entry));
  });
}

/** The page behind an mm's top level. */
export const pgdOf = (k: KernelContext, mm: number): number => k.load(k.va(mm + Mm.pgd));
