/**
 * The guest kernel's page allocator: a free list, a list of pages in the balloon, and a count for
 * each page in use. For a page in a list, the count holds the next page.
 */

import { PAGE_SHIFT } from '../../hardware/address.ts';
import type { KernelContext } from './context.ts';
import { mapKernelPage } from './kernel-mapping.ts';
import { BALLOON, FREE_PAGES, FRESH_PAGE, MEM_MAP, PAGE_COUNT } from './layout.ts';
import { panic } from './panic.ts';

const memMap = (k: KernelContext, page: number): number => k.va(MEM_MAP + page * 4);

/** A zeroed page with a count of 1; returns its number. Without memory the kernel panics. */
export const allocPage = (k: KernelContext): number =>
  k.call(() => {
    const page = takePage(k);
    k.store(memMap(k, page), 1);
    k.clearPage(k.va(page << PAGE_SHIFT));
    return page;
  });

function takePage(k: KernelContext): number {
  const free = takeFree(k);
  if (free !== 0) return free;
  const fresh = k.load(k.va(FRESH_PAGE));
  if (fresh === k.load(k.va(PAGE_COUNT))) {
    const back = popBalloon(k);
    if (back === 0) panic(k, 'out of memory');
    return back;
  }
  k.store(k.va(FRESH_PAGE), fresh + 1);
  return fresh;
}

/** From the free list, or 0. */
function takeFree(k: KernelContext): number {
  const free = k.load(k.va(FREE_PAGES));
  if (free !== 0) k.store(k.va(FREE_PAGES), nextInList(k, free));
  return free;
}

/** Fresh pages that stay out of the balloon: kernel stacks are made of nothing else. */
const RESERVE = 64;

/** A page that the guest can spare, or 0. Its content is lost. */
export const takeUnused = (k: KernelContext): number =>
  k.call(() => {
    const free = takeFree(k);
    if (free !== 0) return free;
    const fresh = k.load(k.va(FRESH_PAGE));
    if (fresh + RESERVE >= k.load(k.va(PAGE_COUNT))) return 0;
    k.store(k.va(FRESH_PAGE), fresh + 1);
    return fresh;
  });

export const nextInList = (k: KernelContext, page: number): number => k.load(memMap(k, page));

export function pushBalloon(k: KernelContext, page: number): void {
  k.store(memMap(k, page), k.load(k.va(BALLOON)));
  k.store(k.va(BALLOON), page);
}

/** A page out of the balloon, and into the kernel's mapping; 0 when there is none. */
export const popBalloon = (k: KernelContext): number =>
  k.call(() => {
    const page = k.load(k.va(BALLOON));
    if (page === 0) return 0;
    k.store(k.va(BALLOON), nextInList(k, page));
    mapKernelPage(k, page);
    return page;
  });

/** Two pages in a row, on an 8 KiB boundary, for a kernel stack. Boot time and fork. */
export const allocStack = (k: KernelContext): number =>
  k.call(() => {
    const fresh = k.load(k.va(FRESH_PAGE));
    const first = fresh + (fresh & 1);
    if (first + 2 > k.load(k.va(PAGE_COUNT))) panic(k, 'out of memory');
    k.store(k.va(FRESH_PAGE), first + 2);
    if (first !== fresh) freePage(k, fresh);
    for (const page of [first, first + 1]) k.clearPage(k.va(page << PAGE_SHIFT));
    return first;
  });

/** One more page table entry maps it. */
export function getPage(k: KernelContext, page: number): void {
  k.store(memMap(k, page), k.load(memMap(k, page)) + 1);
}

/** One fewer does; the last frees it. */
export function putPage(k: KernelContext, page: number): void {
  const count = k.load(memMap(k, page));
  if (count > 1) k.store(memMap(k, page), count - 1);
  else freePage(k, page);
}

export const pageCount = (k: KernelContext, page: number): number => k.load(memMap(k, page));

export const setPageCount = (k: KernelContext, page: number, count: number): void =>
  k.store(memMap(k, page), count);

export function freePage(k: KernelContext, page: number): void {
  k.store(memMap(k, page), k.load(k.va(FREE_PAGES)));
  k.store(k.va(FREE_PAGES), page);
}
