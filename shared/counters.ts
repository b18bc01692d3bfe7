/**
 * What is counted, for each pair of host CPU and guest, so that the sums a CPU and a
 * guest are wanted for need no atomic operation: only that CPU writes its counters.
 * They are doubles, exact to 2^53.
 */

import type { Ptr } from './address.ts';

/** Index of each counter; the comment says what is one. */
export const Counter = {
  /** Into the guest through the Switcher. */
  Entries: 0,
  /** A vCPU goes on on another host CPU than last time. */
  Migrations: 1,
  /** An operation of a program, or of the guest kernel, completed. */
  Operations: 2,
  /** The four kinds of access that programs make. */
  Fetches: 3,
  Loads: 4,
  Stores: 5,
  /** Load and store of one address, plain or locked. */
  Modifies: 6,
  /** Second halves of accesses that reach into the next page. */
  Crossings: 19,
  /** Accesses of the guest kernel, its stack included. */
  KernelAccesses: 18,
  /** Accesses to the Switcher's pages on the way in and out. */
  SwitcherAccesses: 17,
  /** Walks of the shadow tables by the MMU, whether they found something or faulted. */
  Walks: 7,
  /** Page faults that demand_page repaired without the guest knowing. */
  FaultsFixed: 8,
  /** Page faults delivered to the guest. */
  FaultsPassedOn: 9,
  /** map_switcher_in_guest: this CPU's pages were there from the last time. */
  RemapsCached: 10,
  /** The pages of one known other CPU were removed. */
  RemapsKnown: 11,
  /** Unknown, so the pages of every CPU were removed. */
  RemapsUnknown: 12,
  /** copy_in_guest_info had to copy everything. */
  CopiesAll: 13,
  Interrupts: 14,
  /** System calls that went straight into the guest kernel. */
  DirectTraps: 15,
  /** Hypercalls taken from the asynchronous ring; they count by kind as well. */
  AsyncHypercalls: 16,
  /** Other CPUs that had to be got out of the guest before a translation went away. */
  Shootdowns: 20,
  /** Locks of the guest or of one of its pgdirs that were taken. */
  LockTakes: 21,
  /** Those of them that another CPU held, so that they had to be waited for. */
  LockWaits: 22,
  /** Zeroed pages that were asked for: for shadow tables, … */
  TablePages: 23,
  /** … and for guest pages that shared the page of zeroes until they were written. */
  CopiesOnWrite: 24,
  /** Entries put into a shadow beside the one that a fault was for. */
  Prefaulted: 25,
  /** Entries of a shadow compared with the guest's own, instead of thrown away. */
  EntriesCompared: 26,
  /** Shadows emptied because the host was short of memory. */
  Reclaimed: 27,
  /** Of the entries: by the processor's own switch, into a guest of nested paging. */
  NestedEntries: 28,
  /** References to the host's table that walks of nested paging made. */
  NestedReferences: 29,
  /** Page faults that the processor gave to the guest's kernel itself: nested paging. */
  DirectFaults: 30,
  /** CR3 written, and single pages dropped, by the guest itself: nested paging. */
  GuestCr3Loads: 31,
  Invlpgs: 32,
  /** Page tables looked through as they became such, or no longer were: direct paging. */
  TablesTaken: 33,
  /** The first of the hypercalls by kind. */
  Hypercalls: 34,
} as const;

/** LHCALL_* by number. */
export const HYPERCALL_NAMES: Readonly<Record<number, string>> = {
  0: 'FLUSH_ASYNC',
  1: 'LGUEST_INIT',
  2: 'SHUTDOWN',
  4: 'NEW_PGTABLE',
  5: 'FLUSH_TLB',
  6: 'LOAD_IDT_ENTRY',
  7: 'SET_STACK',
  8: 'TS',
  9: 'SET_CLOCKEVENT',
  10: 'HALT',
  13: 'SET_PMD',
  14: 'SET_PTE',
  15: 'SET_PGD',
  16: 'LOAD_TLS',
  17: 'NOTIFY',
  18: 'LOAD_GDT_ENTRY',
  19: 'SEND_INTERRUPTS',
  20: 'START_CPU',
  21: 'SEND_IPI',
  22: 'MMU_UPDATE',
  23: 'PIN_TABLE',
  24: 'UNPIN_TABLE',
};

const HYPERCALL_KINDS = 30;
/** How many there are. */
export const COUNTERS = Counter.Hypercalls + HYPERCALL_KINDS;
export const COUNTERS_WORDS = COUNTERS * 2;

export class Counters {
  declare private readonly values: Float64Array<SharedArrayBuffer>;
  declare private readonly base: number;

  constructor(buffer: SharedArrayBuffer, at: Ptr) {
    this.values = new Float64Array(buffer);
    this.base = at / 2;
  }

  add(counter: number, n: number): void {
    this.values[this.base + counter]! += n;
  }

  count(counter: number): void {
    this.values[this.base + counter]! += 1;
  }

  /** Hypercalls outside the table are the guest's mistake and are not counted. */
  countHypercall(number: number): void {
    if (number < HYPERCALL_KINDS) this.count(Counter.Hypercalls + number);
  }

  get(counter: number): number {
    return this.values[this.base + counter]!;
  }
}
