/** The few words that are the whole machine's, not a CPU's or a guest's. */

import type { Ptr } from './address.ts';
import { OVER_PUTS_WORDS, OverPuts } from './over-puts.ts';
import { SharedRecord } from './shared-record.ts';

/** Word offsets. What different CPUs write often lies on a line of its own. */
const STOP = 0;
const ALIVE_VCPUS = 1;
const FAIL_AFTER = 16;
const POOL = 32;
/** Time slices begun; the CPUs that are idle or go off and on look at the words behind it. */
const SLICES = 64;
const IDLE_CPU = 65;
const WENT_OFFLINE = 66;
const CAME_BACK = 67;
const HANDED_OVER = 68;
const ALLOCATIONS = 80;
const FAILED_ALLOCATIONS = 81;

const OVER_PUTS = 96;

export const MACHINE_WORDS = Math.ceil((OVER_PUTS + OVER_PUTS_WORDS) / 16) * 16;

/** Why the CPUs are to leave their loops. */
export const Stop = {
  Running: 0,
  /** Nothing is left to run. */
  Done: 1,
  /** A host CPU died or met an oops: whoever waits for it would wait for ever. */
  Failed: 2,
  /** The user asked. */
  Interrupted: 3,
} as const;

export type StopReason = (typeof Stop)[keyof typeof Stop];

export class MachineRecord extends SharedRecord {
  get stop(): StopReason {
    return this.load(STOP) as StopReason;
  }

  /** The first reason is kept. */
  requestStop(reason: StopReason): void {
    this.words.compareExchange(this.field(STOP), Stop.Running, reason);
  }

  get aliveVcpus(): number {
    return this.load(ALIVE_VCPUS);
  }

  set aliveVcpus(count: number) {
    this.store(ALIVE_VCPUS, count);
  }

  /** Returns how many vCPUs are left. */
  retireVcpu(): number {
    return this.words.add(this.field(ALIVE_VCPUS), -1) - 1;
  }

  /** Let allocations fail after `n` more, −1 for never, and count them from here on. */
  failAllocationsAfter(n: number): void {
    this.store(ALLOCATIONS, 0);
    this.store(FAILED_ALLOCATIONS, 0);
    this.store(FAIL_AFTER, n);
  }

  /** Whether this allocation is to fail on demand. */
  allocationFails(): boolean {
    const at = this.field(FAIL_AFTER);
    for (;;) {
      const left = this.words.load(at) | 0;
      if (left < 0) return false;
      if (left === 0) return true;
      if (this.words.compareExchange(at, left, left - 1) === left) return false;
    }
  }

  /** Allocations of page tables and copies on write that were asked for, and those refused. */
  get allocations(): number {
    return this.load(ALLOCATIONS);
  }
  get failedAllocations(): number {
    return this.load(FAILED_ALLOCATIONS);
  }
  countAllocation(failed: boolean): void {
    this.words.add(this.field(ALLOCATIONS), 1);
    if (failed) this.words.add(this.field(FAILED_ALLOCATIONS), 1);
  }

  /** Time slices begun so far, modulo 2^32: what CPUs go offline and come back by. */
  get slices(): number {
    return this.load(SLICES);
  }
  /** Begin time slice `slice`; false when another CPU has begun it. */
  beginSlice(slice: number): boolean {
    return this.words.compareExchange(this.field(SLICES), slice, slice + 1) === slice;
  }

  /** A CPU that may be idle is to look up when work waits for others. A hint: it may be lost. */
  offerIdleCpu(index: number): void {
    this.store(IDLE_CPU, index + 1);
  }
  /** The CPU that offered itself last, or −1. */
  takeIdleCpu(): number {
    const at = this.field(IDLE_CPU);
    return this.words.load(at) === 0 ? -1 : this.words.exchange(at, 0) - 1;
  }

  /** How often a CPU found itself offline, and found itself back. */
  get wentOffline(): number {
    return this.load(WENT_OFFLINE);
  }
  get cameBack(): number {
    return this.load(CAME_BACK);
  }
  countOffline(offline: boolean): void {
    this.words.add(this.field(offline ? WENT_OFFLINE : CAME_BACK), 1);
  }

  /** vCPUs that an offline CPU gave to another. */
  get handedOver(): number {
    return this.load(HANDED_OVER);
  }
  countHandOver(): void {
    this.words.add(this.field(HANDED_OVER), 1);
  }

  /** References that were given back and had not been taken. */
  get overPuts(): OverPuts {
    return new OverPuts(this.words, this.field(OVER_PUTS));
  }

  /** The record of the frame pool. */
  get pool(): Ptr {
    return this.field(POOL);
  }
}
