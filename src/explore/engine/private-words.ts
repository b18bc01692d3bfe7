/**
 * What is private to a host CPU (registers, TLB, counters, events), kept as it was at the
 * beginning of a piece of work, to be put back before the piece is done again.
 *
 * Pieces are many, and few of them are done again, so keeping has to be cheap. Of the events
 * their number will do, since the same ones come to the same places again. The TLB changes by
 * walks and flushes alone, which are counted, and is copied only after some.
 *
 * To go back to a piece of before, what is kept is remembered before the next one's beginning is kept.
 */

import type { Host } from '../../../shared/host.ts';
import { HOST_CPU_WORDS, TLB_ENTRIES, TLB_ENTRY_WORDS } from '../../../shared/host-cpu.ts';
import type { Snapshot } from './snapshot.ts';

/** Words of a host CPU's record that others read and write: its first line. */
const SHARED_WORDS = 16;

const TLB_WORDS = TLB_ENTRIES * TLB_ENTRY_WORDS;

/** The beginning of a piece, and the TLB there, if it was another at the next one's. */
interface Remembered {
  readonly own: Uint32Array;
  readonly counters: Uint32Array;
  events: number;
  walks: number;
  generation: number;
  tlb: Uint32Array | undefined;
  hasTlb: boolean;
}

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
  /** Of pieces by number: their beginnings. */
  readonly #past: Remembered[] = [];

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

  /** What is kept is the beginning of piece `piece`, and the next one's is to be kept. */
  remember(piece: number): void {
    const { plain } = this.#snapshot;
    this.#past[piece] ??= {
      own: new Uint32Array(this.#tlbAt - this.from),
      counters: new Uint32Array(this.#counterWords),
      events: 0,
      walks: 0,
      generation: 0,
      tlb: undefined,
      hasTlb: false,
    };
    const past = this.#past[piece];
    past.own.set(plain.subarray(this.from, this.#tlbAt));
    past.counters.set(plain.subarray(this.#countersAt, this.#countersAt + this.#counterWords));
    past.events = this.#events;
    past.walks = this.#walks;
    past.generation = this.#generation;
    past.hasTlb = this.#tlbMayDiffer;
    if (!past.hasTlb) return;
    past.tlb ??= new Uint32Array(TLB_WORDS);
    past.tlb.set(plain.subarray(this.#tlbAt, this.#tlbAt + TLB_WORDS));
  }

  /** What is kept is again that of `piece`, as it is in memory; it was that of `last`. */
  goBack(piece: number, last: number): void {
    const { plain } = this.#snapshot;
    for (let i = last - 1; i >= piece; i--) {
      const { hasTlb, tlb } = this.#past[i]!;
      if (hasTlb) plain.set(tlb!, this.#tlbAt);
    }
    if (piece < last) {
      const { own, counters, events, walks, generation } = this.#past[piece]!;
      plain.set(own, this.from);
      plain.set(counters, this.#countersAt);
      this.#events = events;
      this.#walks = walks;
      this.#generation = generation;
    }
    this.#snapshot.putBack(this.#tlbAt, TLB_WORDS);
    this.putBack();
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
