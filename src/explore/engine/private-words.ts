/**
 * The private state of a host CPU (registers, TLB, counters, events), saved at the beginning of a
 * piece and restored before the piece is replayed.
 *
 * There are many pieces, and few are replayed, so saving has to be cheap. Of the events only their
 * number is saved, since a replay writes the same ones to the same places. The TLB changes only by
 * walks and flushes, which are counted, and is copied only after some.
 *
 * To go back to an earlier piece, each saved state is stored before the next one is saved.
 */

import type { Host } from '../../../shared/host.ts';
import { HOST_CPU_WORDS, TLB_ENTRIES, TLB_ENTRY_WORDS } from '../../../shared/host-cpu.ts';
import type { Snapshot } from './snapshot.ts';

/** Words of a host CPU's record that others read and write: its first line. */
const SHARED_WORDS = 16;

const TLB_WORDS = TLB_ENTRIES * TLB_ENTRY_WORDS;

/** The state at the beginning of a piece, with the TLB if it changed before the next piece. */
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
  /** The private part of the host CPU's record: its first word, and the first behind it. */
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
  /** When the TLB was saved. */
  #generation = 0;
  #walks = 0;
  #events = 0;
  /** States at the beginning of pieces, by number. */
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

  /** Restore the TLB too, even if its counts have not changed. */
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

  /** Store the saved state as that of piece `piece`, before the next one is saved. */
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

  /** Go back: the saved state becomes that of `piece`; it was that of `last`. */
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
