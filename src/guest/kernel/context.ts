/**
 * Execution of kernel code, which can stop anywhere and continue on another CPU.
 *
 * A kernel routine is an ordinary function that accesses the machine only through the primitives
 * here: load, store, hypercall and so on. The result of each primitive is pushed onto the kernel
 * stack in guest memory. When a primitive faults, or the time slice ends, the function is unwound;
 * to resume, it is called again, and the primitives that are on the stack return the recorded
 * results. So the state of a routine is its stack, in registers and guest memory.
 *
 * So kernel code must be deterministic, and keep nothing in JavaScript variables that is not
 * computed from results of primitives. `call` and `each` pop their part of the stack when they
 * finish, as returning from a function does.
 *
 * Addresses are kept by their bits, so that those of the kernel are small to V8 (bitsOf).
 *
 * See docs/decisions/kernel-progress-is-its-stack.md, names-of-hot-files.md.
 */

import type { Counters } from '../../../shared/counters.ts';
import * as hostCpu from '../../../shared/host-cpu.ts';
import * as access from '../../hardware/access.ts';
import * as address from '../../hardware/address.ts';
import type { Entry } from '../../hardware/entry.ts';
import { Entry as EntryValue } from '../../hardware/entry.ts';
import { type Processor, type ProcessorWithTlb, Selector, Vector } from '../processor.ts';
import { BODY } from './entry-points.ts';
import { FRAME_WORDS, Frame } from './frame.ts';
import type { GuestMachine } from './guest-machine.ts';
import * as layout from './layout.ts';
import type { MmuOps } from './paravirt/mmu-ops.ts';
import * as routineStack from './routine-stack.ts';

const { isFault } = access;
const { SupervisorFetch, SupervisorRead, SupervisorWrite } = access.Right;
const { PAGE_WORDS, toGva, toPtr } = address;
const { Reg } = hostCpu;
const { PAGE_OFFSET, THREAD_SIZE } = layout;
const { ABANDON, RoutineStack } = routineStack;

/** Words that saving the registers pushes below the processor's own frame. */
const SAVED = [Reg.gs, Reg.fs, Reg.ebp, Reg.edi, Reg.esi, Reg.edx, Reg.ecx, Reg.ebx, Reg.eax];

/** What `switch_to` saves, and where it goes on. */
const CONTEXT = [Reg.esp, Reg.ebp, Reg.eip];

/** Marks of a `call` on the stack. */
const CALL_RUNNING = 0;
const CALL_DONE = 1;

export class KernelContext extends RoutineStack {
  declare readonly guest: GuestMachine;
  declare readonly mmu: MmuOps;
  /** Places of a frame's words. */
  declare private readonly places: Int32Array;
  /** Primitives that may be done. */
  declare private budget: number;
  /** What a physical address lacks to a virtual one: nothing while the kernel runs low at boot. */
  declare private offset: number;

  constructor(cpu: ProcessorWithTlb, guest: GuestMachine, counters: Counters) {
    super(cpu, counters);
    this.guest = guest;
    this.mmu = guest.mmu;
    this.places = new Int32Array(FRAME_WORDS);
    this.budget = 0;
    this.offset = 0;
  }

  /**
   * Run the routine that eip stands for until it ends, traps, or `budget` primitives are
   * done; returns how many were. `enter` says that its registers are still to be saved.
   */
  run(
    routine: (k: KernelContext) => void,
    enter: boolean,
    hasError: boolean,
    budget: number,
  ): number {
    const { cpu } = this;
    this.budget = budget;
    this.left = budget;
    const eip = cpu.register(Reg.eip) | 0;
    // The kernel's addresses have the sign bit.
    this.offset = eip < 0 ? PAGE_OFFSET | 0 : 0;
    try {
      this.translate(eip, SupervisorFetch);
      if (enter) this.#saveRegisters(hasError);
      this.ebp = cpu.register(Reg.ebp) | 0;
      this.stackBase = (this.ebp - 1) & -THREAD_SIZE;
      this.done = (this.ebp - cpu.register(Reg.esp)) >>> 2;
      this.passed = 0;
      routine(this);
      this.#returnFromInterrupt();
    } catch (thrown) {
      if (thrown !== ABANDON) throw thrown;
    }
    return this.budget - this.left;
  }

  /** A word at a kernel-virtual address. */
  load(va: number): number {
    if (this.passed < this.done) return this.again();
    this.spend();
    const value = this.words.peek(toPtr(this.translate(va, SupervisorRead)));
    return this.push(value);
  }

  store(va: number, value: number): void {
    if (this.passed < this.done) return void this.again();
    this.spend();
    const at = toPtr(this.translate(va, SupervisorWrite));
    this.reserve();
    this.words.store(at, value);
    this.push(0);
  }

  /** Put 1 where 0 is, in one step: 1 if that was so, else 0. */
  tryLock(va: number): number {
    if (this.passed < this.done) return this.again();
    this.spend();
    const at = toPtr(this.translate(va, SupervisorWrite));
    this.reserve();
    const held = this.words.compareExchange(at, 0, 1);
    if (held !== 0) this.words.relax();
    return this.push(held === 0 ? 1 : 0);
  }

  /** `smp_processor_id`: which vCPU this is, until the next context switch. */
  cpuId(): number {
    if (this.passed < this.done) return this.again();
    return this.push(this.cpu.vcpu);
  }

  /** A page table entry. Only its low half is ever changed by others (ACCESSED and DIRTY). */
  loadEntry(va: number): Entry {
    if (!this.guest.form.pae) return new EntryValue(this.load(va), 0);
    const high = this.load(va + 4);
    return new EntryValue(this.load(va), high);
  }

  /** Written whole. */
  storeEntry(va: number, entry: Entry): void {
    if (!this.guest.form.pae) return this.store(va, entry.low);
    if (this.passed < this.done) return void this.again();
    this.spend();
    const at = toPtr(this.translate(va, SupervisorWrite));
    this.reserve();
    this.words.store64(at, entry);
    this.push(0);
  }

  /** Several words, all on one page: `rep movs` from an immediate. */
  storeBlock(va: number, values: readonly number[]): void {
    if (this.passed < this.done) return void this.again();
    this.spend();
    const at = this.translate(va, SupervisorWrite);
    this.reserve();
    for (const [i, value] of values.entries()) this.words.poke(toPtr(at + i), value);
    this.push(0);
  }

  /** A page, or the part of one from `va` on. */
  clearPage(va: number): void {
    if (this.passed < this.done) return void this.again();
    this.spend();
    const at = this.translate(va, SupervisorWrite);
    this.reserve();
    this.words.fill(toPtr(at), PAGE_WORDS, 0);
    this.push(0);
  }

  copyPage(to: number, from: number): void {
    if (this.passed < this.done) return void this.again();
    this.spend();
    const source = this.translate(from, SupervisorRead);
    const target = this.translate(to, SupervisorWrite);
    this.reserve();
    this.words.copy(toPtr(target), toPtr(source), PAGE_WORDS);
    this.push(0);
  }

  /** `int $0x1f`: the host does it before this routine goes on. */
  hypercall(number: number, a = 0, b = 0, c = 0, d = 0): void {
    if (this.passed < this.done) return void this.again();
    this.spend();
    this.push(0);
    const { cpu } = this;
    cpu.setRegister(Reg.eax, number);
    cpu.setRegister(Reg.ebx, a);
    cpu.setRegister(Reg.ecx, b);
    cpu.setRegister(Reg.edx, c);
    cpu.setRegister(Reg.esi, d);
    cpu.trap(Vector.Hypercall, 0);
    this.#leaveGuest();
  }

  /**
   * The host is to do what was trapped for. If it can do so at once, and nothing else came
   * meanwhile, the routine resumes from here: what is found of the machine is as if it had been
   * abandoned and called again.
   */
  #leaveGuest(): void {
    const { cpu } = this;
    if (cpu.visitHost === undefined) this.abandon();
    const [eip, esp] = [cpu.register(Reg.eip), cpu.register(Reg.esp)];
    this.budget = cpu.visitHost(this.budget - this.left);
    this.left = this.budget;
    if (this.left === 0) this.abandon();
    if (cpu.register(Reg.eip) !== eip || cpu.register(Reg.esp) !== esp) this.abandon();
    this.translate(eip | 0, SupervisorFetch);
    for (let i = 1; i <= this.done; i++) this.translate(this.ebp - i * 4, SupervisorRead);
  }

  /** The result of a processor instruction; negative is a fault. */
  instruction(does: (cpu: Processor) => number): number {
    if (this.passed < this.done) return this.again();
    this.spend();
    const result = does(this.cpu);
    if (isFault(result)) {
      this.cpu.pageFault(toGva(0), result);
      this.abandon();
    }
    return this.push(result);
  }

  /** A function whose stack is replaced by its result when it returns. */
  call(body: () => number): number {
    const at = this.passed;
    if (at < this.done) {
      if (this.again() === CALL_DONE) return this.again();
    } else {
      this.push(CALL_RUNNING);
    }
    const result = body() >>> 0;
    this.shorten(at, CALL_DONE, result);
    return result;
  }

  /** `body` again and again until its result is not 0; what an iteration pushed is gone. */
  until(body: () => number): number {
    const at = this.passed;
    if (at < this.done) {
      if (this.again() === CALL_DONE) return this.again();
    } else {
      this.push(CALL_RUNNING);
    }
    for (;;) {
      const result = body() >>> 0;
      if (result !== 0) {
        this.shorten(at, CALL_DONE, result);
        return result;
      }
      this.shorten(at, CALL_RUNNING);
    }
  }

  /** `body` for each number; what an iteration pushed is gone when it ends. */
  each(from: number, to: number, body: (i: number) => void): void {
    const at = this.passed;
    let i = at < this.done ? this.again() : this.push(from);
    for (; i < to; i++) {
      body(i);
      this.shorten(at, i + 1);
    }
  }

  /** As each, for `item` and then for whatever the last one returned, until that is 0. */
  follow(first: number, body: (item: number) => number): void {
    const at = this.passed;
    let item = at < this.done ? this.again() : this.push(first);
    for (; item !== 0; this.shorten(at, item)) item = body(item);
  }

  /** A word of the interrupted code's registers, by Frame. */
  saved(index: number): number {
    return this.load(this.ebp + index * 4);
  }

  setSaved(index: number, value: number): void {
    this.store(this.ebp + index * 4, value);
  }

  /** The virtual address of a physical one, by its bits: itself while the kernel is low at boot. */
  va(pa: number): number {
    return (pa + this.offset) | 0;
  }

  /** Move from the low addresses to those of the kernel's mapping. */
  relocate(): void {
    if (this.passed < this.done) return void this.again();
    this.spend();
    this.push(0);
    for (const reg of [Reg.eip, Reg.ebp, Reg.esp]) {
      this.cpu.setRegister(reg, this.cpu.register(reg) + PAGE_OFFSET);
    }
    this.abandon();
  }

  /**
   * `switch_to`: save where this task is at `from` (esp, ebp and eip in a row) and go on
   * where another one was. Returns when somebody switches back.
   */
  switchTo(from: number, to: number): void {
    if (this.passed < this.done) return void this.again();
    this.spend();
    const next = toPtr(this.translate(to, SupervisorRead));
    const save = toPtr(this.translate(from, SupervisorWrite));
    this.push(0);
    const { cpu, words } = this;
    for (let i = 0; i < CONTEXT.length; i++) {
      const reg = CONTEXT[i]!;
      const value = words.peek(toPtr(next + i));
      words.poke(toPtr(save + i), cpu.register(reg));
      cpu.setRegister(reg, value);
    }
    this.abandon();
  }

  /** SAVE_ALL: all or nothing, so that it can be retried. */
  #saveRegisters(hasError: boolean): void {
    this.spend();
    const { cpu, places, words } = this;
    const base = cpu.register(Reg.esp) | 0;
    const code = hasError ? 0 : 1;
    const count = code + SAVED.length;
    for (let i = 0; i < count; i++) {
      places[i] = this.translate(base - (i + 1) * 4, SupervisorWrite);
    }
    if (!hasError) words.poke(toPtr(places[0]!), 0);
    for (let i = code; i < count; i++) {
      words.poke(toPtr(places[i]!), cpu.register(SAVED[count - 1 - i]!));
    }
    const esp = base - count * 4;
    cpu.setRegister(Reg.esp, esp);
    cpu.setRegister(Reg.ebp, esp);
    cpu.setRegister(Reg.eip, cpu.register(Reg.eip) + BODY);
  }

  /** `iret`: to where the frame says. */
  #returnFromInterrupt(): void {
    this.spend();
    const { cpu, places } = this;
    const cs = this.#word(Frame.cs);
    const toUser = (cs & 3) === 3;
    for (let i = 0; i < SAVED.length; i++) places[i] = this.#word(i);
    const eip = this.#word(Frame.eip);
    const eflags = this.#word(Frame.eflags);
    const esp = toUser ? this.#word(Frame.esp) : this.ebp + Frame.esp * 4;
    for (let i = 0; i < SAVED.length; i++) cpu.setRegister(SAVED[i]!, places[i]!);
    cpu.setRegister(Reg.eip, eip);
    cpu.setRegister(Reg.cs, cs);
    cpu.setRegister(Reg.eflags, eflags);
    cpu.setRegister(Reg.esp, esp);
    cpu.setRegister(Reg.ss, toUser ? Selector.UserData : Selector.KernelData);
  }

  /** Of the frame. */
  #word(index: number): number {
    return this.words.peek(toPtr(this.translate(this.ebp + index * 4, SupervisorRead)));
  }
}
