/**
 * What is counted, for each pair of host CPU and guest, so that the sums for a CPU or for a
 * guest need no atomic operation: only that CPU writes its counters. They are doubles, exact
 * to 2^53.
 *
 * The table is the only place that says what is counted. Reports, tables, studies and costs
 * derive from it: to add a counter is to add a line.
 */

import type { Ptr } from '../src/hardware/address.ts';

/** Events that cost cycles; src/cost/table.ts says what each is. The last counts with PAE only. */
export type CostEvent =
  | ('access' | 'walk_reference' | 'nested_reference' | 'world_switch' | 'processor_switch')
  | ('cr3_load' | 'invlpg' | 'host_refill' | 'state_copy' | 'switcher_remap')
  | ('demand_page' | 'prefault' | 'entry_compared' | 'trap_delivery' | 'direct_trap' | 'hypercall')
  | ('table_check' | 'copy_on_write' | 'page_zero' | 'lock' | 'lock_handover' | 'shootdown')
  | ('migration' | 'pae_walk_reference');

export interface CounterInfo {
  /** In reports, tables and studies; with a dot, one of several kinds. */
  readonly id: string;
  readonly unit: string;
  /** For a heading. */
  readonly title: string;
  /** One of what it counts. */
  readonly is: string;
  /** Events that one of it stands for, and how many of each; negative for one that is spared. */
  readonly cost: Readonly<Partial<Record<CostEvent, number>>>;
}

const counted = <const Id extends string>(
  id: Id,
  unit: string,
  title: string,
  is: string,
  cost: CounterInfo['cost'] = {},
) => ({ id, unit, title, is, cost });

/** In the order of their index. */
const TABLE = {
  Entries: counted('entries', 'entries', 'Entries', 'world switch into the guest', {
    world_switch: 1,
    cr3_load: 2,
    pae_walk_reference: 1,
    host_refill: 1,
  }),
  Migrations: counted(
    'migrations',
    'migrations',
    'Migrations',
    'a vCPU continued on another host CPU than last time',
    { migration: 1 },
  ),
  Operations: counted(
    'operations',
    'operations',
    'Operations',
    'operation of a program or of the guest kernel that completed',
  ),
  Fetches: counted('fetches', 'accesses', 'Fetches', 'instruction fetch of a program', {
    access: 1,
  }),
  Loads: counted('loads', 'accesses', 'Loads', 'load of a program', { access: 1 }),
  Stores: counted('stores', 'accesses', 'Stores', 'store of a program', { access: 1 }),
  Modifies: counted(
    'modifies',
    'accesses',
    'Modifies',
    'load and store of one address by a program, plain or locked',
    { access: 1 },
  ),
  Walks: counted(
    'walks',
    'walks',
    'Walks',
    'walk of the page tables by the MMU, whether it found something or faulted',
    { walk_reference: 2 },
  ),
  FaultsFixed: counted(
    'faults_fixed',
    'faults',
    'Faults fixed',
    'page fault that demand_page repaired without the guest knowing',
    { demand_page: 1 },
  ),
  FaultsPassedOn: counted(
    'faults_passed_on',
    'faults',
    'Faults passed on',
    'page fault delivered to the guest by the host',
    { demand_page: 1, trap_delivery: 1 },
  ),
  RemapsCached: counted(
    'switcher_remaps.cached',
    'remaps',
    'Switcher found',
    'map_switcher_in_guest found the pages of this CPU mapped from the last time',
  ),
  RemapsKnown: counted(
    'switcher_remaps.one_cpu_removed',
    'remaps',
    'One removed',
    'map_switcher_in_guest removed the pages of one known other CPU',
    { switcher_remap: 1 },
  ),
  RemapsUnknown: counted(
    'switcher_remaps.unknown_all_removed',
    'remaps',
    'All removed',
    'map_switcher_in_guest removed the pages of every CPU, since it did not know whose were mapped',
    { switcher_remap: 1 },
  ),
  CopiesAll: counted(
    'state_copies',
    'copies',
    'State copies',
    'copy_in_guest_info had to copy everything',
    { state_copy: 1 },
  ),
  Interrupts: counted(
    'interrupts',
    'interrupts',
    'Interrupts',
    'interrupt delivered to the guest',
    { trap_delivery: 1 },
  ),
  DirectTraps: counted(
    'direct_traps',
    'traps',
    'Direct traps',
    'system call that went straight into the guest kernel',
    { direct_trap: 1 },
  ),
  AsyncHypercalls: counted(
    'async_hypercalls',
    'hypercalls',
    'Through the ring',
    'hypercall taken from the asynchronous ring, which counts by kind as well',
  ),
  SwitcherAccesses: counted(
    'switcher_accesses',
    'accesses',
    'Switcher accesses',
    'access to the pages of the Switcher on the way in or out',
  ),
  KernelAccesses: counted(
    'kernel_accesses',
    'accesses',
    'Kernel accesses',
    'access of the guest kernel, its stack included',
    { access: 1 },
  ),
  Crossings: counted(
    'crossings',
    'accesses',
    'Crossings',
    'second half of an access that reaches into the next page',
    { access: 1 },
  ),
  Shootdowns: counted(
    'shootdowns',
    'shootdowns',
    'Shootdowns',
    'other CPU that had to leave the guest before a translation went away',
    { shootdown: 1 },
  ),
  LockTakes: counted(
    'lock_takes',
    'locks',
    'Locks taken',
    'lock of the guest or of one of its pgdirs that was taken',
    { lock: 1 },
  ),
  LockWaits: counted(
    'lock_waits',
    'locks',
    'Locks waited for',
    'such a lock that another CPU held at the time',
    { lock_handover: 1 },
  ),
  TablePages: counted('table_pages', 'pages', 'Table pages', 'zeroed page for shadow tables', {
    page_zero: 1,
  }),
  CopiesOnWrite: counted(
    'copies_on_write',
    'pages',
    'Copies on write',
    'guest page that shared the page of zeroes until it was written',
    { copy_on_write: 1, page_zero: 1 },
  ),
  Prefaulted: counted(
    'prefaulted',
    'entries',
    'Prefaulted',
    'entry put into a shadow beside the one that a fault was for',
    { prefault: 1 },
  ),
  EntriesCompared: counted(
    'entries_compared',
    'entries',
    'Compared',
    'shadow entry compared with the guest’s own, instead of thrown away',
    { entry_compared: 1 },
  ),
  Reclaimed: counted(
    'shadows_reclaimed',
    'shadows',
    'Reclaimed',
    'shadow emptied because the host was short of memory',
  ),
  NestedEntries: counted(
    'nested_entries',
    'entries',
    'Nested entries',
    'of the entries, one by the processor’s own switch: nested paging',
    { processor_switch: 1, world_switch: -1, cr3_load: -2, pae_walk_reference: -1 },
  ),
  NestedReferences: counted(
    'nested_references',
    'references',
    'Nested references',
    'reference of a walk to the host’s table: nested paging',
    { nested_reference: 1 },
  ),
  DirectFaults: counted(
    'direct_faults',
    'faults',
    'Direct faults',
    'page fault that the processor gave to the guest’s kernel itself: nested paging',
    { direct_trap: 1 },
  ),
  GuestCr3Loads: counted(
    'guest_cr3_loads',
    'loads',
    'Guest CR3 loads',
    'CR3 written by the guest itself: nested paging',
    { cr3_load: 1, pae_walk_reference: 1 },
  ),
  Invlpgs: counted(
    'invlpgs',
    'pages',
    'Pages dropped',
    'page dropped from the TLB by the guest itself: nested paging',
    { invlpg: 1 },
  ),
  TablesTaken: counted(
    'tables_taken',
    'tables',
    'Tables validated',
    'page table looked through as it became one, or no longer was: direct paging',
    { table_check: 1 },
  ),
};

export type CounterName = keyof typeof TABLE;

export type CounterId = (typeof TABLE)[CounterName]['id'];

/** All but the hypercalls, by their index. */
export const COUNTER_INFOS: readonly (CounterInfo & { readonly id: CounterId })[] =
  Object.values(TABLE);

/** Of memory accesses that completed: of programs, guest kernel and Switcher. */
export const ACCESS_COUNTERS: readonly number[] = COUNTER_INFOS.flatMap(({ unit }, index) =>
  unit === 'accesses' ? [index] : [],
);

export const infoOf = (name: CounterName): CounterInfo => TABLE[name];

/** Index of each counter; behind the last, that of the first hypercall by kind. */
export const Counter = Object.fromEntries(
  [...Object.keys(TABLE), 'Hypercalls'].map((name, i) => [name, i]),
) as Readonly<Record<CounterName | 'Hypercalls', number>>;

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

/** Indices of the hypercalls' counters that there are. */
export const HYPERCALL_COUNTERS: readonly number[] = Object.keys(HYPERCALL_NAMES).map(
  (kind) => Counter.Hypercalls + Number(kind),
);

const HYPERCALL_KINDS = 30;
/** How many there are. */
export const COUNTERS = Counter.Hypercalls + HYPERCALL_KINDS;
export const COUNTERS_WORDS = COUNTERS * 2;

export class Counters {
  declare private readonly values: Float64Array;
  declare private readonly base: number;

  constructor(buffer: ArrayBufferLike, at: Ptr) {
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
