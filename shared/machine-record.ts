/** The few words that are the whole machine's, not a CPU's or a guest's. */

import type { Ptr } from '../src/hardware/address.ts';
import { OVER_PUTS_WORDS, OverPuts } from './over-puts.ts';
import * as record from './record.ts';

/** See shared/record.ts. What different CPUs write often lies on a line of its own. */
const FIELDS = {
  stop: [0, 'number', 'by hand', 'atomic', 'whether the machine is to stop'],
  aliveVcpus: [1, 'number', 'atomic', 'atomic', 'count of vCPUs alive'],
  failAfter: [16, 'number', 'by hand', 'atomic', 'allocations left until they fail'],
  /** A record of its own: POOL in frames.ts. */
  pool: [32, 'words', 'by hand', 'once', 'frame pool', 4],
  /** For 64-bit results of the main thread, see words.ts. */
  scratch: [48, 'words', 'by hand', 'once', 'scratch words of the main thread', 2],
  /**
   * Time slices begun so far, modulo 2^32: what CPUs go offline and come back by. The CPUs that are
   * idle or go off and on look at the words behind it.
   */
  slices: [64, 'number', 'atomic', 'atomic', 'count of time slices'],
  idleCpu: [65, 'number', 'by hand', 'atomic', 'idle CPU that looks for work'],
  /** How often a CPU found itself offline, and found itself back. */
  wentOffline: [66, 'number', 'atomic', 'atomic', 'count of CPUs gone offline'],
  cameBack: [67, 'number', 'atomic', 'atomic', 'count of CPUs come back'],
  /** vCPUs that an offline CPU gave to another. */
  handedOver: [68, 'number', 'atomic', 'atomic', 'count of vCPUs handed over'],
  /** Of page tables and copies on write: those asked for, and those refused. */
  allocations: [80, 'number', 'atomic', 'atomic', 'count of allocations'],
  failedAllocations: [81, 'number', 'atomic', 'atomic', 'count of failed allocations'],
  overPuts: [
    96,
    'words',
    'by hand',
    'atomic',
    'list of references given back too often',
    OVER_PUTS_WORDS,
  ],
} as const satisfies record.Fields;

export const MACHINE = FIELDS;
export const MACHINE_WORDS = record.wordsOf(FIELDS);
export const [MAIN_SCRATCH] = FIELDS.scratch;

/** Why the CPUs are to leave their loops. */
export const Stop = {
  Running: 0,
  /** Nothing is left to run. */
  Done: 1,
  /** A host CPU died or met an oops: CPUs that wait for it would wait for ever. */
  Failed: 2,
  /** The user asked. */
  Interrupted: 3,
} as const;

export type StopReason = (typeof Stop)[keyof typeof Stop];

export class MachineRecord extends record.recordOf(FIELDS) {
  get stop(): StopReason {
    return this.words.load(this.field(FIELDS.stop[0])) as StopReason;
  }

  /** The first reason is kept. */
  requestStop(reason: StopReason): void {
    this.words.compareExchange(this.field(FIELDS.stop[0]), Stop.Running, reason);
  }

  /** Returns how many vCPUs are left. */
  retireVcpu(): number {
    return this.words.add(this.field(FIELDS.aliveVcpus[0]), -1) - 1;
  }

  /** Let allocations fail after `n` more, −1 for never, and count them from here on. */
  failAllocationsAfter(n: number): void {
    this.allocations = 0;
    this.failedAllocations = 0;
    this.words.store(this.field(FIELDS.failAfter[0]), n);
  }

  /** Whether this allocation is to fail on demand. */
  allocationFails(): boolean {
    const at = this.field(FIELDS.failAfter[0]);
    for (;;) {
      const left = this.words.load(at) | 0;
      if (left < 0) return false;
      if (left === 0) return true;
      if (this.words.compareExchange(at, left, left - 1) === left) return false;
    }
  }

  countAllocation(failed: boolean): void {
    this.words.addBlind(this.field(FIELDS.allocations[0]), 1);
    if (failed) this.words.addBlind(this.field(FIELDS.failedAllocations[0]), 1);
  }

  /** Begin time slice `slice`; false when another CPU has begun it. */
  beginSlice(slice: number): boolean {
    const at = this.field(FIELDS.slices[0]);
    return this.words.compareExchange(at, slice, slice + 1) === slice;
  }

  /** A CPU that may be idle is to look up when work waits for others. A hint: it may be lost. */
  offerIdleCpu(index: number): void {
    this.words.store(this.field(FIELDS.idleCpu[0]), index + 1);
  }
  /** The CPU that offered itself last, or −1. */
  takeIdleCpu(): number {
    const at = this.field(FIELDS.idleCpu[0]);
    return this.words.load(at) === 0 ? -1 : this.words.exchange(at, 0) - 1;
  }

  countOffline(offline: boolean): void {
    const [at] = offline ? FIELDS.wentOffline : FIELDS.cameBack;
    this.words.add(this.field(at), 1);
  }
  countHandOver(): void {
    this.words.add(this.field(FIELDS.handedOver[0]), 1);
  }

  /** References that were given back and had not been taken. */
  get overPuts(): OverPuts {
    return new OverPuts(this.words, this.field(FIELDS.overPuts[0]));
  }

  /** The record of the frame pool (frames.ts). */
  get pool(): Ptr {
    return this.field(FIELDS.pool[0]);
  }
}
