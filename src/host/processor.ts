/**
 * A host CPU as the guest's software sees it: registers, memory through the MMU, and exits.
 */

import { Counter, type Counters } from '../../shared/counters.ts';
import type { Host } from '../../shared/host.ts';
import { type HostCpu, Reg } from '../../shared/host-cpu.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { CANNOT_HAPPEN, StatePage } from '../../shared/switcher-page.ts';
import type { Words } from '../../shared/words.ts';
import { type ProcessorWithTlb, Selector, Vector } from '../guest/processor.ts';
import { errorCodeOf, isFault, Right } from '../hardware/access.ts';
import { bitsOf, type Gpa, type Gva, type Ptr, toGva, toPfn, toPtr } from '../hardware/address.ts';
import type { Mmu } from '../mmu/tlb.ts';
import { gateAddress, isPresentGate } from './descriptors.ts';
import { virtualizerOf } from './virtualization/ways.ts';

/** What a trap from ring 3 pushes, in this order. */
const TRAP_FRAME = [Reg.ss, Reg.esp, Reg.eflags, Reg.cs, Reg.eip];

export class HostProcessor implements ProcessorWithTlb {
  readonly words: Words;
  readonly mmu: Mmu;
  readonly #host: Host;
  readonly #cpu: HostCpu;
  /** Where this CPU's state page is in every guest that it runs. */
  readonly #statePage: Gva;

  constructor(host: Host, cpu: HostCpu, mmu: Mmu, statePage: Gva) {
    this.words = host.words;
    this.mmu = mmu;
    this.#host = host;
    this.#cpu = cpu;
    this.#statePage = statePage;
  }

  register(reg: number): number {
    return this.#cpu.register(reg);
  }

  setRegister(reg: number, value: number): void {
    this.#cpu.setRegister(reg, value);
  }

  translate(va: Gva, right: Right): number {
    return this.mmu.translate(va, right);
  }

  get tlb(): Ptr {
    return this.#cpu.tlb;
  }

  get generation(): number {
    return this.#cpu.generation;
  }

  get generationAt(): Ptr {
    return this.#cpu.generationWord;
  }

  get registers(): Ptr {
    return this.#cpu.registers;
  }

  get scratch(): Ptr {
    return this.#cpu.scratch;
  }

  trap(vector: number, errorCode: number): void {
    this.setRegister(Reg.trapnum, vector);
    this.setRegister(Reg.errcode, errorCode);
  }

  pageFault(va: Gva, fault: number): void {
    const running = this.#running;
    if (virtualizerOf(running.lg).deliversFault(this, running, va, fault)) return;
    this.#cpu.cr2 = va;
    this.trap(Vector.PageFault, errorCodeOf(fault));
  }

  get vcpu(): number {
    return this.#running.id;
  }

  /** The running vCPU. */
  get #running(): LgCpu {
    return this.#host.vcpus[this.#cpu.runningVcpu - 1]!;
  }

  get cr3(): Gpa {
    return this.#running.cr3;
  }

  invlpg(va: Gva): number {
    this.counters?.count(Counter.Invlpgs);
    this.mmu.invlpg(va);
    return 0;
  }

  writeCr3(top: Gpa): number {
    const running = this.#running;
    const fault = this.mmu.loadGuestCr3(top);
    if (isFault(fault)) return fault;
    this.counters?.count(Counter.GuestCr3Loads);
    running.linearPages = false;
    running.cr3 = top;
    running.lg.pgdirs[running.cpuPgd]!.gpgdir = top;
    return 0;
  }

  loadKernelStack(ss: number, esp: Gva): number {
    this.#running.ss1 = ss;
    this.#running.esp1 = esp;
    return 0;
  }

  guestPage(frame: number): number {
    this.counters?.count(Counter.KernelAccesses);
    return this.#host.frames.guestPage(toPfn(frame));
  }

  get trapped(): boolean {
    return this.register(Reg.trapnum) !== CANNOT_HAPPEN;
  }

  get kicked(): boolean {
    return this.words.read(this.#cpu.mailbox) !== 0;
  }

  /** Set once, by the runner of the guest. */
  visitHost: ((done: number) => number) | undefined;

  /** The current guest's counters here; set on every entry. */
  counters: Counters | undefined;

  /**
   * `int n` from ring 3 (SDM 3A 6.12): the gate and the ring-1 stack come from this
   * CPU's state page, at the guest's address of it. A push or read that fails is a double fault.
   */
  softwareInterrupt(vector: number): void {
    const running = this.#running;
    if (virtualizerOf(running.lg).deliversInterrupt(this, running, vector)) return;
    const low = this.#readState(StatePage.idt + vector * 2);
    const high = this.#readState(StatePage.idt + vector * 2 + 1);
    if (low === undefined || high === undefined) return this.trap(Vector.DoubleFault, 0);
    if (!isPresentGate(high)) return this.trap(vector, 0);
    const esp = this.#readState(StatePage.sp1);
    const ss = this.#readState(StatePage.ss1);
    if (esp === undefined || ss === undefined) return this.trap(Vector.DoubleFault, 0);
    for (let i = 0; i < TRAP_FRAME.length; i++) {
      const at = this.translate(bitsOf(toGva(esp - (i + 1) * 4)), Right.SupervisorWrite);
      if (isFault(at)) return this.trap(Vector.DoubleFault, 0);
      this.words.poke(toPtr(at), this.register(TRAP_FRAME[i]!));
    }
    this.setRegister(Reg.ss, ss);
    this.setRegister(Reg.esp, esp - TRAP_FRAME.length * 4);
    this.setRegister(Reg.cs, Selector.KernelCode);
    this.setRegister(Reg.eip, gateAddress(low, high));
    this.counters?.count(Counter.DirectTraps);
    this.counters?.add(Counter.KernelAccesses, TRAP_FRAME.length + 4);
  }

  #readState(word: number): number | undefined {
    const at = this.translate(bitsOf(toGva(this.#statePage + word * 4)), Right.SupervisorRead);
    return isFault(at) ? undefined : this.words.peek(toPtr(at));
  }
}
