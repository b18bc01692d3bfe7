/**
 * Changes of the page tables of processes that do not run: pages are unmapped from all tables
 * (try_to_unmap of mm/rmap.c), mapped again where they are accessed, or everywhere at once
 * (try_to_unuse of mm/swapfile.c), and made read-only to track writes (clear_refs of
 * fs/proc/task_mmu.c).
 *
 * The swap device is the guest's own memory, as with zram, but uncompressed: a slot is a page with
 * the content, and swapping in maps that page. So no memory is saved, but the tables change in the
 * same way.
 *
 * All passes are made with the page tables' lock, and without the kernel's where nothing
 * else is touched: other vCPUs fault, switch and map their own meanwhile.
 */

import { PAGE_SHIFT, PAGE_SIZE } from '../../hardware/address.ts';
import { Entry, isPresent, PAGE_RW } from '../../hardware/entry.ts';
import { Prot } from '../program.ts';
import type { KernelContext } from './context.ts';
import { MAX_MMS, Mm, mmAt, RECLAIM_ADDRESS, RECLAIM_MM, VmArea, ZERO_PAGE } from './layout.ts';
import { lockTables, unlockTables } from './page-table-lock.ts';
import {
  eachUserPte,
  isSwapped,
  pageOf,
  pgdOf,
  pteAddress,
  swapEntry,
  userEntry,
} from './page-tables.ts';
import { freePage, pageCount, setPageCount, takeUnused } from './pages.ts';
import { withoutKernelLock } from './tasks.ts';
import { flushMm, markStale } from './tlb.ts';
import { eachVma, findVma, nextVma, vmaProt } from './vma.ts';

/** Rounds of which one takes pages out, and one takes rights; in the others they come back. */
const ROUNDS = 16;

/** Pages that one pass takes out, and at most looks at for each. */
const BATCH = 8;
const SCANNED = 4;

const isUsed = (k: KernelContext, mm: number): boolean => k.load(k.va(mm + Mm.users)) !== 0;

/** One pass over the tables of all processes, by a kernel thread. */
export function swapRound(k: KernelContext, round: number): void {
  lockTables(k);
  const of = round % ROUNDS;
  if (of === 0) swapOut(k);
  else if (of === ROUNDS / 2) protect(k);
  else swapIn(k);
  unlockTables(k);
}

/** Swap the pages at the clock's hand out of all tables. */
function swapOut(k: KernelContext): void {
  const slots = Array.from({ length: BATCH }, () => takeUnused(k));
  const pages: number[] = [];
  withoutKernelLock(k, () => {
    for (const slot of slots) pages.push(slot === 0 ? 0 : takeOut(k, slot));
    k.mmu.flushLazy(k);
  });
  flushAll(k);
  // They cannot be written any more.
  for (const [i, slot] of slots.entries()) {
    const page = pages[i]!;
    if (page !== 0) {
      k.copyPage(k.va(slot << PAGE_SHIFT), k.va(page << PAGE_SHIFT));
      setPageCount(k, slot, pageCount(k, page));
    }
    const free = page === 0 ? slot : page;
    if (free !== 0) freePage(k, free);
  }
}

/** The next page of some process becomes `slot` in all tables. Returns it, or 0 for none. */
const takeOut = (k: KernelContext, slot: number): number =>
  k.call(() => {
    for (let i = 0; i < SCANNED; i++) {
      const page = k.call(() => {
        const index = k.load(k.va(RECLAIM_MM));
        const address = advance(k, index);
        const mm = mmAt(index);
        return address === 0 ? 0 : unmapEverywhere(k, mm, address, slot);
      });
      if (page !== 0) return page;
    }
    return 0;
  });

/** The next address of the hand in an mm; 0 at the end, and then it moves to the next mm. */
const advance = (k: KernelContext, index: number): number =>
  k.call(() => {
    const mm = mmAt(index);
    const from = k.load(k.va(RECLAIM_ADDRESS));
    const vma = isUsed(k, mm) ? nextVma(k, mm, from) : 0;
    if (vma !== 0) {
      const address = Math.max(from, k.load(k.va(vma + VmArea.start)));
      k.store(k.va(RECLAIM_ADDRESS), address + PAGE_SIZE);
      return address;
    }
    k.until(() => {
      const next = (k.load(k.va(RECLAIM_MM)) + 1) % MAX_MMS;
      k.store(k.va(RECLAIM_MM), next);
      return isUsed(k, mmAt(next)) ? 1 : 0;
    });
    k.store(k.va(RECLAIM_ADDRESS), 0);
    return 0;
  });

/** Swap the page that an mm has at an address out; 0 if there is none, or it stays. */
function unmapEverywhere(k: KernelContext, mm: number, address: number, slot: number): number {
  const at = pteAddress(k, pgdOf(k, mm), address, false);
  const entry = at === 0 ? undefined : k.mmu.loadPte(k, at);
  if (entry === undefined || !isPresent(entry)) return 0;
  const page = pageOf(entry);
  if (page === k.load(k.va(ZERO_PAGE))) return 0;
  const who = mappers(k, address, page);
  if (pageCount(k, page) !== bitCount(who)) return 0;
  k.each(0, MAX_MMS, (i) => {
    if (((who >>> i) & 1) === 0) return;
    const pgd = pgdOf(k, mmAt(i));
    k.mmu.setPte(k, 'lazily', pgd, address, pteAddress(k, pgd, address, false), swapEntry(slot));
    markStale(k, mmAt(i));
  });
  return page;
}

/**
 * The reverse map: a bit for each mm that maps `page` at `address`. It goes by the address,
 * since fork copies a page to where it was.
 *
 * LIMIT: a page that was moved while it was shared is not found everywhere, and stays.
 */
const mappers = (k: KernelContext, address: number, page: number): number =>
  k.call(() => {
    let who = 0;
    for (let i = 0; i < MAX_MMS; i++) who |= maps(k, mmAt(i), address, page) << i;
    return who;
  });

/** 1 or 0 */
const maps = (k: KernelContext, mm: number, address: number, page: number): number =>
  k.call(() => {
    if (!isUsed(k, mm)) return 0;
    const at = pteAddress(k, pgdOf(k, mm), address, false);
    if (at === 0) return 0;
    const entry = k.mmu.loadPte(k, at);
    return isPresent(entry) && pageOf(entry) === page ? 1 : 0;
  });

function bitCount(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}

/**
 * Swap everything in, writable at once where it belongs to one process alone. The other entries are
 * written unchanged, as change_protection does.
 */
const swapIn = (k: KernelContext): void =>
  rewrite(k, (entry, prot) => (isSwapped(entry) ? swappedIn(k, entry, prot) : entry));

/** The next write to any page faults. */
const protect = (k: KernelContext): void =>
  rewrite(k, (entry) => new Entry(entry.low & ~PAGE_RW, entry.high));

/** Have `to` in the place of each entry in use for user pages. */
function rewrite(k: KernelContext, to: (entry: Entry, prot: number) => Entry): void {
  withoutKernelLock(k, () => {
    k.each(0, MAX_MMS, (i) => {
      const mm = mmAt(i);
      if (!isUsed(k, mm)) return;
      const pgd = pgdOf(k, mm);
      eachVma(k, mm, (start, end) => {
        const prot = vmaProt(k, findVma(k, mm, start));
        eachUserPte(k, pgd, start, end, (at, entry, address) => {
          const fresh = to(entry, prot);
          k.mmu.setPte(k, 'lazily', pgd, address, at, fresh);
          if (entry.low & ~fresh.low & PAGE_RW) markStale(k, mm);
        });
      });
    });
    k.mmu.flushLazy(k);
  });
  flushAll(k);
}

const flushAll = (k: KernelContext): void => k.each(0, MAX_MMS, (i) => flushMm(k, mmAt(i)));

function swappedIn(k: KernelContext, entry: Entry, prot: number): Entry {
  if (prot === 0) return entry;
  const slot = pageOf(entry);
  const own = (prot & Prot.Write) !== 0 && pageCount(k, slot) === 1;
  return userEntry(k, slot, prot, own);
}
