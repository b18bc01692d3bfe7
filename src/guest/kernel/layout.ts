/**
 * The layout of the guest kernel's memory, in physical addresses. All of guest memory is mapped at
 * PAGE_OFFSET + physical address.
 */

import { PAGE_SHIFT, PAGE_SIZE } from '../../hardware/address.ts';
import type { PagingForm } from '../../hardware/entry.ts';

export const PAGE_OFFSET = 0xc000_0000;

/** vCPUs that the kernel can run on. */
export const MAX_VCPUS = 8;

/** `struct lguest_data`, one for each vCPU. */
export const LGUEST_DATA = 0x1000;
export const LGUEST_DATA_STRIDE = 0x800;

/** One word each. */
const GLOBALS = LGUEST_DATA + MAX_VCPUS * LGUEST_DATA_STRIDE;
/** Pages never used so far begin here, as a page number. */
export const FRESH_PAGE = GLOBALS;
/** The first free page's number, 0 for none; each holds the next in its mem_map word. */
export const FREE_PAGES = GLOBALS + 4;
export const SWAPPER_PG_DIR = GLOBALS + 8;
export const ZERO_PAGE = GLOBALS + 12;
export const FREE_VMA = GLOBALS + 16;
/** The task of the first process that waits for all others to end; 0 while it has more to do. */
export const POWERING_OFF = GLOBALS + 20;
export const NEXT_PID = GLOBALS + 24;
/** What all threads that have ended had computed, mixed together. */
export const RESULT = GLOBALS + 28;
export const PAGE_COUNT = GLOBALS + 32;
export const TICKS = GLOBALS + 36;
/** Three unused words: the saved context of the boot routine. */
export const LOST_CONTEXT = GLOBALS + 40;
/** The kernel lock: 1 while it is held. */
export const KERNEL_LOCK = GLOBALS + 0x40;
/** A bit for each vCPU that sleeps for want of work. */
export const IDLE_VCPUS = GLOBALS + 0x44;
/** The first page that the host has back, 0 for none; chained as the free ones are. */
export const BALLOON = GLOBALS + 0x48;
/** How often a vCPU was asked to flush its TLB. */
export const FLUSHES_ASKED = GLOBALS + 0x4c;
/** Where reclaim goes on: an mm, and an address in it. */
export const RECLAIM_MM = GLOBALS + 0x50;
export const RECLAIM_ADDRESS = GLOBALS + 0x54;
/** 1 while a kernel thread goes over the page tables of processes. */
export const PAGE_TABLE_LOCK = GLOBALS + 0x5c;
/** For each vCPU: the slot of its ring that is filled next, and its idle task. */
export const NEXT_HCALL = GLOBALS + 0x80;
export const IDLE_TASKS = GLOBALS + 0xa0;
/** For each vCPU: its FlushRequest, and the mm that it runs on. */
export const FLUSH_REQUESTS = GLOBALS + 0xc0;
export const CPU_MMS = GLOBALS + 0xe0;

/** Texts for SHUTDOWN, 64 bytes each. */
export const POWER_DOWN_TEXT = GLOBALS + 0x100;
export const PANIC_TEXT = GLOBALS + 0x140;
/**
 * For each vCPU: 1 while it has changed an entry without the kernel lock, and not told the host
 * yet.
 */
export const TELLING = GLOBALS + 0x180;

/** A page of kernel text: the entry points are addresses in it. */
export const TEXT = GLOBALS + PAGE_SIZE;
/** The stack of the boot routine, two pages. */
export const BOOT_STACK_TOP = 0xa000;

export const MAX_TASKS = 64;
export const TASKS = 0xa000;
export const TASK_BYTES = 64;
/** Byte offsets in a task. */
export const Task = {
  state: 0,
  pid: 4,
  /** Physical address of its mm. */
  mm: 8,
  /** Which process and thread of the program it runs. */
  process: 12,
  thread: 16,
  parent: 20,
  /** Saved when it is not running. */
  esp: 24,
  ebp: 28,
  eip: 32,
  /** Virtual address where its kernel stack begins, which grows down. */
  stackTop: 36,
  /** Of a thread of a traced process: which segment of its it is in, and which call is its next. */
  segment: 40,
  nextCall: 44,
  /** In WaitingOrder: the call before which all others must have been made. */
  awaits: 48,
  /** In WaitingCopy: the child that copies its tables. */
  copier: 52,
  /** A kernel thread's two pages, as page numbers; 0 for none. */
  pages: 56,
} as const;

export const TaskState = {
  Free: 0,
  Runnable: 1,
  /** A thread that waits for the original run's order to name it. */
  WaitingTurn: 2,
  WaitingChild: 3,
  Zombie: 4,
  /** On some vCPU at this moment. */
  Running: 5,
  /** Running, and to end when it next enters the kernel. */
  Dying: 6,
  /** A vCPU's own, which runs when no other can. */
  Idle: 7,
  /** A thread that, in the original run, other threads came before. */
  WaitingOrder: 8,
  /** Until a child has copied its tables. */
  WaitingCopy: 9,
  /** Until another process kills its process. */
  Paused: 10,
  /** Until no kernel thread scans the page tables. */
  WaitingTables: 11,
} as const;

export const MAX_MMS = 32;
export const MMS = TASKS + MAX_TASKS * TASK_BYTES;
export const MM_BYTES = 32;
export const Mm = {
  /** Tasks that use it; 0 is free. */
  users: 0,
  /** Physical address of its top-level page table. */
  pgd: 4,
  /** Physical address of its first VMA, 0 for none; sorted by address. */
  vmas: 8,
  /** End of the heap; 0 while it is not known where the heap begins. */
  brk: 12,
  /** 1 while other vCPUs may hold translations that its tables do not have any more. */
  stale: 16,
} as const;

export const mmAt = (i: number): number => MMS + i * MM_BYTES;

export const MAX_VMAS = 2048;
export const VMAS = MMS + MAX_MMS * MM_BYTES;
export const VMA_BYTES = 16;
export const VmArea = { start: 0, end: 4, prot: 8, next: 12 } as const;

/** One word for each page: how many page table entries map it. */
export const MEM_MAP = (VMAS + MAX_VMAS * VMA_BYTES + PAGE_SIZE - 1) & -PAGE_SIZE;

/**
 * THREAD_SIZE: kernel stacks are two pages, on an 8 KiB boundary; the lowest word names the task.
 */
export const THREAD_SIZE = 2 * PAGE_SIZE;
export const STACK_PAGES = THREAD_SIZE >>> PAGE_SHIFT;
/**
 * TOP_OF_KERNEL_STACK_PADDING: with it a stack's beginning lies in the stack. The host
 * translates the beginning before it pushes an interrupt, and the page that follows may
 * be in the balloon.
 */
export const STACK_PADDING = 16;

/** The first page that the allocator hands out. */
export const firstFreePage = (pages: number): number =>
  (MEM_MAP + pages * 4 + PAGE_SIZE - 1) >>> PAGE_SHIFT;

/** Where kernel threads have their windows: above all memory, where a table of its own begins. */
export const windowsStart = ({ form, pages }: { form: PagingForm; pages: number }): number =>
  PAGE_OFFSET + Math.ceil(pages / form.ptrsPerPte) * form.ptrsPerPte * PAGE_SIZE;

/** The least memory, in pages, that leaves room for a program. */
export const MIN_PAGES = 128;

/**
 * The most, below where the host has its own at `reserved`, which it tells as reserve_mem; and
 * below the table of windows, if kernel threads have some.
 */
export function mostPages(form: PagingForm, reserved: number, windows: boolean): number {
  const all = (reserved - PAGE_OFFSET) >>> PAGE_SHIFT;
  if (!windows) return all;
  return Math.floor((all - MAX_TASKS * 2) / form.ptrsPerPte) * form.ptrsPerPte;
}
