/**
 * Kernel threads: tasks of the kernel's own, on its page table, that end by themselves.
 *
 * One kind swaps, as kswapd does. The other has two pages and a window of two addresses above all
 * memory (vmap of mm/vmalloc.c), and changes the mapping there without the kernel's lock: its
 * entries, pages and addresses are private, but their table is shared by all.
 */

import { Hypercall } from '../../../shared/hypercall.ts';
import { PAGE_SHIFT, PAGE_SIZE } from '../../hardware/address.ts';
import { type Entry, makeEntry, NO_ENTRY, PAGE_TABLE, PMD_SHIFT } from '../../hardware/entry.ts';
import type { KernelContext } from './context.ts';
import { EntryPoint } from './entry-points.ts';
import { KERNEL_PAGE, setKernelPte } from './kernel-mapping.ts';
import {
  SWAPPER_PG_DIR,
  TASK_BYTES,
  TASKS,
  Task,
  TaskState,
  TELLING,
  windowsStart,
} from './layout.ts';
import { pageOf } from './page-tables.ts';
import { allocPage, putPage } from './pages.ts';
import { panic } from './panic.ts';
import { newTask } from './process.ts';
import { swapRound } from './swap.ts';
import { current, makeRunnable, schedule, setTask, taskField, withoutKernelLock } from './tasks.ts';
import { flushKernel } from './tlb.ts';

/** Where a task names the pages that it shows in its window. */
const PAGES = [Task.pages, Task.pages + 4];

/** How often a thread uses its window before others are asked to flush. */
const USES = 8;

/** `kthread_run`, for those that the program asks for. At boot, before the first process. */
export function startKernelThreads(k: KernelContext): void {
  const { kernelThreads = [] } = k.guest.program;
  if (kernelThreads.length === 0) return;
  if (kernelThreads.some(({ work }) => work === 'windows')) makeWindows(k);
  k.each(0, kernelThreads.length, (i) => {
    const task = newTask(k, 0, i, 0, 0, EntryPoint.KernelThread);
    if (kernelThreads[i]!.work === 'windows') {
      for (const at of PAGES) setTask(k, task, at, allocPage(k));
    }
    makeRunnable(k, task);
  });
}

/** Its whole life; it begins with the lock, as every task that is switched to. */
export function kernelThread(k: KernelContext): void {
  const me = current(k);
  const { work, rounds } = k.guest.program.kernelThreads![taskField(k, me, Task.process)]!;
  k.each(0, rounds, (round) => {
    if (work === 'windows') useWindow(k, me, round);
    else swapRound(k, round);
    schedule(k);
  });
  for (const at of PAGES) {
    const page = taskField(k, me, at);
    setTask(k, me, at, 0);
    if (page !== 0) putPage(k, page);
  }
  setTask(k, me, Task.state, TaskState.Free);
  schedule(k);
}

/** Each page is written at one address and read at others, again and again. */
function useWindow(k: KernelContext, me: number, round: number): void {
  const pages = PAGES.map((at) => taskField(k, me, at));
  const window = windowsStart(k.guest) + ((me - TASKS) / TASK_BYTES) * 2 * PAGE_SIZE;
  withoutKernelLock(k, () => {
    k.each(0, USES, (use) => {
      const word = ((round * USES + use) % (PAGE_SIZE / 4)) * 4;
      const value = (i: number): number => ((me << 16) ^ (round << 5) ^ (use << 1)) + i;
      const show = (i: number, page: number): void =>
        map(k, window + i * PAGE_SIZE, makeEntry(page, KERNEL_PAGE));
      for (const i of [0, 1]) show(i, pages[i]!);
      for (const i of [0, 1]) k.store(window + i * PAGE_SIZE + word, value(i));
      for (const i of [0, 1]) check(k, k.va(pages[i]! << PAGE_SHIFT) + word, value(i));
      // The other way round.
      for (const i of [0, 1]) show(i, pages[1 - i]!);
      for (const i of [0, 1]) check(k, window + i * PAGE_SIZE + word, value(1 - i));
    });
    for (const i of [0, 1]) map(k, window + i * PAGE_SIZE, NO_ENTRY);
  });
  // It may continue on another vCPU, and come back to this one.
  flushKernel(k);
}

/** Without the kernel's lock: sets a flag meanwhile that the host is not up to date. */
function map(k: KernelContext, address: number, entry: Entry): void {
  const telling = k.va(TELLING + k.cpuId() * 4);
  k.store(telling, 1);
  setKernelPte(k, 'now', address, entry);
  k.store(telling, 0);
}

function check(k: KernelContext, address: number, value: number): void {
  if (k.load(address) !== value >>> 0)
    panic(k, `a wrong word at 0x${(address >>> 0).toString(16)}`);
}

/** The last-level table of the windows, before there is a top level beside the kernel's. */
function makeWindows(k: KernelContext): void {
  k.call(() => {
    const { form } = k.guest;
    const table = allocPage(k);
    k.mmu.protectTable(k, table);
    const entry = makeEntry(table, PAGE_TABLE);
    const start = windowsStart(k.guest);
    const top = Math.floor(start / 2 ** form.pgdirShift);
    const swapper = k.load(k.va(SWAPPER_PG_DIR));
    if (form.pae) {
      const pmd = pageOf(k.mmu.loadPte(k, k.va(swapper + top * 8))) << PAGE_SHIFT;
      const middle = (start >>> PMD_SHIFT) & (form.ptrsPerPmd - 1);
      k.mmu.setTableEntry(k, Hypercall.SetPmd, pmd, middle, entry);
    } else k.mmu.setTableEntry(k, Hypercall.SetPgd, swapper, top, entry);
    return 0;
  });
}
