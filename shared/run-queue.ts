/** The vCPUs that wait for one host CPU, in order; any CPU may add one or take one. */

import type { Ptr } from '../src/hardware/address.ts';
import { toPtr } from '../src/hardware/address.ts';
import { Lock } from './lock.ts';
import type * as record from './record.ts';
import type { Words } from './words.ts';

/** See shared/record.ts. The ring of vCPUs' numbers is on lines of its own. */
export const RUN_QUEUE = {
  lock: [0, 'lock', 'by hand', 'atomic', 'lock of %'],
  length: [1, 'queue', 'by hand', 'lock, seen', '%'],
  /** Where in the ring the first is. */
  head: [2, 'queue', 'by hand', 'lock', '%'],
  ring: [16, 'queue', 'by hand', 'lock', '%', 0],
} as const satisfies record.Fields;

const [LOCK] = RUN_QUEUE.lock;
const [LENGTH] = RUN_QUEUE.length;
const [HEAD] = RUN_QUEUE.head;
const [RING] = RUN_QUEUE.ring;

export const runQueueWords = (vcpus: number): number => RING + Math.ceil(vcpus / 16) * 16;

export class RunQueue {
  readonly #words: Words;
  readonly #at: Ptr;
  readonly #capacity: number;
  readonly #lock: Lock;
  readonly #holder: number;

  /** `holder`: the number under which the calling thread takes locks. */
  constructor(words: Words, at: Ptr, capacity: number, holder: number, gaveUp: () => boolean) {
    this.#words = words;
    this.#at = at;
    this.#capacity = capacity;
    this.#lock = new Lock(words, toPtr(at + LOCK), gaveUp);
    this.#holder = holder;
  }

  /** How many wait; another CPU may change it at any time. */
  get length(): number {
    return this.#words.load(this.#field(LENGTH));
  }

  /** Add at the end; returns how many wait now. */
  push(vcpu: number): number {
    this.#lock.acquire(this.#holder);
    const length = this.#words.load(this.#field(LENGTH));
    this.#words.poke(this.#slot(length), vcpu);
    this.#words.store(this.#field(LENGTH), length + 1);
    this.#lock.release(this.#holder);
    return length + 1;
  }

  /** Take the first; −1 when there is none. */
  take(): number {
    // Without the lock: an empty queue is the common case for a stealing CPU.
    if (this.length === 0) return -1;
    this.#lock.acquire(this.#holder);
    const length = this.#words.load(this.#field(LENGTH));
    let vcpu = -1;
    if (length > 0) {
      vcpu = this.#words.peek(this.#slot(0));
      const head = this.#words.peek(this.#field(HEAD));
      this.#words.poke(this.#field(HEAD), (head + 1) % this.#capacity);
      this.#words.store(this.#field(LENGTH), length - 1);
    }
    this.#lock.release(this.#holder);
    return vcpu;
  }

  /** The words that say which vCPUs wait. */
  get contents(): readonly Ptr[] {
    const ring = Array.from({ length: this.#capacity }, (_, i) => this.#field(RING + i));
    return [this.#field(LENGTH), this.#field(HEAD), ...ring];
  }

  /** The vCPUs that wait, by these words: `found` begins with their values. */
  vcpusIn([length, head, ...ring]: readonly number[]): readonly number[] {
    return Array.from({ length: length! }, (_, i) => ring[(head! + i) % this.#capacity]!);
  }

  #slot(i: number): Ptr {
    return this.#field(RING + ((this.#words.peek(this.#field(HEAD)) + i) % this.#capacity));
  }

  #field(offset: number): Ptr {
    return toPtr(this.#at + offset);
  }
}
