/**
 * The processor as guest software sees it. The host provides one for each host CPU;
 * guest code uses nothing else, so that all it knows is in registers and memory.
 */

import type { Words } from '../../shared/words.ts';
import type { Right } from '../hardware/access.ts';
import type { Gpa, Gva, Ptr } from '../hardware/address.ts';

/** Vectors of the x86 that matter here, and lguest's own. */
export const Vector = {
  DoubleFault: 8,
  PageFault: 14,
  /** Ours, in a place that Intel keeps free: the host's table does not have a page. */
  NestedViolation: 0x1e,
  /** LGUEST_TRAP_ENTRY: the hypercall. */
  Hypercall: 0x1f,
  /** FIRST_EXTERNAL_VECTOR: interrupts are vectors from here on. */
  FirstExternal: 32,
  Syscall: 0x80,
} as const;

/** Ring 1 and ring 3 code and data, as lguest's guests have them. */
export const Selector = {
  KernelCode: 0x61,
  KernelData: 0x69,
  UserCode: 0x73,
  UserData: 0x7b,
} as const;

export const isUserMode = (cs: number): boolean => (cs & 3) === 3;

export interface Processor {
  readonly words: Words;
  register(reg: number): number;
  setRegister(reg: number, value: number): void;
  /** The word of host memory behind an address, or a fault; see src/hardware/access.ts. */
  translate(va: Gva, right: Right): number;
  /** Leave the guest with this trap. */
  trap(vector: number, errorCode: number): void;
  /**
   * After `trap`, with `done` operations completed since it last came in: out to the host and, it
   * may be, back in. Returns how many operations it may do now; none if it did not come back in.
   * Undefined where the caller of the guest does that.
   */
  readonly visitHost: ((done: number) => number) | undefined;
  /** Leave the guest with a page fault at `va`, from the fault that translate returned. */
  pageFault(va: Gva, fault: number): void;
  /** `int n`: into the guest's own handler if it may be reached directly, else a trap. */
  softwareInterrupt(vector: number): void;
  /** The guest kernel's last value of CR3. */
  readonly cr3: Gpa;
  /**
   * Operations of a nested guest's kernel, for which others need the host: drop a page from the
   * TLB, write CR3, set its stack for traps. Each returns 0, or a fault.
   */
  invlpg(va: Gva): number;
  writeCr3(top: Gpa): number;
  loadKernelStack(ss: number, esp: Gva): number;
  /** Direct paging: which of the guest's pages a frame is (Xen's machine_to_phys). */
  guestPage(frame: number): number;
  /** Which of the guest's vCPUs this is at the moment (an APIC id). */
  readonly vcpu: number;
  /** Whether the guest has been left. */
  readonly trapped: boolean;
  /** Whether this CPU's mailbox is not empty. */
  readonly kicked: boolean;
}

/** A processor whose TLB a loop may ask itself, as shared/tlb.ts says. */
export interface ProcessorWithTlb extends Processor {
  /** Where its entries begin. */
  readonly tlb: Ptr;
  /** Of the entries that count; another one once the guest was left. And where it is. */
  readonly generation: number;
  readonly generationAt: Ptr;
  /** Where the registers begin. */
  readonly registers: Ptr;
  /** Two words on an even place that are this thread's alone. */
  readonly scratch: Ptr;
}
