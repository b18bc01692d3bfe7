/**
 * A guest driven by hand: its page tables are made here, and its operations are calls
 * of the paging code, one after the other in one thread.
 */

import { Fault } from '../shared/access.ts';
import {
  frameOf,
  type Gpa,
  type Gva,
  toGpa,
  toGpfn,
  toGva,
  wordInFrame,
} from '../shared/address.ts';
import { ALL_DEFECTS } from '../shared/defects.ts';
import {
  Entry,
  PAGE_PRESENT,
  PAGE_RW,
  PAGE_TABLE,
  PAGE_USER,
  type PagingName,
} from '../shared/entry.ts';
import { Host, makeMachine } from '../shared/host.ts';
import { Vma } from '../shared/launcher-map.ts';
import { layOut } from '../shared/layout.ts';
import type { LgCpu } from '../shared/lg-cpu.ts';
import type { Lguest } from '../shared/lguest.ts';
import { Mmu } from '../src/mmu/tlb.ts';
import { demandPage } from '../src/paging/fault.ts';
import { initGuestPagetable } from '../src/paging/setup.ts';
import { guestNewPagetable } from '../src/paging/switch.ts';

export const FORMS = [
  { paging: 'nonpae', levels: 'two levels' },
  { paging: 'pae', levels: 'three levels' },
] as const;

/** Pages that a sweep touches: twice the TLB's entries, so that each page misses. */
export const SWEEP = 1024;

/** What the sweep's entries carry, as a kernel would write them. */
export const USER_PAGE = PAGE_PRESENT | PAGE_RW | PAGE_USER;

const KERNEL = toGva(0xc000_0000);
const SWITCHER = toGva(0xffc0_0000);
const PAGES = 4096;

/** Guest-physical places: top levels from page 1 on, other tables, and what is mapped. */
export const TOPS = 64;
const FIRST_TABLE = 128;
const FIRST_PAGE = 1024;

const BASE = 0x0800_0000;

/** A top level of the guest; only the first has anything in it. */
export const top = (i: number): Gpa => toGpa((1 + (i % TOPS)) * 4096);

/** The address of the sweep's page `i`. */
export const pageAddress = (i: number): Gva => toGva(BASE + i * 4096);

export class HandDrivenGuest {
  /** Views of the machine, one for each host CPU. */
  readonly hosts: readonly Host[];

  /** Its sweep is mapped in its own tables, and not yet in the shadow. */
  constructor(paging: PagingName, hostCpus = 1, { pages = PAGES, pgdirs = 4 } = {}) {
    const { shared, host } = makeMachine(
      layOut({
        hostCpus,
        switcherAddr: SWITCHER,
        frames: pages + 512,
        seed: 1,
        guests: [{ paging, nx: paging === 'pae', pages, vcpus: 1, pgdirs, defects: ALL_DEFECTS }],
      }),
      Vma.ReadWrite,
    );
    // With several views the compiler sees several leaves: no more than are needed.
    this.hosts =
      hostCpus === 1 ? [host] : Array.from({ length: hostCpus }, (_, i) => new Host(shared, i));
    this.lg.kernelAddress = KERNEL;
    initGuestPagetable(this.lg);
    this.cpu.linearPages = false;
    this.#mapSweep();
    guestNewPagetable(this.cpu, top(0));
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
    const { cpu } = this;
    for (let i = 0; i < SWEEP; i++) {
      if (!demandPage(cpu, pageAddress(i), Fault.User | Fault.Write)) {
        throw new Error(`page ${i} of the sweep should be mapped`);
      }
    }
    return SWEEP;
  }

  /** The first host CPU's MMU on the current shadow. */
  mmu(): Mmu {
    const mmu = new Mmu(this.host, this.host.cpus[0]!);
    mmu.loadCr3(frameOf(this.lg.pgdirs[this.cpu.cpuPgd]!.pgdir), this.lg.form, this.lg.nx);
    return mmu;
  }

  #mapSweep(): void {
    const { ptrsPerPte, entryWords, pae, pgdirShift } = this.lg.form;
    let upper = toGpa(top(0) + (BASE >>> pgdirShift) * entryWords * 4);
    if (pae) {
      const middle = FIRST_TABLE - 1;
      this.#write(upper, new Entry((middle << 12) | PAGE_PRESENT, 0));
      upper = toGpa(middle * 4096 + ((BASE >>> 21) & 511) * 8);
    }
    for (let i = 0; i < SWEEP; i++) {
      const table = FIRST_TABLE + Math.floor(i / ptrsPerPte);
      const at = toGpa(table * 4096 + (i % ptrsPerPte) * entryWords * 4);
      this.#write(at, this.entryFor(i, USER_PAGE));
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
