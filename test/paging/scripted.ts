/** A guest driven by a test, one operation after the other in one thread. */

import type { DisciplineName } from '../../shared/discipline.ts';
import type { Host, SharedMachine } from '../../shared/host.ts';
import { Vma } from '../../shared/launcher-map.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import type { Lguest } from '../../shared/lguest.ts';
import { assemble, joinMachine, SWITCHER_ADDR } from '../../src/assembly.ts';
import { MachineState } from '../../src/conformance/state.ts';
import { ALL_DEFECTS, type DefectId } from '../../src/defects.ts';
import { HostOops } from '../../src/errors.ts';
import {
  type Gpa,
  type Gva,
  toGpa,
  toGpfn,
  toGva,
  wordInFrame,
} from '../../src/hardware/address.ts';
import { Entry, NONPAE, PAGE_TABLE } from '../../src/hardware/entry.ts';
import { doHypercalls } from '../../src/host/hypercalls.ts';
import { enterGuest, leaveGuest, writeSaved } from '../../src/host/switcher.ts';
import { Mmu } from '../../src/mmu/tlb.ts';
import type { PagingPolicy } from '../../src/paging/policies/declared.ts';
import { allocatePrivateSwitcher } from '../../src/paging/private-switcher.ts';
import { initGuestPagetable } from '../../src/paging/setup.ts';
import { guestNewPagetable } from '../../src/paging/switch.ts';

/** Whether the host dies. */
export function oopses(body: () => void): boolean {
  try {
    body();
    return false;
  } catch (error) {
    if (error instanceof HostOops) return true;
    throw error;
  }
}

/** A hypercall of a vCPU: the number, and its arguments. */
export function hypercall(cpu: LgCpu, ...values: readonly number[]): void {
  for (const [i, value] of values.entries()) writeSaved(cpu, i, value);
  cpu.hypercallPending = true;
  doHypercalls(cpu);
}

export const FORMS = [
  { form: 'without PAE', pae: false },
  { form: 'with PAE', pae: true },
] as const;

/** Where the guest's kernel begins, unless a test says otherwise. */
export const KERNEL = toGva(0xc000_0000);
export const SWITCHER = SWITCHER_ADDR;

/** Guest-physical addresses of top levels: pages 1 to 4. */
export const TOP = toGpa(0x1000);
export const OTHER_TOP = toGpa(0x2000);

/** An address of the program's, below the kernel. */
export const VA = toGva(0x0804_8000);

/** Flags of guest entries. */
export const P = 0x01;
export const RW = 0x02;
export const USER = 0x04;
export const A = 0x20;
export const D = 0x40;
export const PSE = 0x80;
export const GLOBAL = 0x100;

/** Error codes of faults. */
export const WRITE = 2;
export const BY_USER = 4;

export interface Options {
  readonly pae?: boolean;
  readonly nx?: boolean;
  readonly vcpus?: number;
  readonly hostCpus?: number;
  readonly switcherAddr?: number;
  /** Defects that are on; all of them, unless a test says otherwise. */
  readonly defects?: readonly DefectId[];
  readonly discipline?: DisciplineName;
  readonly policy?: Partial<PagingPolicy>;
}

export interface HostCpuView {
  readonly host: Host;
  readonly mmu: Mmu;
  cpu(id: number): LgCpu;
  enter(id: number): void;
  leave(id: number): void;
}

const PAGES = 256;
/** Guest page tables are allocated from this page on, one after the other. */
const FIRST_TABLE = 0x10;

export class Scripted {
  readonly host: Host;
  readonly lg: Lguest;
  /** The result of prandom_u32: the next pgdir to be evicted. */
  random = 0;
  readonly #shared: SharedMachine;
  readonly #state: MachineState;
  readonly #tables = new Map<Gpa, Gpa>();

  constructor({
    pae = false,
    nx = false,
    vcpus = 1,
    hostCpus = 2,
    switcherAddr = SWITCHER,
    defects = ALL_DEFECTS,
    discipline = 'as-written',
    policy = {},
  }: Options = {}) {
    const paging = pae ? 'pae' : 'nonpae';
    const { host, shared } = assemble(
      {
        hostCpus,
        switcherAddr,
        frames: PAGES * 2 + 256,
        seed: 0,
        defects,
        discipline,
        guests: [{ paging, nx, pages: PAGES, vcpus, pagingPolicy: policy }],
      },
      Vma.ReadWrite,
    );
    this.host = host;
    this.#shared = shared;
    this.host.prandomU32 = () => this.random;
    this.lg = this.host.guests[0]!;
    this.#state = new MachineState(this.host);
  }

  /** A guest whose kernel address is set, running on TOP, in pgdir 0. */
  static booted(options: Options = {}): Scripted {
    const m = new Scripted(options);
    m.lg.kernelAddress = KERNEL;
    initGuestPagetable(m.lg);
    for (const cpu of m.lg.cpus) {
      if (!m.lg.sharesSwitcher) allocatePrivateSwitcher(cpu);
      cpu.linearPages = false;
    }
    guestNewPagetable(m.cpu(), TOP);
    return m;
  }

  cpu(id = 0): LgCpu {
    return this.lg.cpus[id]!;
  }

  /** A host CPU's view of the machine, to act in the middle of another's operation. */
  hostCpu(index: number): HostCpuView {
    const host = joinMachine(this.#shared, index);
    host.prandomU32 = () => this.random;
    const mmu = new Mmu(host, host.cpus[index]!);
    const cpu = (id: number): LgCpu => host.guests[0]!.cpus[id]!;
    return {
      host,
      mmu,
      cpu,
      enter: (id) => enterGuest(host, host.cpus[index]!, mmu, cpu(id)),
      leave: (id) => leaveGuest(host, host.cpus[index]!, mmu, cpu(id)),
    };
  }

  /** Lines of state that match, sorted, in the form of the vectors. */
  state(pattern: RegExp): string[] {
    return [...this.#state.look()]
      .flat()
      .filter((line) => pattern.test(line))
      .sort();
  }

  /** The reason of the guest's death; '' while it lives. */
  get reason(): string {
    return this.lg.reason;
  }

  setVma(page: number, state: Vma): void {
    this.lg.map.set(toGpfn(page), state);
  }

  /** An entry in guest memory. */
  get(gpa: Gpa): Entry {
    const { words } = this.host;
    const at = wordInFrame(this.lg.map.frame(toGpfn(gpa >>> 12)), gpa);
    return this.lg.form.pae ? words.load64(at) : new Entry(words.load(at), 0);
  }
  set(gpa: Gpa, entry: Entry): void {
    this.lg.setEntry(wordInFrame(this.lg.map.frame(toGpfn(gpa >>> 12)), gpa), entry);
  }

  /**
   * Write guest entries that map `va` to `page`, without a hypercall; returns the address of the
   * last one. `upper` are the flags of the level above it.
   */
  map(top: Gpa, va: Gva, page: number, flags: number, upper = PAGE_TABLE): Gpa {
    const at = this.upperAt(top, va);
    const table = this.#table(at);
    this.set(at, new Entry(table | upper, 0));
    const { form } = this.lg;
    const gpte = toGpa(table + ((va >>> 12) & (form.ptrsPerPte - 1)) * form.entryWords * 4);
    this.set(gpte, new Entry((page << 12) | flags, 0));
    return gpte;
  }

  /**
   * The address of the guest entry above the last level: in the top level, or with PAE the middle.
   */
  upperAt(top: Gpa, va: Gva): Gpa {
    if (this.lg.form === NONPAE) return toGpa(top + (va >>> 22) * 4);
    const pgd = toGpa(top + (va >>> 30) * 8);
    const middle = this.#table(pgd);
    this.set(pgd, new Entry(middle | P, 0));
    return toGpa(middle + ((va >>> 21) & 511) * 8);
  }

  /** The table that an entry leads to. */
  #table(entry: Gpa): Gpa {
    const table = this.#tables.get(entry) ?? toGpa((FIRST_TABLE + this.#tables.size) << 12);
    this.#tables.set(entry, table);
    return table;
  }
}
