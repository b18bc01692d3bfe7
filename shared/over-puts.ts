/**
 * Puts beyond the references taken: of frames that this freed while their owner held them, or
 * that were free already; and the CPU and vCPU that did it. They are the cause of whatever goes
 * wrong with such a frame later, so the first few are recorded, and all are counted. Words of the
 * machine record.
 */

import type { Pfn, Ptr } from '../src/hardware/address.ts';
import * as address from '../src/hardware/address.ts';
import type { Words } from './words.ts';

const { toPfn, toPtr } = address;

/** How many there were; then what is kept of each. */
const SLOTS = 1;
const KEPT = 8;
const SLOT_WORDS = 4;

export const OVER_PUTS_WORDS = SLOTS + KEPT * SLOT_WORDS;

export interface OverPut {
  readonly frame: Pfn;
  /** Its kind and owner then, as the frame table has them (shared/frames.ts). */
  readonly kind: number;
  readonly owner: number;
  /** The number of CPUs for the main thread, and no vCPU, numbered in the machine. */
  readonly hostCpu: number;
  readonly vcpu: number | undefined;
}

export class OverPuts {
  declare private readonly words: Words;
  declare private readonly at: Ptr;

  constructor(words: Words, at: Ptr) {
    this.words = words;
    this.at = at;
  }

  get count(): number {
    return this.words.load(this.at);
  }

  /** `kind`: the word of the frame table. `vcpu`: its number plus one; 0 for none. */
  add(frame: Pfn, kind: number, hostCpu: number, vcpu: number): void {
    const i = this.words.add(this.at, 1);
    if (i >= KEPT) return;
    for (const [word, value] of [frame, kind, hostCpu, vcpu].entries()) {
      this.words.store(this.#slot(i, word), value);
    }
  }

  /** Those that are kept, the first one first. */
  list(): OverPut[] {
    return Array.from({ length: Math.min(this.count, KEPT) }, (_, i) => {
      const [frame, kind, hostCpu, vcpu] = [0, 1, 2, 3].map((word) =>
        this.words.load(this.#slot(i, word)),
      ) as [number, number, number, number];
      return {
        frame: toPfn(frame),
        kind: kind & 0xff,
        owner: kind >>> 8,
        hostCpu,
        vcpu: vcpu === 0 ? undefined : vcpu - 1,
      };
    });
  }

  #slot(i: number, word: number): Ptr {
    return toPtr(this.at + SLOTS + i * SLOT_WORDS + word);
  }
}
