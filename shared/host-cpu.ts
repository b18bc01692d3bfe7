/**
 * One host CPU: its registers, its TLB and its mailbox. Only the worker that is this
 * CPU touches them (the mailbox excepted), so plain access will do; they are in shared
 * memory all the same, so that checks, snapshots and `inspect` see them.
 */

import type { Gpa, Gpfn, Gva, Pfn, Ptr } from './address.ts';
import * as address from './address.ts';
import { SharedRecord } from './shared-record.ts';
import type { Words } from './words.ts';

const { toGpa, toGpfn, toGva, toPfn, toPtr } = address;

/** On lines of their own: the mailbox is written by others. */
const MAILBOX = 0;
const IN_GUEST = 1;
const GUEST_PLACE = 2;
const IN_FAULT = 3;
const FAULT_PLACE = 4;
const IN_HOST = 5;
const HOST_PLACE = 6;
const SCRATCH = 16;
const CR3 = 18;
const CR2 = 19;
const GENERATION = 20;
const LAST_VCPU = 21;
const RUNNING_VCPU = 22;
/** Four pairs. */
const PDPTE = 24;
const REGISTERS = 32;
const CR4 = 52;
const WALKS = 53;
const INSIDE = 54;
const GUEST_CR3 = 55;
const NESTED_REFERENCES = 56;
const VIOLATION = 57;
const TLB = 64;

/** Entries of the software TLB, direct-mapped by virtual page. */
export const TLB_ENTRIES = 512;
/** Key, then frame and rights. */
export const TLB_ENTRY_WORDS = 2;

export const HOST_CPU_WORDS = TLB + TLB_ENTRIES * TLB_ENTRY_WORDS;

/** Bits of the mailbox: why a CPU is to look up. */
export const Mail = {
  /** Somebody queued a vCPU for it, or the machine stops. */
  Wake: 1,
  /** Somebody waits for it to leave the guest. */
  Leave: 2,
  /** The main thread wants to stop the machine at a safe point. */
  Pause: 4,
  /** Its vCPU is to be put down, and continue on the host CPU whose number is above these bits. */
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

/** Where a stretch of work begins and ends for others to see. */
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

export class HostCpu extends SharedRecord {
  declare readonly index: number;
  /** From before it looks at the shadow until it is out and its TLB is empty. */
  declare readonly inGuest: Section;
  /** A page fault that is repaired without a lock. */
  declare readonly inFault: Section;
  /** The host's own code for a guest, which may be at its memory; the place has no pgdir. */
  declare readonly inHost: Section;

  constructor(words: Words, index: number, at: Ptr) {
    super(words, at);
    this.index = index;
    this.inGuest = new Section(toPtr(at + IN_GUEST), toPtr(at + GUEST_PLACE));
    this.inHost = new Section(toPtr(at + IN_HOST), toPtr(at + HOST_PLACE));
    this.inFault = new Section(toPtr(at + IN_FAULT), toPtr(at + FAULT_PLACE));
  }

  /** The word that others set to get this CPU out of the guest, or out of its sleep. */
  get mailbox(): Ptr {
    return this.field(MAILBOX);
  }

  /** The frame of the top-level table in use. */
  get cr3(): Pfn {
    return toPfn(this.get(CR3));
  }
  set cr3(frame: Pfn) {
    this.set(CR3, frame);
  }

  /** The address of the last page fault. */
  get cr2(): Gva {
    return toGva(this.get(CR2));
  }
  set cr2(address: Gva) {
    this.set(CR2, address);
  }

  /** TLB entries of other generations do not count; 1 … 4095. */
  get generation(): number {
    return this.get(GENERATION);
  }
  set generation(generation: number) {
    this.set(GENERATION, generation);
  }

  get generationWord(): Ptr {
    return this.field(GENERATION);
  }

  /** `lg_last_cpu`: machine-wide number of the vCPU that entered here last, plus one; 0 for none. */
  get lastVcpu(): number {
    return this.get(LAST_VCPU);
  }
  set lastVcpu(numberPlusOne: number) {
    this.set(LAST_VCPU, numberPlusOne);
  }

  /** Machine-wide number of the vCPU that this CPU has in hand, plus one; 0 for none. */
  get runningVcpu(): number {
    return this.get(RUNNING_VCPU);
  }
  set runningVcpu(numberPlusOne: number) {
    this.set(RUNNING_VCPU, numberPlusOne);
  }

  get runningVcpuWord(): Ptr {
    return this.field(RUNNING_VCPU);
  }

  /** CR4_PAE and, though it is EFER's, NXE: how the tables that CR3 points to are read. */
  get cr4(): number {
    return this.get(CR4);
  }
  set cr4(bits: number) {
    this.set(CR4, bits);
  }

  /** Whether the vCPU in hand is inside the guest. */
  get inside(): boolean {
    return this.get(INSIDE) !== 0;
  }
  set inside(inside: boolean) {
    this.set(INSIDE, inside ? 1 : 0);
  }

  /** Walks of the tables since it entered the guest, modulo 2^32. */
  get walks(): number {
    return this.get(WALKS);
  }
  set walks(count: number) {
    this.set(WALKS, count);
  }

  get walksWord(): Ptr {
    return this.field(WALKS);
  }

  /** Nested paging: the guest's CR3. Its own is where the host's table begins. */
  get guestCr3(): Gpa {
    return toGpa(this.get(GUEST_CR3));
  }
  set guestCr3(top: Gpa) {
    this.set(GUEST_CR3, top);
  }

  /** References to the host's table since it entered the guest, modulo 2^32. */
  get nestedReferences(): number {
    return this.get(NESTED_REFERENCES);
  }
  set nestedReferences(count: number) {
    this.set(NESTED_REFERENCES, count);
  }

  /** The guest page that the host's table did not have, or not for writing. */
  get violation(): Gpfn {
    return toGpfn(this.get(VIOLATION));
  }
  set violation(page: Gpfn) {
    this.set(VIOLATION, page);
  }

  /** The PDPTE registers, loaded with CR3 (SDM 4.4.1): the first word of pair `i`. */
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

  get tlb(): Ptr {
    return this.field(TLB);
  }

  get scratch(): Ptr {
    return this.field(SCRATCH);
  }
}

/** Two words of a host CPU's record for 64-bit results; see words.ts. */
export const scratchOf = (hostCpu: Ptr): Ptr => toPtr(hostCpu + SCRATCH);
