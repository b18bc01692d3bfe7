/**
 * A timeline made from events: a lane for each host CPU and each vCPU, slices and
 * instants on them, flows from one to another, and counters. Independent of any file format.
 */

import { HYPERCALL_NAMES } from '../../shared/counters.ts';
import { EventKind } from '../../shared/events.ts';
import type { TracedEvent } from './recorder.ts';

/** Lanes: host CPUs and vCPUs by their numbers in the machine, counters by name. */
export type Lane =
  | { readonly of: 'host CPU'; readonly number: number }
  | { readonly of: 'vCPU'; readonly number: number }
  | { readonly of: 'counter'; readonly name: CounterName };

export const COUNTERS = ['faults', 'hypercalls', 'migrations', 'shootdowns'] as const;
export type CounterName = (typeof COUNTERS)[number];

/** What is on a lane. Items are not in the order of their times; those of one time are in order. */
export interface Item {
  /** Nanoseconds since boot. */
  readonly at: number;
  readonly lane: Lane;
  readonly type: 'begin' | 'end' | 'instant' | 'counter';
  readonly name?: string;
  /** Its key for selection. */
  readonly category?: Category;
  readonly notes?: Readonly<Record<string, string | number>>;
  /** A flow that begins here, and one that ends here. */
  readonly flow?: number;
  readonly ends?: number;
  readonly value?: number;
}

const HYPERCALLS = Object.values(HYPERCALL_NAMES).map((name) => `hypercall/${name}` as const);

/** The keys for selection. */
export const CATEGORIES = [
  'run',
  'fault/fixed',
  'fault/passed-on',
  ...HYPERCALLS,
  'shootdown',
  'migration',
  'interrupt/raised',
  'interrupt/delivered',
  'pgdir/switched',
  'pgdir/evicted',
  ...COUNTERS.map((name) => `counter/${name}` as const),
  'lost',
] as const;

export type Category = (typeof CATEGORIES)[number];

export interface Vcpu {
  /** As in `pigz vCPU 0`. */
  readonly name: string;
  readonly guest: number;
  /** In its guest. */
  readonly id: number;
}

/** Counters are shown anew so often at most. */
const COUNTER_NS = 1e6;

const hex = (n: number): string => `0x${n.toString(16)}`;

/** `wants` says which categories are shown. */
export class Timeline {
  readonly #vcpus: readonly Vcpu[];
  readonly #wants: (category: Category) => boolean;
  readonly #cpus: CpuState[];
  readonly #left = new Map<number, { readonly hostCpu: number; readonly at: number }>();
  readonly #interrupts = new Map<string, number>();
  readonly #counts = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Record<
    CounterName,
    number
  >;
  readonly #shown = { ...this.#counts };
  #shownAt = 0;
  #flows = 0;
  #items: Item[] = [];

  constructor(hostCpus: number, vcpus: readonly Vcpu[], wants: (category: Category) => boolean) {
    this.#vcpus = vcpus;
    this.#wants = wants;
    this.#cpus = Array.from({ length: hostCpus }, () => ({ comingOut: [] }));
  }

  /** Of all events, in the order of their times. */
  *items(events: Iterable<TracedEvent>): Generator<Item> {
    let last = 0;
    for (const event of events) {
      last = event.at;
      this.#add(event);
      if (event.at - this.#shownAt >= COUNTER_NS) this.#count(event.at);
      yield* this.#items;
      this.#items = [];
    }
    // Cut off by the end of the run.
    for (const hostCpu of this.#cpus.keys()) this.#close(hostCpu, last);
    this.#count(last);
    yield* this.#items;
  }

  #add(event: TracedEvent): void {
    const { hostCpu, at, a, b, c } = event;
    const cpu = this.#cpus[hostCpu]!;
    const lane: Lane = { of: 'host CPU', number: hostCpu };
    if (event.lost > 0) {
      this.#close(hostCpu, at);
      delete cpu.cameOutAt;
      this.#put({ at, lane, type: 'instant', name: `${event.lost} events lost`, category: 'lost' });
    }
    switch (event.kind) {
      case EventKind.Entry:
        return this.#enter(event, lane);
      case EventKind.Exit:
        this.#close(hostCpu, at, { trap: a, eip: hex(b) });
        cpu.cameOutAt = at;
        this.#left.set(event.vcpu, { hostCpu, at });
        for (const ends of cpu.comingOut.splice(0)) {
          this.#put({ at, lane, type: 'instant', name: 'comes out', category: 'shootdown', ends });
        }
        return;
      case EventKind.FaultFixed:
      case EventKind.FaultPassedOn:
        return this.#fault(event, lane);
      case EventKind.Hypercall:
        return this.#hypercall(event, lane);
      case EventKind.ShootdownSent: {
        this.#counts.shootdowns++;
        const flow = ++this.#flows;
        cpu.shootsDown = true;
        this.#cpus[a]?.comingOut.push(flow);
        const name = `shootdown of host CPU ${a}`;
        return this.#put({ at, lane, type: 'begin', name, category: 'shootdown', flow });
      }
      case EventKind.ShootdownDone:
        if (cpu.shootsDown) this.#put({ at, lane, type: 'end', category: 'shootdown' });
        cpu.shootsDown = false;
        return;
      case EventKind.Migration:
        return this.#migrate(event, lane);
      case EventKind.InterruptRaised:
        return this.#raise(event, lane);
      case EventKind.InterruptDelivered:
        return this.#deliver(event, lane);
      case EventKind.PgdirSwitched:
      case EventKind.PgdirEvicted: {
        const isEvicted = event.kind === EventKind.PgdirEvicted;
        const category = isEvicted ? 'pgdir/evicted' : 'pgdir/switched';
        const notes = {
          pgdir: a,
          'guest top level': hex(b),
          ...(isEvicted && { 'taken by': hex(c) }),
        };
        const name = isEvicted ? 'pgdir evicted' : 'new page table';
        return this.#put({ at, lane, type: 'instant', name, category, notes });
      }
    }
  }

  #hypercall({ at, vcpu, a, b, c }: TracedEvent, lane: Lane): void {
    this.#counts.hypercalls++;
    const name = HYPERCALL_NAMES[a];
    if (name === undefined) return;
    const category = `hypercall/${name}` as Category;
    const notes = { arg1: hex(b), arg2: hex(c), vCPU: this.#name(vcpu) };
    this.#put({ at, lane, type: 'instant', name, category, notes });
  }

  /** From the trap on that it came by. */
  #fault({ hostCpu, at, kind, vcpu, a, b, c }: TracedEvent, lane: Lane): void {
    this.#counts.faults++;
    const category = kind === EventKind.FaultFixed ? 'fault/fixed' : 'fault/passed-on';
    const notes = { address: hex(a), 'error code': b, operations: c, vCPU: this.#name(vcpu) };
    const from = this.#cpus[hostCpu]!.cameOutAt ?? at;
    this.#put({ at: from, lane, type: 'begin', name: 'demand_page', category, notes });
    this.#put({ at, lane, type: 'end', category });
  }

  #raise({ at, vcpu, a, b }: TracedEvent, lane: Lane): void {
    const flow = ++this.#flows;
    const from = this.#vcpus[vcpu];
    if (from !== undefined) this.#interrupts.set(`${from.guest} ${b} ${a}`, flow);
    const name = `interrupt ${a} for vCPU ${b}`;
    this.#put({ at, lane, type: 'instant', name, category: 'interrupt/raised', flow });
  }

  #deliver({ at, vcpu, a }: TracedEvent, lane: Lane): void {
    const to = this.#vcpus[vcpu];
    const key = `${to?.guest} ${to?.id} ${a}`;
    const ends = this.#interrupts.get(key);
    this.#interrupts.delete(key);
    const category = 'interrupt/delivered';
    const name = `interrupt ${a}`;
    this.#put({ at, lane, type: 'instant', name, category, ...(ends && { ends }) });
  }

  /** Into the guest. */
  #enter({ hostCpu, at, vcpu, a, b }: TracedEvent, lane: Lane): void {
    this.#close(hostCpu, at);
    const cpu = this.#cpus[hostCpu]!;
    cpu.inside = vcpu;
    const notes = { pgdir: a, 'top level': `frame ${b}` };
    this.#put({ at, lane, type: 'begin', name: this.#name(vcpu), category: 'run', notes });
    const own: Lane = { of: 'vCPU', number: vcpu };
    this.#put({ at, lane: own, type: 'begin', name: `host CPU ${hostCpu}`, category: 'run' });
  }

  /** Out of the guest, if it is in one. */
  #close(hostCpu: number, at: number, notes?: Item['notes']): void {
    const cpu = this.#cpus[hostCpu]!;
    const { inside, shootsDown } = cpu;
    const lane: Lane = { of: 'host CPU', number: hostCpu };
    if (shootsDown) this.#put({ at, lane, type: 'end', category: 'shootdown' });
    cpu.shootsDown = false;
    if (inside === undefined) return;
    delete cpu.inside;
    this.#put({ at, lane, type: 'end', category: 'run', ...(notes && { notes }) });
    this.#put({ at, lane: { of: 'vCPU', number: inside }, type: 'end', category: 'run' });
  }

  /** From where it came out last to here. */
  #migrate({ at, vcpu, a }: TracedEvent, lane: Lane): void {
    this.#counts.migrations++;
    const name = this.#name(vcpu);
    const left = this.#left.get(vcpu);
    const flow = ++this.#flows;
    const from: Lane = { of: 'host CPU', number: a };
    const instant = { type: 'instant', category: 'migration' } as const;
    const leaves = left?.hostCpu === a ? left.at : at;
    this.#put({ ...instant, at: leaves, lane: from, name: `${name} leaves`, flow });
    this.#put({ ...instant, at, lane, name: `${name} arrives`, ends: flow });
  }

  #count(at: number): void {
    this.#shownAt = at;
    for (const name of COUNTERS) {
      const value = this.#counts[name];
      if (value === this.#shown[name]) continue;
      this.#shown[name] = value;
      this.#put({
        at,
        lane: { of: 'counter', name },
        type: 'counter',
        category: `counter/${name}`,
        value,
      });
    }
  }

  #put(item: Item): void {
    if (this.#wants(item.category!)) this.#items.push(item);
  }

  #name(vcpu: number): string {
    return this.#vcpus[vcpu]?.name ?? 'no vCPU';
  }
}

/** Activities in progress on a host CPU. */
interface CpuState {
  /** The vCPU that is in its guest here. */
  inside?: number;
  /** When it last came out of a guest. */
  cameOutAt?: number;
  shootsDown?: boolean;
  /** Flows of CPUs that wait for it to leave the guest. */
  readonly comingOut: number[];
}
