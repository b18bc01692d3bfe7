/**
 * The last events of each host CPU: a ring in shared memory, written by that CPU alone with plain
 * stores and read when a failure is reported. One event per trap or hypercall, none per access.
 */

import type { Ptr } from '../src/hardware/address.ts';
import { toPtr } from '../src/hardware/address.ts';
import type { Layout } from './layout.ts';
import type { Words } from './words.ts';

/** What happened; the comment says what a, b and c are. */
export const EventKind = {
  /** Into the guest: pgdir, frame of the top level, eip. */
  Entry: 1,
  /** Out of the guest: trap number, eip. */
  Exit: 2,
  /** demand_page: address, error code, the vCPU's operations so far. */
  FaultFixed: 3,
  /** The same, and the fault was the guest's own. */
  FaultPassedOn: 4,
  /** Number, first and second argument. */
  Hypercall: 5,
  /** Shootdown request: the host CPU that has to leave the guest. */
  ShootdownSent: 6,
  /** That CPU has left the guest. */
  ShootdownDone: 7,
  /** A vCPU continues here: the host CPU that it ran on before. */
  Migration: 8,
  /** Interrupt number, vCPU of the same guest that it is for. */
  InterruptRaised: 9,
  /** Interrupt number. */
  InterruptDelivered: 10,
  /** Pgdir, guest top level. */
  PgdirSwitched: 11,
  /** Pgdir, guest top level that it shadowed, and the one that takes its place. */
  PgdirEvicted: 12,
  /** A host CPU begins to run the vCPU. In traces only, as all below. */
  TakenUp: 13,
  /** And stops running it: PutDownFor. */
  PutDown: 14,
  /**
   * A last-level entry maps a page of the guest's: the page, the entry's low word, and the byte
   * address of the entry, plus one if the page may not be executed.
   */
  SpteSet: 15,
  /** Behind an exit: operations, walks and remaps of the guest on this CPU so far, modulo 2^32. */
  Counted: 16,
} as const;

export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** Why a vCPU was put down. */
export const PutDownFor = {
  /** Its time slice is over, or it moves to another CPU. */
  Preemption: 0,
  /** There are no tables for it to run on. */
  Tables: 1,
  /** It waits for an interrupt, or to be started. */
  Interrupt: 2,
  /** Its guest is dead, or the machine stops. */
  End: 3,
} as const;

export type PutDownFor = (typeof PutDownFor)[keyof typeof PutDownFor];

/** A CPU's events that are kept. */
const KEPT = 64;
export const RING_EVENTS = KEPT;
/** Sequence number (1 is the first), kind, vCPU plus one, a, b, c. */
const EVENT_WORDS = 6;
/** How many there were, on a line of its own. */
const HEADER_WORDS = 16;
export const EVENT_RING_WORDS = HEADER_WORDS + RING_EVENTS * EVENT_WORDS;

export interface HostEvent {
  readonly hostCpu: number;
  /** Counts this CPU's events from 1. */
  readonly sequence: number;
  readonly kind: EventKind;
  /** Machine-wide number of the running vCPU; −1 for none. */
  readonly vcpu: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

export class Events {
  declare private readonly words: Words;
  declare private readonly plain: Uint32Array;
  declare private readonly layout: Layout;
  /** A view of this CPU's ring alone: its indices are small integers to V8. */
  declare private readonly ring: Uint32Array;
  declare private readonly running: Ptr;

  /**
   * `cpu`: whose ring to write; the number of CPUs for the main thread. `running`: the word that
   * holds the number of its running vCPU, plus one; NULL, which holds 0, for none.
   */
  constructor(words: Words, layout: Layout, cpu: number, running: Ptr) {
    this.words = words;
    this.plain = words.plain;
    this.layout = layout;
    const ring = this.#ringOf(cpu);
    this.ring = words.plain.subarray(ring, ring + EVENT_RING_WORDS);
    this.running = running;
  }

  /** Called with each event while a trace is made; `vcpu` is the running one, plus one. */
  tap: ((kind: EventKind, vcpu: number, a: number, b: number, c: number) => void) | undefined;

  record(kind: EventKind, a = 0, b = 0, c = 0): void {
    const { ring } = this;
    const sequence = ring[0]!;
    const vcpu = this.plain[this.running]!;
    const at = HEADER_WORDS + (sequence % KEPT) * EVENT_WORDS;
    ring[at] = sequence + 1;
    ring[at + 1] = kind;
    ring[at + 2] = vcpu;
    ring[at + 3] = a;
    ring[at + 4] = b;
    ring[at + 5] = c;
    ring[0] = sequence + 1;
    if (this.tap !== undefined) this.tap(kind, vcpu, a, b, c);
  }

  /** An event for traces only: it is in no ring. */
  trace(kind: EventKind, a = 0, b = 0, c = 0): void {
    if (this.tap !== undefined) this.tap(kind, this.plain[this.running]!, a, b, c);
  }

  /** The last `most` events of a host CPU, oldest first. Exact while that CPU stands still. */
  last(hostCpu: number, most = RING_EVENTS): HostEvent[] {
    const words = this.words;
    const ring = this.#ringOf(hostCpu);
    const count = words.load(ring);
    const events: HostEvent[] = [];
    for (let i = Math.max(0, count - Math.min(most, RING_EVENTS)); i < count; i++) {
      const at = ring + HEADER_WORDS + (i % RING_EVENTS) * EVENT_WORDS;
      const word = (n: number): number => words.peek(toPtr(at + n));
      const sequence = word(0);
      // Another sequence number: overwritten meanwhile.
      if (sequence !== i + 1) continue;
      const kind = word(1) as EventKind;
      events.push({
        hostCpu,
        sequence,
        kind,
        vcpu: word(2) - 1,
        a: word(3),
        b: word(4),
        c: word(5),
      });
    }
    return events;
  }

  #ringOf(cpu: number): Ptr {
    const { at, stride } = this.layout.regions.events;
    return toPtr(at + cpu * stride);
  }
}
