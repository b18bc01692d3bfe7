/**
 * The stack of a kernel routine, in guest memory, as the record of how far the routine has come:
 * a word for what each primitive returned (context.ts). It is reached through the MMU, as all
 * that a kernel touches is.
 *
 * See docs/decisions/names-of-hot-files.md.
 */

import type { Counters } from '../../../shared/counters.ts';
import * as counters from '../../../shared/counters.ts';
import * as hostCpu from '../../../shared/host-cpu.ts';
import * as softwareTlb from '../../../shared/tlb.ts';
import type { Words } from '../../../shared/words.ts';
import type { Right } from '../../hardware/access.ts';
import * as access from '../../hardware/access.ts';
import type { Gva, Ptr } from '../../hardware/address.ts';
import * as address from '../../hardware/address.ts';
import { type ProcessorWithTlb, Vector } from '../processor.ts';

const { isFault } = access;
const { SupervisorRead, SupervisorWrite } = access.Right;
const { toGva, toPtr } = address;
const { KernelAccesses } = counters.Counter;
const { Reg } = hostCpu;
const { lookUp } = softwareTlb;

/** Thrown to abandon a routine; its stack says how far it came. */
export const ABANDON = Symbol('abandon');

export class RoutineStack {
  declare protected readonly cpu: ProcessorWithTlb;
  declare protected readonly words: Words;
  declare private readonly counters: Counters;
  /** For the TLB, which is asked here first. */
  declare private readonly plain: Uint32Array;
  declare private readonly tlb: Ptr;
  declare private readonly generationAt: Ptr;
  /** Primitives left until the time is up. */
  declare protected left: number;
  /** Words on the stack, and how many of them have been passed again. */
  declare protected done: number;
  declare protected passed: number;
  declare protected ebp: number;
  /** The lowest address of the stack in use, which names the task. */
  declare stackBase: number;

  constructor(cpu: ProcessorWithTlb, counters: Counters) {
    this.cpu = cpu;
    this.words = cpu.words;
    this.counters = counters;
    this.plain = cpu.words.plain;
    this.tlb = cpu.tlb;
    this.generationAt = cpu.generationAt;
    this.left = 0;
    this.done = 0;
    this.passed = 0;
    this.ebp = 0;
    this.stackBase = 0;
  }

  /** The result of a primitive that was done before. */
  protected again(): number {
    const va = this.ebp - ++this.passed * 4;
    return this.words.peek(toPtr(this.translate(va, SupervisorRead)));
  }

  /** One more primitive, if there is time for it. */
  protected spend(): void {
    if (this.left === 0 || this.cpu.kicked) this.abandon();
    this.left--;
  }

  /** Make sure that the next push cannot fault. */
  protected reserve(): void {
    this.translate(this.ebp - (this.done + 1) * 4, SupervisorWrite);
  }

  protected push(value: number): number {
    const va = this.ebp - (this.done + 1) * 4;
    if (va <= this.stackBase) {
      // Nothing is left of the stack to say so on.
      this.cpu.trap(Vector.DoubleFault, 0);
      this.abandon();
    }
    this.words.poke(toPtr(this.translate(va, SupervisorWrite)), value);
    this.done++;
    this.passed++;
    this.cpu.setRegister(Reg.esp, va);
    return value;
  }

  /** Cut the stack back to `at` words and push one instead, or two: all or nothing. */
  protected shorten(at: number, value: number, second?: number): void {
    const two = second !== undefined;
    const length = at + (two ? 2 : 1);
    const place = this.translate(this.ebp - (at + 1) * 4, SupervisorWrite);
    const next = two ? this.translate(this.ebp - length * 4, SupervisorWrite) : place;
    this.words.poke(toPtr(place), value);
    if (two) this.words.poke(toPtr(next), second);
    this.done = length;
    this.passed = length;
    this.cpu.setRegister(Reg.esp, this.ebp - length * 4);
  }

  /** The word of host memory behind an address; a fault is the end of this try. */
  protected translate(va: number, right: Right): number {
    const { plain } = this;
    const at = lookUp(plain, this.tlb, plain[this.generationAt]!, va as Gva, right);
    if (at < 0) return this.#walk(va, right);
    this.counters.count(KernelAccesses);
    return at;
  }

  #walk(va: number, right: Right): number {
    const at = this.cpu.translate(va as Gva, right);
    if (isFault(at)) {
      this.cpu.pageFault(toGva(va >>> 0), at);
      this.abandon();
    }
    this.counters.count(KernelAccesses);
    return at;
  }

  protected abandon(): never {
    throw ABANDON;
  }
}
