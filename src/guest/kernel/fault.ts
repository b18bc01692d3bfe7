/**
 * `do_page_fault`: demand-zero and copy-on-write. A page that was only read is the
 * zero page, shared and read-only; a write gives it a page of its own.
 */

import { LguestData } from '../../../shared/lguest-data.ts';
import { Fault } from '../../hardware/access.ts';
import { PAGE_SHIFT, PAGE_SIZE } from '../../hardware/address.ts';
import { isPresent, PAGE_RW } from '../../hardware/entry.ts';
import { isUserMode } from '../processor.ts';
import { Prot } from '../program.ts';
import type { KernelContext } from './context.ts';
import { Frame } from './frame.ts';
import { lguestData } from './hypercalls.ts';
import { Task, ZERO_PAGE } from './layout.ts';
import { waitForTables } from './page-table-lock.ts';
import { isSwapped, pageOf, pgdOf, pteAddress, userEntry } from './page-tables.ts';
import { allocPage, pageCount, putPage } from './pages.ts';
import { panic } from './panic.ts';
import { exitGroup } from './process.ts';
import { current, taskField } from './tasks.ts';
import { flushMm, markStale } from './tlb.ts';
import { findVma, vmaProt } from './vma.ts';

export function pageFault(k: KernelContext): void {
  const address = k.load(k.va(LguestData.cr2(lguestData(k))));
  const errorCode = k.saved(Frame.errorCode);
  if (!isUserMode(k.saved(Frame.cs))) {
    panic(k, `fault in the kernel at 0x${address.toString(16)}`);
  }
  const me = current(k);
  const mm = taskField(k, me, Task.mm);
  waitForTables(k);
  const vma = findVma(k, mm, address);
  const prot = vma === 0 ? 0 : vmaProt(k, vma);
  if (!permits(prot, errorCode)) {
    return segmentationFault(k, address);
  }
  mapPage(k, mm, address, prot, (errorCode & Fault.Write) !== 0);
}

function permits(prot: number, errorCode: number): boolean {
  if (errorCode & Fault.Write) return (prot & Prot.Write) !== 0;
  if (errorCode & Fault.Fetch) return (prot & Prot.Exec) !== 0;
  return prot !== 0;
}

function mapPage(
  k: KernelContext,
  mm: number,
  address: number,
  prot: number,
  write: boolean,
): void {
  const pgd = pgdOf(k, mm);
  const at = pteAddress(k, pgd, address, true);
  const old = k.mmu.loadPte(k, at);
  const zeroPage = k.load(k.va(ZERO_PAGE));
  let page: number;
  if (isSwapped(old)) {
    // The slot is the page, as one that is shared or its own.
    page = write ? copyOnWrite(k, pageOf(old), zeroPage) : pageOf(old);
  } else if (!isPresent(old)) {
    page = write ? allocPage(k) : zeroPage;
  } else if (!write || old.low & PAGE_RW) {
    // Another thread has mapped it already, or the host's table was stale.
    return;
  } else {
    page = copyOnWrite(k, pageOf(old), zeroPage);
  }
  const start = (address & -PAGE_SIZE) >>> 0;
  k.mmu.setPte(k, 'now', pgd, start, at, userEntry(k, page, prot, write));
  // Threads on other vCPUs must not go on reading the page that it was.
  if (isPresent(old) && pageOf(old) !== page) {
    markStale(k, mm);
    flushMm(k, mm);
  }
}

/** `do_wp_page`: a page of the process's own with the same content. */
const copyOnWrite = (k: KernelContext, old: number, zeroPage: number): number =>
  k.call(() => {
    if (old === zeroPage) return allocPage(k);
    if (pageCount(k, old) === 1) return old;
    const page = allocPage(k);
    k.copyPage(k.va(page << PAGE_SHIFT), k.va(old << PAGE_SHIFT));
    putPage(k, old);
    return page;
  });

/** SIGSEGV, without a handler. */
function segmentationFault(k: KernelContext, address: number): void {
  const pid = k.load(k.va(current(k) + Task.pid));
  if (pid === 1) panic(k, `init got SIGSEGV at 0x${address.toString(16)}`);
  exitGroup(k);
}
