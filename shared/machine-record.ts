/** The few words that are the whole machine's, not a CPU's or a guest's. */

import type { Ptr } from './address.ts';
import { toPtr } from './address.ts';
import type { Words } from './words.ts';

/** Word offsets. What different CPUs write often lies on a line of its own. */
const STOP = 0;
const ALIVE_VCPUS = 1;
const FAIL_AFTER = 16;
const POOL = 32;

export const MACHINE_WORDS = 64;

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

export class MachineRecord {
  readonly #words: Words;
  readonly #at: Ptr;

  constructor(words: Words, at: Ptr) {
    this.#words = words;
    this.#at = at;
  }

  get stop(): StopReason {
    return this.#words.load(this.#field(STOP)) as StopReason;
  }

  /** The first reason is kept. */
  requestStop(reason: StopReason): void {
    this.#words.compareExchange(this.#field(STOP), Stop.Running, reason);
  }

  get aliveVcpus(): number {
    return this.#words.load(this.#field(ALIVE_VCPUS));
  }

  set aliveVcpus(count: number) {
    this.#words.store(this.#field(ALIVE_VCPUS), count);
  }

  /** Returns how many vCPUs are left. */
  retireVcpu(): number {
    return this.#words.add(this.#field(ALIVE_VCPUS), -1) - 1;
  }

  /** Let allocations fail after `n` more; −1 for never. */
  failAllocationsAfter(n: number): void {
    this.#words.store(this.#field(FAIL_AFTER), n);
  }

  /** Whether this allocation is to fail on demand. */
  allocationFails(): boolean {
    const at = this.#field(FAIL_AFTER);
    for (;;) {
      const left = this.#words.load(at) | 0;
      if (left < 0) return false;
      if (left === 0) return true;
      if (this.#words.compareExchange(at, left, left - 1) === left) return false;
    }
  }

  /** The record of the frame pool. */
  get pool(): Ptr {
    return this.#field(POOL);
  }

  #field(offset: number): Ptr {
    return toPtr(this.#at + offset);
  }
}
