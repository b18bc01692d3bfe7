/**
 * What the host's round leaves to the way in which a guest is virtualized, as KVM leaves it to
 * `kvm_mmu`. A way of its own is a file beside this one and a line in ways.ts.
 */

import type { Host } from '../../../shared/host.ts';
import type { HostCpu } from '../../../shared/host-cpu.ts';
import type { LgCpu } from '../../../shared/lg-cpu.ts';
import type { Lguest } from '../../../shared/lguest.ts';
import type { Until } from '../../../shared/words.ts';
import type { Processor } from '../../guest/processor.ts';
import type { Gpa, Gpfn, Gva } from '../../hardware/address.ts';
import type { Mmu } from '../../mmu/tlb.ts';

export interface Virtualizer {
  /** The host's first tables. False when there is no memory. */
  initialise(lg: Lguest): boolean;
  /** The host's tables, and what they hold: the guest is dead. */
  free(lg: Lguest): void;

  /** Whether a page may be taken from the guest, which does without it. */
  mayDiscard(lg: Lguest, page: Gpfn): boolean;
  /** The Launcher's map leads to another frame for it: no table of the host's may keep the old. */
  dropPage(lg: Lguest, page: Gpfn): void;
  /** The same, once nobody in the host's code goes by what the map said before. */
  pageDropped(cpu: LgCpu): void;

  /**
   * Before a vCPU goes round, when nothing is locked: whether it has tables to run on. If not, it
   * waits until another gives some up.
   */
  claimTables(cpu: LgCpu): boolean;
  /** When that is worth a try. */
  untilTables(cpu: LgCpu): Until;
  /** It is put down. */
  letGoOfTables(cpu: LgCpu): void;
  /** The way in. False: the guest was killed instead. */
  enter(host: Host, hostCpu: HostCpu, mmu: Mmu, cpu: LgCpu): boolean;
  /** The way out. */
  leave(host: Host, hostCpu: HostCpu, mmu: Mmu, cpu: LgCpu): void;

  /** Whether a page fault was for what the host's tables lacked, which they have now. */
  repairFault(cpu: LgCpu, va: Gva, errorCode: number): boolean;
  /**
   * A trap that only this way has: the vector that the processor was delivering when it came, to
   * be delivered now; 0 for none. Undefined for a trap that every way has.
   */
  ownTrap(cpu: LgCpu, hostCpu: HostCpu, trapnum: number): number | undefined;
  /** Page faults and `int n` that the processor delivers itself. False: they are the host's. */
  deliversFault(processor: Processor, cpu: LgCpu, va: Gva, fault: number): boolean;
  deliversInterrupt(processor: Processor, cpu: LgCpu, vector: number): boolean;

  /** Where in guest memory the host pushes a trap's frame. Undefined: the guest was killed. */
  stackPa(cpu: LgCpu, va: Gva): Gpa | undefined;
  /** The guest has said where its stack is. */
  stackMoved(cpu: LgCpu): void;
  /** Hypercalls about page tables. False for what is none of this way's. */
  hypercall(cpu: LgCpu, number: number, a: number, b: number, c: number, d: number): boolean;
}
