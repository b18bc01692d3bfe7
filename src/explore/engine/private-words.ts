/**
 * What is private to a host CPU (registers, TLB, counters, events), kept as it was at the
 * beginning of a piece of work, to be put back before the piece is done again.
 *
 * Pieces are many, and few of them are done again, so keeping has to be cheap. Of the events
 * their number will do, since the same ones come to the same places again. The TLB changes by
 * walks and flushes alone, which are counted, and is copied only after some.
 */

import type { Host } from '../../../shared/host.ts';
import { HOST_CPU_WORDS, TLB_ENTRIES, TLB_ENTRY_WORDS } from '../../../shared/host-cpu.ts';

/** Words of a host CPU's record that others read and write: its first line. */
const SHARED_WORDS = 16;

/** Words in a row, and what they were. */
interface Kept {
  readonly now: Uint32Array;
  readonly was: Uint32Array;
}

export class PrivateWords {
  /** Of the host CPU's record: the first word that is its own, and the first behind it. */
  readonly from: number;
  readonly to: number;
  readonly #plain: Uint32Array;
  readonly #registers: Kept;
  readonly #counters: Kept;
  readonly #tlb: Kept;
  readonly #generationAt: number;
  readonly #walksAt: number;
  readonly #eventsAt: number;
  /** When the TLB was kept. */
  #generation = 0;
  #walks = 0;
  #events = 0;

  constructor({ words, layout, cpus }: Host, index: number) {
    const { plain } = words;
    const { hostCpus, counters, events } = layout.regions;
    const guests = layout.config.guests.length;
    const cpu = cpus[index]!;
    const at = hostCpus.at + index * hostCpus.stride;
    const kept = (from: number, count: number): Kept => {
      const now = plain.subarray(from, from + count);
      return { now, was: new Uint32Array(now) };
    };
    this.from = at + SHARED_WORDS;
    this.to = at + HOST_CPU_WORDS;
    this.#plain = plain;
    this.#registers = kept(this.from, cpu.tlb - this.from);
    this.#tlb = kept(cpu.tlb, TLB_ENTRIES * TLB_ENTRY_WORDS);
    this.#counters = kept(counters.at + index * guests * counters.stride, guests * counters.stride);
    this.#generationAt = cpu.generationWord;
    this.#walksAt = cpu.walksWord;
    this.#eventsAt = events.at + index * events.stride;
    this.keepAll();
  }

  keep(): void {
    keep(this.#registers);
    keep(this.#counters);
    this.#events = this.#plain[this.#eventsAt]!;
    if (this.#tlbMayDiffer) this.#keepTlb();
  }

  /** The TLB too, whatever became of it. */
  keepAll(): void {
    this.keep();
    this.#keepTlb();
  }

  putBack(): void {
    if (this.#tlbMayDiffer) putBack(this.#tlb);
    putBack(this.#registers);
    putBack(this.#counters);
    this.#plain[this.#eventsAt] = this.#events;
  }

  get #tlbMayDiffer(): boolean {
    return (
      this.#plain[this.#walksAt] !== this.#walks ||
      this.#plain[this.#generationAt] !== this.#generation
    );
  }

  #keepTlb(): void {
    keep(this.#tlb);
    this.#walks = this.#plain[this.#walksAt]!;
    this.#generation = this.#plain[this.#generationAt]!;
  }
}

function keep({ now, was }: Kept): void {
  copy(now, was);
}

function putBack({ now, was }: Kept): void {
  copy(was, now);
}

/** A call for it costs as much as some fifty words by themselves. */
function copy(from: Uint32Array, to: Uint32Array): void {
  if (from.length > 50) to.set(from);
  else for (let i = 0; i < from.length; i++) to[i] = from[i]!;
}
