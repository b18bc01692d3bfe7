/** Page tables written by a test on a small machine. */

import { FrameKind } from '../../shared/frames.ts';
import type { Host } from '../../shared/host.ts';
import { Vma } from '../../shared/launcher-map.ts';
import { assemble } from '../../src/assembly.ts';
import { type Gva, type Pfn, type Ptr, wordInFrame } from '../../src/hardware/address.ts';
import { Entry, NONPAE, PAE, type PagingForm } from '../../src/hardware/entry.ts';
import { Mmu } from '../../src/mmu/tlb.ts';

/** The processor's paging mode. */
export interface Mode {
  readonly pae: boolean;
  /** EFER.NXE: without it bit 63 is reserved. */
  readonly nxe: boolean;
}

export class Tables {
  readonly host: Host;
  readonly mmu: Mmu;
  readonly form: PagingForm;
  readonly top: Pfn;
  readonly directory: Pfn;
  readonly table: Pfn;
  readonly #mode: Mode;

  constructor(mode: Mode) {
    const guests = [{ paging: 'nonpae', pages: 1, pgdirs: 1 }] as const;
    this.host = assemble({ hostCpus: 1, frames: 64, seed: 0, guests }, Vma.ReadWrite).host;
    this.mmu = new Mmu(this.host, this.host.cpus[0]!);
    this.form = mode.pae ? PAE : NONPAE;
    this.#mode = mode;
    this.table = this.newFrame();
    this.directory = this.newFrame();
    this.top = mode.pae ? this.newFrame() : this.directory;
  }

  newFrame(): Pfn {
    return this.host.frames.allocate(FrameKind.PageTable, 0);
  }

  /** The addresses of an address's upper and last entry; all tables are the same two. */
  pdeAt(va: Gva): Ptr {
    const index = this.form.pae ? (va >>> 21) & 511 : va >>> 22;
    return wordInFrame(this.directory, index * this.form.entryWords * 4);
  }
  pteAt(va: Gva): Ptr {
    const index = (va >>> 12) & (this.form.ptrsPerPte - 1);
    return wordInFrame(this.table, index * this.form.entryWords * 4);
  }

  get(at: Ptr): Entry {
    const { words } = this.host;
    return this.form.pae ? words.load64(at) : new Entry(words.load(at), 0);
  }
  set(at: Ptr, entry: Entry): void {
    if (this.form.pae) this.host.words.store64(at, entry);
    else this.host.words.store(at, entry.low);
  }

  /** Entries for an address, with flags over the frames; with PAE all four PDPTEs lead to them. */
  map(va: Gva, frame: Pfn, pde: Flags, pte: Flags): void {
    if (this.form.pae) {
      for (let i = 0; i < 4; i++) {
        this.set(wordInFrame(this.top, i * 8), entryOf(this.directory, { low: 1 }));
      }
    }
    this.set(this.pdeAt(va), entryOf(this.table, pde));
    this.set(this.pteAt(va), entryOf(frame, pte));
  }

  /** False: general-protection fault. */
  loadCr3(): boolean {
    return this.mmu.loadCr3(this.top, this.form, this.#mode.nxe);
  }
}

export interface Flags {
  readonly low: number;
  /** Bits 32–63. */
  readonly high?: number;
}

export const entryOf = (frame: Pfn, { low, high = 0 }: Flags): Entry =>
  new Entry((frame << 12) | low, high);
