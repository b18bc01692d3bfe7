/**
 * A guest driven by hand: its page tables are made here, and its operations are calls
 * of the paging code, one after the other in one thread.
 */

import type { DisciplineName } from '../shared/discipline.ts';
import type { Host, SharedMachine } from '../shared/host.ts';
import { Vma } from '../shared/launcher-map.ts';
import type { Layout } from '../shared/layout.ts';
import type { LgCpu } from '../shared/lg-cpu.ts';
import type { Lguest } from '../shared/lguest.ts';
import { assemble, joinMachine, layoutOf, type MachineShape } from '../src/assembly.ts';
import { Fault } from '../src/hardware/access.ts';
import {
  frameOf,
  type Gpa,
  type Gva,
  toGpa,
  toGpfn,
  toGva,
  wordInFrame,
} from '../src/hardware/address.ts';
import {
  Entry,
  PAGE_PRESENT,
  PAGE_RW,
  PAGE_TABLE,
  PAGE_USER,
  type PagingName,
} from '../src/hardware/entry.ts';
import { Mmu } from '../src/mmu/tlb.ts';
import { demandPage } from '../src/paging/fault.ts';
import { initGuestPagetable } from '../src/paging/setup.ts';
import { guestNewPagetable } from '../src/paging/switch.ts';
import type { Options } from './native/yardstick.ts';

export const FORMS = [
  { paging: 'nonpae', levels: 'two levels' },
  { paging: 'pae', levels: 'three levels' },
] as const;

/** Pages that a sweep touches: twice the TLB's entries, so that each page misses. */
export const SWEEP = 1024;

/** What the sweep's entries carry, as a kernel would write them. */
export const USER_PAGE = PAGE_PRESENT | PAGE_RW | PAGE_USER;

const KERNEL = toGva(0xc000_0000);
const PAGES = 4096;

/** Guest-physical places: top levels from page 1 on, other tables, and what is mapped. */
export const TOPS = 64;
const FIRST_TABLE = 128;
/** Guest pages for the tables of one vCPU's sweep, where each has its own. */
const TABLES_OF_ONE = 16;
const FIRST_PAGE = 1024;

const BASE = 0x0800_0000;

/** A top level of the guest; only the first has anything in it. */
export const top = (i: number): Gpa => toGpa((1 + (i % TOPS)) * 4096);

/** The address of the sweep's page `i`. */
export const pageAddress = (i: number): Gva => toGva(BASE + i * 4096);

export interface GuestSpec {
  readonly paging: PagingName;
  readonly hostCpus?: number;
  /** As written, it has all defects, and otherwise none. */
  readonly discipline?: DisciplineName;
  /** As many as host CPUs, or one that goes from one to the other. */
  readonly vcpus?: number;
  readonly sharing?: Sharing;
  /** Guest memory, and shadows that it may have cached. */
  readonly pages?: number;
  readonly pgdirs?: number;
}

/**
 * How the pages of several vCPUs lie to one another: each has a page table of its own, or
 * they have one together, and there one region each or every other page.
 */
export type Sharing = 'separate' | 'regions' | 'interleaved';

type WholeSpec = Required<GuestSpec>;

const wholeOf = (spec: GuestSpec): WholeSpec => ({
  hostCpus: 1,
  discipline: 'as-written',
  vcpus: 1,
  sharing: 'separate',
  pages: PAGES,
  pgdirs: 4,
  ...spec,
});

/** With room for what is mapped and evicted. */
const shapeOf = ({
  paging,
  hostCpus,
  discipline,
  vcpus,
  pages,
  pgdirs,
}: WholeSpec): MachineShape => ({
  hostCpus,
  discipline,
  seed: 1,
  frames: pages + 512,
  guests: [{ paging, pages, vcpus, pgdirs }],
});

/** What the yardstick must be told to make the same. */
export function optionsFor(spec: GuestSpec): Options {
  const whole = wholeOf(spec);
  const { paging, hostCpus, discipline, vcpus, sharing, pages } = whole;
  return {
    paging,
    discipline,
    sharing,
    cpuCount: hostCpus,
    vcpuCount: vcpus,
    pages,
    ...layoutOptions(layoutOf(shapeOf(whole))),
  };
}

export class HandDrivenGuest {
  readonly shared: SharedMachine;
  /** Views of the machine, one for each host CPU. */
  readonly hosts: readonly Host[];
  readonly spec: WholeSpec;

  /** Its sweep is mapped in its own tables, and not yet in the shadow. */
  constructor(spec: GuestSpec) {
    this.spec = wholeOf(spec);
    const { hostCpus, vcpus, sharing } = this.spec;
    this.shared = assemble(shapeOf(this.spec), Vma.ReadWrite).shared;
    // With several views the compiler sees several leaves: no more than are needed.
    this.hosts = Array.from({ length: hostCpus }, (_, i) => joinMachine(this.shared, i));
    this.lg.kernelAddress = KERNEL;
    initGuestPagetable(this.lg);
    this.cpu.linearPages = false;
    const together = sharing !== 'separate';
    for (let v = 0; v < (together ? 1 : vcpus); v++) {
      const pages = together ? vcpus * SWEEP : SWEEP;
      this.#mapSweep(v, FIRST_TABLE + v * TABLES_OF_ONE, FIRST_PAGE + v * SWEEP, pages);
    }
    for (const cpu of this.lg.cpus) guestNewPagetable(cpu, top(together ? 0 : cpu.id));
  }

  get host(): Host {
    return this.hosts[0]!;
  }
  get lg(): Lguest {
    return this.host.guests[0]!;
  }
  get cpu(): LgCpu {
    return this.lg.cpus[0]!;
  }

  /** The guest's own entry for the sweep's page `i`. */
  entryFor(i: number, flags: number): Entry {
    return new Entry(((FIRST_PAGE + i) << 12) | flags, 0);
  }

  /** Each page of the sweep faults, for writing; returns how many there were. */
  faultAll(): number {
    return faultPages(this.cpu, 0, 1);
  }

  /** The first host CPU's MMU on the current shadow. */
  mmu(): Mmu {
    const mmu = new Mmu(this.host, this.host.cpus[0]!);
    mmu.loadCr3(frameOf(this.lg.pgdirs[this.cpu.cpuPgd]!.pgdir), this.lg.form, this.lg.nx);
    return mmu;
  }

  /** Pages of the sweep under top level `t`: from these tables and to these pages on. */
  #mapSweep(t: number, firstTable: number, firstPage: number, pages: number): void {
    const { ptrsPerPte, entryWords, pae, pgdirShift } = this.lg.form;
    let upper = toGpa(top(t) + (BASE >>> pgdirShift) * entryWords * 4);
    if (pae) {
      const middle = firstTable - 1;
      this.#write(upper, new Entry((middle << 12) | PAGE_PRESENT, 0));
      upper = toGpa(middle * 4096 + ((BASE >>> 21) & 511) * 8);
    }
    for (let i = 0; i < pages; i++) {
      const table = firstTable + Math.floor(i / ptrsPerPte);
      const at = toGpa(table * 4096 + (i % ptrsPerPte) * entryWords * 4);
      this.#write(at, new Entry(((firstPage + i) << 12) | USER_PAGE, 0));
      if (i % ptrsPerPte === 0) {
        const pde = toGpa(upper + Math.floor(i / ptrsPerPte) * entryWords * 4);
        this.#write(pde, new Entry((table << 12) | PAGE_TABLE, 0));
      }
    }
  }

  #write(gpa: Gpa, entry: Entry): void {
    this.lg.setEntry(wordInFrame(this.lg.map.frame(toGpfn(gpa >>> 12)), gpa), entry);
  }
}

/** `SWEEP` pages, of which the first and how far the next is are given, fault for writing. */
export function faultPages(cpu: LgCpu, first: number, step: number): number {
  for (let i = 0; i < SWEEP; i++) {
    if (!demandPage(cpu, pageAddress(first + i * step), Fault.User | Fault.Write)) {
      throw new Error(`page ${first + i * step} of the sweep should be mapped`);
    }
  }
  return SWEEP;
}

/** Where the regions are, for the yardstick. */
export function layoutOptions({ regions, firstFrame, totalFrames }: Layout): Options {
  const places = Object.values(regions).flatMap(({ name, at, stride }) => [
    [name, at],
    [`${name}.stride`, stride],
  ]);
  return { firstFrame, totalFrames, ...Object.fromEntries(places) };
}
