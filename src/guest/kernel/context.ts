/**
 * How kernel code runs so that it can stop anywhere and continue on another CPU.
 *
 * A kernel routine is an ordinary function that touches the machine only through the
 * primitives here: load, store, hypercall and so on. What each primitive returned is
 * pushed onto the kernel stack in guest memory. When a primitive faults, or the time is
 * up, the function is abandoned; to go on, it is called again, and the primitives that
 * are already on the stack return what they returned before without doing anything.
 * So the state of a routine is its stack, and that is in registers and guest memory.
 *
 * What follows for kernel code: it must be deterministic, and keep nothing in
 * JavaScript variables that is not computed from what primitives returned. `call` and
 * `each` shorten the stack as they finish, as returning from a function does.
 *
 * See docs/decisions/kernel-progress-is-its-stack.md.
 */

import type { Counters } from '../../../shared/counters.ts';
import * as counters from '../../../shared/counters.ts';
import * as hostCpu from '../../../shared/host-cpu.ts';
import type { Right } from '../../hardware/access.ts';
import * as access from '../../hardware/access.ts';
import type { Gva } from '../../hardware/address.ts';
import * as address from '../../hardware/address.ts';
import type { Entry } from '../../hardware/entry.ts';
import { Entry as EntryValue } from '../../hardware/entry.ts';
import { type Processor, Selector, Vector } from '../processor.ts';
import { BODY } from './entry-points.ts';
import { Frame } from './frame.ts';
import type { GuestMachine } from './guest-machine.ts';
import * as layout from './layout.ts';
import type { MmuOps } from './paravirt/mmu-ops.ts';

const { isFault } = access;
const { SupervisorFetch, SupervisorRead, SupervisorWrite } = access.Right;
const { PAGE_WORDS, toGva, toPtr } = address;
const { KernelAccesses } = counters.Counter;
const { Reg } = hostCpu;
const { PAGE_OFFSET, THREAD_SIZE } = layout;

/** Thrown to abandon a routine; its stack says how far it came. */
const ABANDON = Symbol('abandon');

/** Words that saving the registers pushes below the processor's own frame. */
const SAVED = [Reg.gs, Reg.fs, Reg.ebp, Reg.edi, Reg.esi, Reg.edx, Reg.ecx, Reg.ebx, Reg.eax];

/** Marks of a `call` on the stack. */
const CALL_RUNNING = 0;
const CALL_DONE = 1;

export class KernelContext {
  readonly guest: GuestMachine;
  readonly mmu: MmuOps;
  readonly #cpu: Processor;
  readonly #counters: Counters;
  /** Primitives left until the time is up. */
  #left = 0;
  /** Primitives on the stack, and how many of them have been passed again. */
  #done = 0;
  #passed = 0;
  #ebp = 0;

  constructor(cpu: Processor, guest: GuestMachine, counters: Counters) {
    this.#cpu = cpu;
    this.guest = guest;
    this.mmu = guest.mmu;
    this.#counters = counters;
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
    this.#left = budget;
    try {
      this.#fetch();
      if (enter) this.#saveRegisters(hasError);
      this.#ebp = this.#cpu.register(Reg.ebp);
      this.#done = (this.#ebp - this.#cpu.register(Reg.esp)) >>> 2;
      this.#passed = 0;
      routine(this);
      this.#returnFromInterrupt();
    } catch (thrown) {
      if (thrown !== ABANDON) throw thrown;
    }
    return budget - this.#left;
  }

  /** A word at a kernel-virtual address. */
  load(va: number): number {
    if (this.#passed < this.#done) return this.#again();
    this.#spend();
    const value = this.#cpu.words.peek(toPtr(this.#translate(va, SupervisorRead)));
    return this.#push(value);
  }

  store(va: number, value: number): void {
    if (this.#passed < this.#done) return void this.#again();
    this.#spend();
    const at = toPtr(this.#translate(va, SupervisorWrite));
    this.#reserve();
    this.#cpu.words.store(at, value);
    this.#push(0);
  }

  /** Put 1 where 0 is, in one step: 1 if that was so, else 0. */
  tryLock(va: number): number {
    if (this.#passed < this.#done) return this.#again();
    this.#spend();
    const at = toPtr(this.#translate(va, SupervisorWrite));
    this.#reserve();
    const held = this.#cpu.words.compareExchange(at, 0, 1);
    if (held !== 0) this.#cpu.words.relax();
    return this.#push(held === 0 ? 1 : 0);
  }

  /** `smp_processor_id`: which vCPU this is, until the next context switch. */
  cpuId(): number {
    if (this.#passed < this.#done) return this.#again();
    return this.#push(this.#cpu.vcpu);
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
    if (this.#passed < this.#done) return void this.#again();
    this.#spend();
    const at = toPtr(this.#translate(va, SupervisorWrite));
    this.#reserve();
    this.#cpu.words.store64(at, entry);
    this.#push(0);
  }

  /** Several words, all on one page: `rep movs` from an immediate. */
  storeBlock(va: number, values: readonly number[]): void {
    if (this.#passed < this.#done) return void this.#again();
    this.#spend();
    const at = this.#translate(va, SupervisorWrite);
    this.#reserve();
    for (const [i, value] of values.entries()) this.#cpu.words.poke(toPtr(at + i), value);
    this.#push(0);
  }

  /** A page, or the part of one from `va` on. */
  clearPage(va: number): void {
    if (this.#passed < this.#done) return void this.#again();
    this.#spend();
    const at = this.#translate(va, SupervisorWrite);
    this.#reserve();
    this.#cpu.words.fill(toPtr(at), PAGE_WORDS, 0);
    this.#push(0);
  }

  copyPage(to: number, from: number): void {
    if (this.#passed < this.#done) return void this.#again();
    this.#spend();
    const source = this.#translate(from, SupervisorRead);
    const target = this.#translate(to, SupervisorWrite);
    this.#reserve();
    this.#cpu.words.copy(toPtr(target), toPtr(source), PAGE_WORDS);
    this.#push(0);
  }

  /** `int $0x1f`: the host does it before this routine goes on. */
  hypercall(number: number, a = 0, b = 0, c = 0, d = 0): void {
    if (this.#passed < this.#done) return void this.#again();
    this.#spend();
    this.#push(0);
    for (const [i, value] of [number, a, b, c, d].entries()) this.#cpu.setRegister(i, value);
    this.#cpu.trap(Vector.Hypercall, 0);
    this.#abandon();
  }

  /** What an instruction of the processor's own comes to; negative is a fault. */
  instruction(does: (cpu: Processor) => number): number {
    if (this.#passed < this.#done) return this.#again();
    this.#spend();
    const result = does(this.#cpu);
    if (isFault(result)) {
      this.#cpu.pageFault(toGva(0), result);
      this.#abandon();
    }
    return this.#push(result);
  }

  /** A function whose stack is replaced by its result when it returns. */
  call(body: () => number): number {
    const at = this.#passed;
    if (at < this.#done) {
      if (this.#again() === CALL_DONE) return this.#again();
    } else {
      this.#push(CALL_RUNNING);
    }
    const result = body() >>> 0;
    this.#shorten(at, CALL_DONE, result);
    return result;
  }

  /** `body` again and again until its result is not 0; what an iteration pushed is gone. */
  until(body: () => number): number {
    const at = this.#passed;
    if (at < this.#done) {
      if (this.#again() === CALL_DONE) return this.#again();
    } else {
      this.#push(CALL_RUNNING);
    }
    for (;;) {
      const result = body() >>> 0;
      if (result !== 0) {
        this.#shorten(at, CALL_DONE, result);
        return result;
      }
      this.#shorten(at, CALL_RUNNING);
    }
  }

  /** `body` for each number; what an iteration pushed is gone when it ends. */
  each(from: number, to: number, body: (i: number) => void): void {
    const at = this.#passed;
    let i = at < this.#done ? this.#again() : this.#push(from);
    for (; i < to; i++) {
      body(i);
      this.#shorten(at, i + 1);
    }
  }

  /** As each, for `item` and then for whatever the last one returned, until that is 0. */
  follow(first: number, body: (item: number) => number): void {
    const at = this.#passed;
    let item = at < this.#done ? this.#again() : this.#push(first);
    for (; item !== 0; this.#shorten(at, item)) item = body(item);
  }

  /** A word of the interrupted code's registers, by Frame. */
  saved(index: number): number {
    return this.load(this.#ebp + index * 4);
  }

  setSaved(index: number, value: number): void {
    this.store(this.#ebp + index * 4, value);
  }

  /** The virtual address of a physical one: the same while the kernel runs low at boot. */
  va(pa: number): number {
    return this.#low ? pa : pa + PAGE_OFFSET;
  }

  /** The lowest address of the stack in use, which names the task. */
  get stackBase(): number {
    return ((this.#ebp - 1) & -THREAD_SIZE) >>> 0;
  }

  /** Go on at the addresses where the kernel's mapping has what is now used low. */
  relocate(): void {
    if (this.#passed < this.#done) return void this.#again();
    this.#spend();
    this.#push(0);
    for (const reg of [Reg.eip, Reg.ebp, Reg.esp]) {
      this.#cpu.setRegister(reg, this.#cpu.register(reg) + PAGE_OFFSET);
    }
    throw ABANDON;
  }

  /**
   * `switch_to`: save where this task is at `from` (esp, ebp and eip in a row) and go on
   * where another one was. Returns when somebody switches back.
   */
  switchTo(from: number, to: number): void {
    if (this.#passed < this.#done) return void this.#again();
    this.#spend();
    const next = toPtr(this.#translate(to, SupervisorRead));
    const save = toPtr(this.#translate(from, SupervisorWrite));
    this.#push(0);
    const { words } = this.#cpu;
    for (const [i, reg] of [Reg.esp, Reg.ebp, Reg.eip].entries()) {
      const value = words.peek(toPtr(next + i));
      words.poke(toPtr(save + i), this.#cpu.register(reg));
      this.#cpu.setRegister(reg, value);
    }
    throw ABANDON;
  }

  get #low(): boolean {
    return this.#cpu.register(Reg.eip) < PAGE_OFFSET;
  }

  #fetch(): void {
    this.#translate(this.#cpu.register(Reg.eip), SupervisorFetch);
  }

  /** SAVE_ALL: all or nothing, so that it can be done again. */
  #saveRegisters(hasError: boolean): void {
    this.#spend();
    const cpu = this.#cpu;
    let esp = cpu.register(Reg.esp);
    const values = SAVED.map((reg) => cpu.register(reg)).reverse();
    if (!hasError) values.unshift(0);
    const at = values.map((_, i) => this.#translate(esp - (i + 1) * 4, SupervisorWrite));
    for (const [i, value] of values.entries()) cpu.words.poke(toPtr(at[i]!), value);
    esp -= values.length * 4;
    cpu.setRegister(Reg.esp, esp);
    cpu.setRegister(Reg.ebp, esp);
    cpu.setRegister(Reg.eip, cpu.register(Reg.eip) + BODY);
  }

  /** `iret`: to where the frame says. */
  #returnFromInterrupt(): void {
    this.#spend();
    const cpu = this.#cpu;
    const word = (index: number): number =>
      cpu.words.peek(toPtr(this.#translate(this.#ebp + index * 4, SupervisorRead)));
    const cs = word(Frame.cs);
    const toUser = (cs & 3) === 3;
    const values = SAVED.map((_, i) => word(i));
    const eip = word(Frame.eip);
    const eflags = word(Frame.eflags);
    const esp = toUser ? word(Frame.esp) : this.#ebp + Frame.esp * 4;
    for (const [i, value] of values.entries()) cpu.setRegister(SAVED[i]!, value);
    cpu.setRegister(Reg.eip, eip);
    cpu.setRegister(Reg.cs, cs);
    cpu.setRegister(Reg.eflags, eflags);
    cpu.setRegister(Reg.esp, esp);
    cpu.setRegister(Reg.ss, toUser ? Selector.UserData : Selector.KernelData);
  }

  /** The result of a primitive that was done before. */
  #again(): number {
    const va = this.#ebp - ++this.#passed * 4;
    return this.#cpu.words.peek(toPtr(this.#translate(va, SupervisorRead)));
  }

  /** One more primitive, if there is time for it. */
  #spend(): void {
    if (this.#left === 0 || this.#cpu.kicked) this.#abandon();
    this.#left--;
  }

  /** Make sure that the next push cannot fault. */
  #reserve(): void {
    this.#translate(this.#ebp - (this.#done + 1) * 4, SupervisorWrite);
  }

  #push(value: number): number {
    const va = this.#ebp - (this.#done + 1) * 4;
    if (va <= this.stackBase) {
      // Nothing is left of the stack to say so on.
      this.#cpu.trap(Vector.DoubleFault, 0);
      this.#abandon();
    }
    this.#cpu.words.poke(toPtr(this.#translate(va, SupervisorWrite)), value);
    this.#done++;
    this.#passed++;
    this.#cpu.setRegister(Reg.esp, va);
    return value;
  }

  /** Cut the stack back to `at` words and push one instead, or two: all or nothing. */
  #shorten(at: number, value: number, second?: number): void {
    const two = second !== undefined;
    const length = at + (two ? 2 : 1);
    const place = this.#translate(this.#ebp - (at + 1) * 4, SupervisorWrite);
    const next = two ? this.#translate(this.#ebp - length * 4, SupervisorWrite) : place;
    this.#cpu.words.poke(toPtr(place), value);
    if (two) this.#cpu.words.poke(toPtr(next), second);
    this.#done = length;
    this.#passed = length;
    this.#cpu.setRegister(Reg.esp, this.#ebp - length * 4);
  }

  #translate(va: number, right: Right): number {
    const gva: Gva = toGva(va);
    const at = this.#cpu.translate(gva, right);
    if (isFault(at)) {
      this.#cpu.pageFault(gva, at);
      this.#abandon();
    }
    this.#counters.count(KernelAccesses);
    return at;
  }

  #abandon(): never {
    throw ABANDON;
  }
}
