/**
 * One host CPU: its registers, its TLB and its mailbox. Only the worker of this CPU accesses them
 * (the mailbox excepted), so plain accesses suffice; they are in shared memory so that checks,
 * snapshots and `inspect` see them.
 */

import type { Ptr } from '../src/hardware/address.ts';
import * as address from '../src/hardware/address.ts';
import * as record from './record.ts';
import type { Words } from './words.ts';

const { toPtr } = address;

/** Entries of the software TLB, direct-mapped by virtual page. */
export const TLB_ENTRIES = 512;
/** Key, then frame and rights. */
export const TLB_ENTRY_WORDS = 2;

/** See shared/record.ts. What others access is on the first line. */
const FIELDS = {
  /** Other CPUs set bits here to get this CPU out of the guest, or to wake it. */
  mailbox: [0, 'mail', 'by hand', 'atomic', "%'s mailbox"],
  inGuest: [1, 'section', 'by hand', 'atomic', 'in-guest count of %'],
  guestPlace: [2, 'number', 'by hand', 'owner, seen', 'in-guest place of %'],
  inFault: [3, 'section', 'by hand', 'atomic', 'in-fault count of %'],
  faultPlace: [4, 'number', 'by hand', 'owner, seen', 'in-fault place of %'],
  inHost: [5, 'section', 'by hand', 'atomic', 'in-host count of %'],
  hostPlace: [6, 'number', 'by hand', 'owner, seen', 'in-host place of %'],
  /** For 64-bit results, see words.ts. */
  scratch: [16, 'words', 'by hand', 'owner', 'scratch words of %', 2],
  /** The frame of the top-level table in use. */
  cr3: [18, 'pfn', 'own', 'owner', 'cr3 of %'],
  /** The address of the last page fault. */
  cr2: [19, 'gva', 'own', 'owner', 'cr2 of %'],
  /** TLB entries of other generations do not count; 1 … 4095. */
  generation: [20, 'number', 'own', 'owner', 'generation of the TLB of %'],
  /**
   * `lg_last_cpu`: machine-wide number of the vCPU that entered here last, plus one; 0 for none.
   */
  lastVcpu: [21, 'number', 'own', 'owner', 'last vCPU of %'],
  /** Machine-wide number of the vCPU that this CPU runs, plus one; 0 for none. */
  runningVcpu: [22, 'number', 'own', 'owner, seen', 'vCPU in hand of %'],
  /** The PDPTE registers, loaded with CR3 (SDM 4.4.1): four pairs. */
  pdptes: [24, 'words', 'by hand', 'owner', 'PDPTEs of %', 8],
  registerFile: [32, 'words', 'by hand', 'owner', 'registers of %', 18],
  /** CR4_PAE and, though it is EFER's, NXE: how the tables that CR3 points to are read. */
  cr4: [52, 'number', 'own', 'owner', 'cr4 of %'],
  /** Walks of the tables since it entered the guest, modulo 2^32. */
  walks: [53, 'number', 'own', 'owner', 'walks of %'],
  /** Whether the running vCPU is inside the guest. */
  inside: [54, 'truth', 'own', 'owner', 'whether % is inside'],
  /** Nested paging: the guest's CR3. Its own is where the host's table begins. */
  guestCr3: [55, 'gpa', 'own', 'owner', "guest's cr3 of %"],
  /** References to the host's table since it entered the guest, modulo 2^32. */
  nestedReferences: [56, 'number', 'own', 'owner', 'nested references of %'],
  /** The guest page that the host's table did not have, or not for writing. */
  violation: [57, 'gpfn', 'own', 'owner', 'nested violation of %'],
  tlb: [64, 'words', 'by hand', 'owner', 'TLB of %', TLB_ENTRIES * TLB_ENTRY_WORDS],
} as const satisfies record.Fields;

export const HOST_CPU = FIELDS;
export const HOST_CPU_WORDS = record.wordsOf(FIELDS);

const [MAILBOX] = FIELDS.mailbox;
const [SCRATCH] = FIELDS.scratch;
const [GENERATION] = FIELDS.generation;
const [RUNNING_VCPU] = FIELDS.runningVcpu;
const [PDPTE] = FIELDS.pdptes;
const [REGISTERS] = FIELDS.registerFile;
const [WALKS] = FIELDS.walks;
const [TLB] = FIELDS.tlb;

/** Bits of the mailbox: the reasons for the kick. */
export const Mail = {
  /** A vCPU was queued for it, or the machine stops. */
  Wake: 1,
  /** Another CPU waits for it to leave the guest. */
  Leave: 2,
  /** The main thread wants to stop the machine at a safe point. */
  Pause: 4,
  /** Its vCPU moves to the host CPU whose number is above these bits. */
  Move: 8,
} as const;

export const MOVE_SHIFT = 8;

/** Bits of `cr4`. */
export const CR4_PAE = 1 << 5;
export const EFER_NXE = 1 << 11;
/** Nested paging is on; and the guest has paging off, so that its addresses are physical. */
export const NESTED = 1 << 30;
export const NESTED_LINEAR = 1 << 29;

/** `struct lguest_regs`: the order in which they lie at the end of a regs page. */
export const REGISTER_NAMES = [
  ...['eax', 'ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp'],
  ...['gs', 'fs', 'ds', 'es', 'trapnum', 'errcode', 'eip', 'cs', 'eflags', 'esp', 'ss'],
] as const;

export const REGISTERS_WORDS = REGISTER_NAMES.length;

/** Index of each register. */
export const Reg = {
  eax: 0,
  ebx: 1,
  ecx: 2,
  edx: 3,
  esi: 4,
  edi: 5,
  ebp: 6,
  gs: 7,
  fs: 8,
  ds: 9,
  es: 10,
  trapnum: 11,
  errcode: 12,
  eip: 13,
  cs: 14,
  eflags: 15,
  esp: 16,
  ss: 17,
} as const;

/** A section that other CPUs can wait for: its count tells them where it begins and ends. */
export class Section {
  /** The count; odd while it lasts. */
  declare readonly count: Ptr;
  /** On which shadow: placeOf. */
  declare readonly place: Ptr;

  constructor(count: Ptr, place: Ptr) {
    this.count = count;
    this.place = place;
  }
}

export class HostCpu extends record.recordOf(FIELDS) {
  declare readonly index: number;
  /** From before it reads the shadow until it is out of the guest and its TLB is empty. */
  declare readonly inGuest: Section;
  /** A page fault that is repaired without a lock. */
  declare readonly inFault: Section;
  /** The host's own code for a guest, which may be at its memory; the place has no pgdir. */
  declare readonly inHost: Section;

  constructor(words: Words, index: number, at: Ptr) {
    super(words, at);
    this.index = index;
    const section = (count: number, place: number): Section =>
      new Section(this.field(count), this.field(place));
    this.inGuest = section(FIELDS.inGuest[0], FIELDS.guestPlace[0]);
    this.inFault = section(FIELDS.inFault[0], FIELDS.faultPlace[0]);
    this.inHost = section(FIELDS.inHost[0], FIELDS.hostPlace[0]);
  }

  get mailbox(): Ptr {
    return this.field(MAILBOX);
  }
  get generationWord(): Ptr {
    return this.field(GENERATION);
  }
  get runningVcpuWord(): Ptr {
    return this.field(RUNNING_VCPU);
  }
  get walksWord(): Ptr {
    return this.field(WALKS);
  }
  get scratch(): Ptr {
    return this.field(SCRATCH);
  }
  get tlb(): Ptr {
    return this.field(TLB);
  }

  /** The first word of pair `i`. */
  pdpte(i: number): Ptr {
    return this.field(PDPTE + i * 2);
  }

  /** The register file; `Reg` gives the order. */
  get registers(): Ptr {
    return this.field(REGISTERS);
  }
  register(reg: number): number {
    return this.get(REGISTERS + reg);
  }
  setRegister(reg: number, value: number): void {
    this.set(REGISTERS + reg, value);
  }
}

/** Two words of a host CPU's record for 64-bit results; see words.ts. */
export const scratchOf = (hostCpu: Ptr): Ptr => toPtr(hostCpu + SCRATCH);
