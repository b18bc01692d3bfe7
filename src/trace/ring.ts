/**
 * A ring buffer of events from one host CPU to a trace, in a memory separate from the machine's.
 * The CPU writes events, with the time; the main thread drains it every few milliseconds. Neither
 * waits: events that are overwritten before they are read are counted.
 */

import type { EventKind } from '../../shared/events.ts';
import { makeMemory, Words } from '../../shared/words.ts';
import type { Ptr } from '../hardware/address.ts';
import { toPtr } from '../hardware/address.ts';
import type { WasmMemory } from '../wasm.ts';

/** The words of one event. The sequence number is written last. */
export const Field = {
  /** 1 is the first; 0 while it is being written. */
  Sequence: 0,
  Kind: 1,
  /** Machine-wide number of the running vCPU, plus one; 0 for none. */
  Vcpu: 2,
  A: 3,
  B: 4,
  C: 5,
  /** Nanoseconds since the machine was booted: low and high half. */
  Time: 6,
} as const;

export const EVENT_WORDS = 8;

/** A megabyte: at a million events a second that is 30 ms. */
const RING_EVENTS = 1 << 15;

/** How many events there were, on a line of its own; two words for the leaf. */
const COUNT = toPtr(0);
const SCRATCH = toPtr(2);
const HEADER_WORDS = 16;

export const makeRing = (): WasmMemory => makeMemory(HEADER_WORDS + RING_EVENTS * EVENT_WORDS);

/** One thread's view of a ring. */
export class TraceRing {
  readonly #words: Words;
  /** For the reader: how many it has had. */
  #read = 0;

  constructor(memory: WasmMemory) {
    this.#words = new Words(memory, SCRATCH);
  }

  /** `vcpu` plus one; `ns` since boot. By the CPU whose ring it is. */
  write(ns: number, kind: EventKind, vcpu: number, a: number, b: number, c: number): void {
    const words = this.#words;
    const { plain } = words;
    const sequence = plain[COUNT]! + 1;
    const at = placeOf(sequence);
    words.store(at, 0);
    plain[at + Field.Kind] = kind;
    plain[at + Field.Vcpu] = vcpu;
    plain[at + Field.A] = a;
    plain[at + Field.B] = b;
    plain[at + Field.C] = c;
    plain[at + Field.Time] = ns;
    plain[at + Field.Time + 1] = ns / 2 ** 32;
    words.store(at, sequence);
    words.store(COUNT, sequence);
  }

  /**
   * Hand on what has been written since the last time, oldest first: where its words begin in
   * `words`, which hold until `take` returns, and how many were lost just before it. Returns how
   * many were lost behind the last.
   */
  drain(take: (words: Uint32Array, at: number, lost: number) => void): number {
    const words = this.#words;
    const count = words.load(COUNT);
    const from = Math.max(this.#read, count - RING_EVENTS);
    let lost = from - this.#read;
    const copy = new Uint32Array(EVENT_WORDS);
    for (let sequence = from + 1; sequence <= count; sequence++) {
      const at = placeOf(sequence);
      const before = words.load(at);
      copy.set(words.plain.subarray(at, at + EVENT_WORDS));
      if (before !== sequence || words.load(at) !== sequence) {
        lost++;
        continue;
      }
      take(copy, 0, lost);
      lost = 0;
    }
    this.#read = count;
    return lost;
  }
}

const placeOf = (sequence: number): Ptr =>
  toPtr(HEADER_WORDS + ((sequence - 1) % RING_EVENTS) * EVENT_WORDS);
