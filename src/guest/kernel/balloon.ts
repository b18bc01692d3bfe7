/**
 * The balloon: pages that the guest gives up for a while. Each is unmapped from the kernel's own
 * mapping, everywhere, and then the Launcher is told, which may free the frame. When it is mapped
 * again the page is zero.
 */

import { Hypercall } from '../../../shared/hypercall.ts';
import { PAGE_SHIFT } from '../../hardware/address.ts';
import type { KernelContext } from './context.ts';
import { unmapKernelPage } from './kernel-mapping.ts';
import { BALLOON } from './layout.ts';
import { freePage, nextInList, popBalloon, pushBalloon, takeUnused } from './pages.ts';
import { flushKernel } from './tlb.ts';

/** Pages of one call, which are on the stack while the Launcher is told of them. */
const MOST_PAGES = 64;

/** Marks the page in a NOTIFY as one to be discarded; other notifications are of aligned words. */
const DISCARD = 1;

/** Give up to `count` pages to the host; fewer when the guest has not enough to spare. */
export function inflate(k: KernelContext, count: number): void {
  const before = k.load(k.va(BALLOON));
  k.each(0, Math.min(count, MOST_PAGES), () => {
    const page = takeUnused(k);
    if (page === 0) return;
    pushBalloon(k, page);
    unmapKernelPage(k, page);
  });
  k.mmu.flushLazy(k);
  const first = k.load(k.va(BALLOON));
  if (first === before) return;
  flushKernel(k);
  k.call(() => {
    for (let page = first; page !== before; page = nextInList(k, page)) {
      k.hypercall(Hypercall.Notify, (page << PAGE_SHIFT) | DISCARD);
    }
    return 0;
  });
}

/** Take up to `count` pages back. */
export function deflate(k: KernelContext, count: number): void {
  k.each(0, Math.min(count, MOST_PAGES), () => {
    const page = popBalloon(k);
    if (page !== 0) freePage(k, page);
  });
}
