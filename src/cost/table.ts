/**
 * The events that cost cycles, and how often each happened by what was counted.
 *
 * What they cost is in presets.ts, by era of hardware. A cycle is one of the host CPU's
 * clock, and every event is charged to the CPU on which it was counted.
 */

import { Counter, HYPERCALL_NAMES } from '../../shared/counters.ts';

/** One counter's value, by its number. */
export type Count = (counter: number) => number;

interface Event {
  /** What happens once, for people. */
  readonly title: string;
  /** What it is counted by, for people. */
  readonly counted: string;
  /** `pae`: whether the guest's page tables have three levels. */
  readonly times: (count: Count, pae: boolean) => number;
}

const ACCESSES = [
  ...[Counter.Fetches, Counter.Loads, Counter.Stores, Counter.Modifies],
  ...[Counter.Crossings, Counter.KernelAccesses],
];

const HYPERCALLS = Object.keys(HYPERCALL_NAMES).map((kind) => Counter.Hypercalls + Number(kind));

const sum = (count: Count, counters: readonly number[]): number =>
  counters.reduce((n, counter) => n + count(counter), 0);

const faults = (count: Count): number => count(Counter.FaultsFixed) + count(Counter.FaultsPassedOn);

/** Entries through the Switcher. */
const switches = (count: Count): number => count(Counter.Entries) - count(Counter.NestedEntries);

const cr3LoadsInto = (count: Count): number => switches(count) + count(Counter.GuestCr3Loads);

export const EVENTS = {
  access: {
    title: 'memory access of the guest, in TLB and first-level cache',
    counted: 'accesses of programs and guest kernel',
    times: (count) => sum(count, ACCESSES),
  },
  walk_reference: {
    title: 'memory reference of a page walk',
    counted: '2 × walks; with PAE also 1 × CR3 loads into a guest, for the four top-level entries',
    // SDM 3A 4.4.1: with PAE the top level is in registers, which a load of CR3 fills.
    times: (count, pae) => 2 * count(Counter.Walks) + (pae ? cr3LoadsInto(count) : 0),
  },
  nested_reference: {
    title: 'memory reference to the host’s table in a walk of nested paging',
    counted: 'references to the host’s table',
    times: (count) => count(Counter.NestedReferences),
  },
  world_switch: {
    title: 'out of the guest by a trap, and in again, without CR3',
    counted: 'entries through the Switcher',
    times: switches,
  },
  processor_switch: {
    title: 'out of a guest of nested paging, and in again, by the processor itself',
    counted: 'entries without the Switcher',
    times: (count) => count(Counter.NestedEntries),
  },
  cr3_load: {
    title: 'write of CR3',
    counted: '2 × entries through the Switcher: on the way in and out; and those of a nested guest',
    times: (count) => 2 * switches(count) + count(Counter.GuestCr3Loads),
  },
  invlpg: {
    title: 'one page dropped from the TLB by a nested guest itself',
    counted: 'pages dropped',
    times: (count) => count(Counter.Invlpgs),
  },
  host_refill: {
    title: 'the host’s own translations, walked again after an exit',
    counted: 'entries',
    times: (count) => count(Counter.Entries),
  },
  state_copy: {
    title: 'copy of all of a vCPU’s IDT and GDT',
    counted: 'state copies: another vCPU, or another CPU than before',
    times: (count) => count(Counter.CopiesAll),
  },
  switcher_remap: {
    title: 'Switcher pages of another CPU out, and of this one in',
    counted: 'Switcher remaps that were not cached',
    times: (count) => count(Counter.RemapsKnown) + count(Counter.RemapsUnknown),
  },
  demand_page: {
    title: 'work of demand_page for a fault',
    counted: 'faults, fixed and passed on',
    times: faults,
  },
  prefault: {
    title: 'shadow entry filled in beside the one that a fault is for',
    counted: 'entries prefaulted',
    times: (count) => count(Counter.Prefaulted),
  },
  entry_compared: {
    title: 'shadow entry compared with the guest’s own',
    counted: 'entries compared',
    times: (count) => count(Counter.EntriesCompared),
  },
  trap_delivery: {
    title: 'frame pushed onto the guest’s stack by the host, and the guest’s iret',
    counted: 'faults passed on and interrupts',
    times: (count) => count(Counter.FaultsPassedOn) + count(Counter.Interrupts),
  },
  direct_trap: {
    title: 'system call, or fault of nested paging, straight into the guest’s kernel, and back',
    counted: 'direct traps and direct faults',
    times: (count) => count(Counter.DirectTraps) + count(Counter.DirectFaults),
  },
  hypercall: {
    title: 'work of a hypercall',
    counted: 'hypercalls of all kinds, those through the ring as well',
    times: (count) => sum(count, HYPERCALLS),
  },
  table_check: {
    title: 'entries of a page looked through that becomes a table of direct paging, or ends as one',
    counted: 'tables taken and let go',
    times: (count) => count(Counter.TablesTaken),
  },
  copy_on_write: {
    title: 'host’s fault for a page of its own, without zeroing it',
    counted: 'copies on write',
    times: (count) => count(Counter.CopiesOnWrite),
  },
  page_zero: {
    title: 'page filled with zeroes',
    counted: 'copies on write and pages for shadow tables',
    times: (count) => count(Counter.CopiesOnWrite) + count(Counter.TablePages),
  },
  lock: {
    title: 'lock taken and released by one locked instruction',
    counted: 'locks taken',
    times: (count) => count(Counter.LockTakes),
  },
  lock_handover: {
    title: 'lock that comes from another CPU, with the lines that it guards',
    counted: 'locks waited for',
    times: (count) => count(Counter.LockWaits),
  },
  shootdown: {
    title: 'interrupt to another CPU, until it has acknowledged',
    counted: 'shootdowns',
    times: (count) => count(Counter.Shootdowns),
  },
  migration: {
    title: 'cold first-level cache on another CPU',
    counted: 'migrations',
    times: (count) => count(Counter.Migrations),
  },
} as const satisfies Readonly<Record<string, Event>>;

export type EventId = keyof typeof EVENTS;

export const EVENT_IDS = Object.keys(EVENTS) as EventId[];

/** A value for each event. */
export type ByEvent<T> = Readonly<Record<EventId, T>>;

export const byEvent = <T>(of: (id: EventId) => T): ByEvent<T> =>
  Object.fromEntries(EVENT_IDS.map((id) => [id, of(id)])) as ByEvent<T>;
