/**
 * The events that cost cycles, and how often each happened by what was counted.
 *
 * What they cost is in presets.ts, by era of hardware. A cycle is one of the host CPU's
 * clock, and every event is charged to the CPU on which it was counted.
 */

import { COUNTER_INFOS, type CostEvent, HYPERCALL_COUNTERS } from '../../shared/counters.ts';

/** One counter's value, by its number. */
export type Count = (counter: number) => number;

interface Event {
  /** One event, for people. */
  readonly title: string;
  /** Its counter, for people. */
  readonly counted: string;
}

export const EVENTS = {
  access: {
    title: 'memory access of the guest, in TLB and first-level cache',
    counted: 'accesses of programs and guest kernel',
  },
  walk_reference: {
    title: 'memory reference of a page walk',
    counted: '2 × walks; with PAE also 1 × CR3 loads into a guest, for the four top-level entries',
  },
  nested_reference: {
    title: 'memory reference to the host’s table in a walk of nested paging',
    counted: 'references to the host’s table',
  },
  world_switch: {
    title: 'out of the guest by a trap, and in again, without CR3',
    counted: 'entries through the Switcher',
  },
  processor_switch: {
    title: 'out of a guest of nested paging, and in again, by the processor itself',
    counted: 'entries without the Switcher',
  },
  cr3_load: {
    title: 'write of CR3',
    counted: '2 × entries through the Switcher: on the way in and out; and those of a nested guest',
  },
  invlpg: {
    title: 'one page dropped from the TLB by a nested guest itself',
    counted: 'pages dropped',
  },
  host_refill: {
    title: 'the host’s own translations, walked again after an exit',
    counted: 'entries',
  },
  state_copy: {
    title: 'copy of all of a vCPU’s IDT and GDT',
    counted: 'state copies: another vCPU, or another CPU than before',
  },
  switcher_remap: {
    title: 'Switcher pages of another CPU out, and of this one in',
    counted: 'Switcher remaps that were not cached',
  },
  demand_page: {
    title: 'work of demand_page for a fault',
    counted: 'faults, fixed and passed on',
  },
  prefault: {
    title: 'shadow entry filled in beside the one that a fault is for',
    counted: 'entries prefaulted',
  },
  entry_compared: {
    title: 'shadow entry compared with the guest’s own',
    counted: 'entries compared',
  },
  trap_delivery: {
    title: 'frame pushed onto the guest’s stack by the host, and the guest’s iret',
    counted: 'faults passed on and interrupts',
  },
  direct_trap: {
    title: 'system call, or fault of nested paging, straight into the guest’s kernel, and back',
    counted: 'direct traps and direct faults',
  },
  hypercall: {
    title: 'work of a hypercall',
    counted: 'hypercalls of all kinds, those through the ring as well',
  },
  table_check: {
    title: 'entries of a page looked through that becomes a table of direct paging, or ends as one',
    counted: 'tables taken and let go',
  },
  copy_on_write: {
    title: 'host’s fault for a page of its own, without zeroing it',
    counted: 'copies on write',
  },
  page_zero: {
    title: 'page filled with zeroes',
    counted: 'copies on write and pages for shadow tables',
  },
  lock: {
    title: 'lock taken and released by one locked instruction',
    counted: 'locks taken',
  },
  lock_handover: {
    title: 'lock that comes from another CPU, with the lines that it guards',
    counted: 'locks waited for',
  },
  shootdown: {
    title: 'interrupt to another CPU, until it has acknowledged',
    counted: 'shootdowns',
  },
  migration: {
    title: 'cold first-level cache on another CPU',
    counted: 'migrations',
  },
} as const satisfies Readonly<Record<Exclude<CostEvent, 'pae_walk_reference'>, Event>>;

export type EventId = keyof typeof EVENTS;

export const EVENT_IDS = Object.keys(EVENTS) as EventId[];

/** A value for each event. */
export type ByEvent<T> = Readonly<Record<EventId, T>>;

export const byEvent = <T>(of: (id: EventId) => T): ByEvent<T> =>
  Object.fromEntries(EVENT_IDS.map((id) => [id, of(id)])) as ByEvent<T>;

/**
 * How often each event happened. `pae`: whether the guest's page tables have three levels; then
 * each load of CR3 into a guest reads the four entries of the top level (SDM 3A 4.4.1).
 */
export function occurrencesOf(count: Count, pae: boolean): ByEvent<number> {
  const happened: Record<CostEvent, number> = { ...byEvent(() => 0), pae_walk_reference: 0 };
  for (const [index, { cost }] of COUNTER_INFOS.entries()) {
    for (const [event, times] of Object.entries(cost)) {
      happened[event as CostEvent] += times * count(index);
    }
  }
  for (const index of HYPERCALL_COUNTERS) happened.hypercall += count(index);
  const { pae_walk_reference, ...others } = happened;
  if (pae) others.walk_reference += pae_walk_reference;
  return others;
}
