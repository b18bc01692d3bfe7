/**
 * The part of the host's round that depends on how a guest is virtualized, as `kvm_mmu` in KVM.
 * Each way is a file beside this one and a line in ways.ts.
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
  /** Allocate the host's first tables. False when there is no memory. */
  initialise(lg: Lguest): boolean;
  /** Free the host's tables, and what they hold: the guest is dead. */
  free(lg: Lguest): void;

  /** Whether a page that the guest discards may be taken. */
  mayDiscard(lg: Lguest, page: Gpfn): boolean;
  /** The Launcher has mapped another frame for a page: drop the old one from the host's tables. */
  dropPage(lg: Lguest, page: Gpfn): void;
  /** The same, once no CPU in the host's code uses the old state of the map. */
  pageDropped(cpu: LgCpu): void;

  /**
   * Before each round of a vCPU, without locks: whether it has tables to run on. If not, it waits
   * until another vCPU releases some.
   */
  claimTables(cpu: LgCpu): boolean;
  /** The condition under which that may succeed. */
  untilTables(cpu: LgCpu): Until;
  /** The vCPU stops running. */
  letGoOfTables(cpu: LgCpu): void;
  /** Enter the guest. False: it was killed instead. */
  enter(host: Host, hostCpu: HostCpu, mmu: Mmu, cpu: LgCpu): boolean;
  /** Leave the guest. */
  leave(host: Host, hostCpu: HostCpu, mmu: Mmu, cpu: LgCpu): void;

  /** Handle a page fault. True if the host's tables lacked the page, and now have it. */
  repairFault(cpu: LgCpu, va: Gva, errorCode: number): boolean;
  /**
   * Handle a trap that only this way has. Returns the vector that the processor was delivering, to
   * be delivered now; 0 for none. Undefined for a trap that every way has.
   */
  ownTrap(cpu: LgCpu, hostCpu: HostCpu, trapnum: number): number | undefined;
  /** Page faults and `int n` that the processor delivers itself. False: they are the host's. */
  deliversFault(processor: Processor, cpu: LgCpu, va: Gva, fault: number): boolean;
  deliversInterrupt(processor: Processor, cpu: LgCpu, vector: number): boolean;

  /** Where in guest memory the host pushes a trap's frame. Undefined: the guest was killed. */
  stackPa(cpu: LgCpu, va: Gva): Gpa | undefined;
  /** The guest has set its stack. */
  stackMoved(cpu: LgCpu): void;
  /** Handle a hypercall about page tables. False if it is not one of this way's. */
  hypercall(cpu: LgCpu, number: number, a: number, b: number, c: number, d: number): boolean;
}
