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
import type { Snapshot } from './snapshot.ts';

/** Words of a host CPU's record that others read and write: its first line. */
const SHARED_WORDS = 16;

const TLB_WORDS = TLB_ENTRIES * TLB_ENTRY_WORDS;

export class PrivateWords {
  /** Of the host CPU's record: the first word that is its own, and the first behind it. */
  readonly from: number;
  readonly to: number;
  readonly #snapshot: Snapshot;
  readonly #plain: Uint32Array;
  readonly #tlbAt: number;
  readonly #countersAt: number;
  readonly #counterWords: number;
  readonly #generationAt: number;
  readonly #walksAt: number;
  readonly #eventsAt: number;
  /** When the TLB was kept. */
  #generation = 0;
  #walks = 0;
  #events = 0;

  constructor({ words, layout, cpus }: Host, index: number, snapshot: Snapshot) {
    const { hostCpus, counters, events } = layout.regions;
    const cpu = cpus[index]!;
    const at = hostCpus.at + index * hostCpus.stride;
    this.from = at + SHARED_WORDS;
    this.to = at + HOST_CPU_WORDS;
    this.#snapshot = snapshot;
    this.#plain = words.plain;
    this.#tlbAt = cpu.tlb;
    this.#counterWords = layout.config.guests.length * counters.stride;
    this.#countersAt = counters.at + index * this.#counterWords;
    this.#generationAt = cpu.generationWord;
    this.#walksAt = cpu.walksWord;
    this.#eventsAt = events.at + index * events.stride;
    this.keepAll();
  }

  keep(): void {
    this.#snapshot.keep(this.from, this.#tlbAt - this.from);
    this.#snapshot.keep(this.#countersAt, this.#counterWords);
    this.#events = this.#plain[this.#eventsAt]!;
    if (this.#tlbMayDiffer) this.#keepTlb();
  }

  /** The TLB too, whatever became of it. */
  keepAll(): void {
    this.keep();
    this.#keepTlb();
  }

  putBack(): void {
    if (this.#tlbMayDiffer) this.#snapshot.putBack(this.#tlbAt, TLB_WORDS);
    this.#snapshot.putBack(this.from, this.#tlbAt - this.from);
    this.#snapshot.putBack(this.#countersAt, this.#counterWords);
    this.#plain[this.#eventsAt] = this.#events;
  }

  get #tlbMayDiffer(): boolean {
    return (
      this.#plain[this.#walksAt] !== this.#walks ||
      this.#plain[this.#generationAt] !== this.#generation
    );
  }

  #keepTlb(): void {
    this.#snapshot.keep(this.#tlbAt, TLB_WORDS);
    this.#walks = this.#plain[this.#walksAt]!;
    this.#generation = this.#plain[this.#generationAt]!;
  }
}
