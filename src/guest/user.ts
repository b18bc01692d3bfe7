/**
 * User mode: a program's operations on the simulated processor.
 *
 * The state of a thread is in registers: esi is its position in its stream, edi what it
 * has computed so far, fs and gs say which process and thread of the program it is, eip
 * is the last address fetched. Traces carry addresses but no data, so the data is made
 * here: each load changes edi and each store writes a value that depends on it. A word
 * read wrongly anywhere thus shows in every word written later.
 *
 * See docs/decisions/data-of-traces.md.
 */

import type { Right } from '../../shared/access.ts';
import * as access from '../../shared/access.ts';
import type { Gva } from '../../shared/address.ts';
import * as address from '../../shared/address.ts';
import { Counter, type Counters } from '../../shared/counters.ts';
import { Reg } from '../../shared/host-cpu.ts';
import { lookUp } from '../../shared/tlb.ts';
import type { Words } from '../../shared/words.ts';
import { isUserMode, type Processor, type ProcessorWithTlb, Vector } from './processor.ts';
import * as program from './program.ts';
import { type OperationBlock, type Program, Sys } from './program.ts';

const { UserFetch, UserRead, UserWrite } = access.Right;
const { PAGE_SIZE, toGva, toPtr } = address;
const { BLOCK_OPS } = program;
const { Fetch, Load, Store, Modify, Locked, Syscall } = program.Op;

/** Accesses between two looks at the mailbox. */
const POLL_OPERATIONS = 1024;

/** The right that each kind of access needs. */
const RIGHT_OF = Uint8Array.of(UserFetch, UserRead, UserWrite, UserWrite, UserWrite);

/** No page begins here. */
const NO_PAGE = 1;

/** What edi becomes when a thread reads `value`. */
const afterLoad = (state: number, value: number): number => Math.imul(state ^ value, 0x9e37_79b1);

/** What a thread in `state` stores by the operation at `position`. */
const storedValue = (state: number, position: number): number =>
  Math.imul((state + position) | 0, 0x85eb_ca6b) ^ position;

export class UserMode {
  readonly #cpu: ProcessorWithTlb;
  readonly #program: Program;
  readonly #counters: Counters;
  readonly #words: Words;
  /** The page fault that ends a slice, and where. */
  #fault = 0;
  #faultAt = toGva(0);

  constructor(cpu: ProcessorWithTlb, program: Program, counters: Counters) {
    this.#cpu = cpu;
    this.#program = program;
    this.#counters = counters;
    this.#words = cpu.words;
  }

  /**
   * Run operations until `budget` are done, the thread traps, or the mailbox is set.
   * Returns how many were completed. An operation that faults leaves no effect and is
   * done again later.
   */
  run(budget: number): number {
    const cpu = this.#cpu;
    const process = this.#program.processes[cpu.register(Reg.fs)];
    const stream = process?.threads[cpu.register(Reg.gs)];
    const start = cpu.register(Reg.esi);
    if (stream === undefined || start >= stream.length) {
      systemCall(cpu, Sys.exitGroup, 0, 0, 0);
      return 1;
    }
    const end = Math.min(stream.length, start + budget);
    for (let position = start; position < end && !cpu.kicked; ) {
      const index = Math.floor(position / BLOCK_OPS);
      const stop = Math.min(end, (index + 1) * BLOCK_OPS, position + POLL_OPERATIONS);
      position = this.#slice(stream.block(index), index * BLOCK_OPS, position, stop);
      if (position < stop || cpu.trapped || !isUserMode(cpu.register(Reg.cs))) break;
    }
    return cpu.register(Reg.esi) - start;
  }

  /**
   * Operations `start` … `stop` of one block, until one traps. Returns how far it came.
   *
   * Nearly all are plain accesses that hit the TLB. They are done in the inner loop, which
   * calls nothing, so that the compiler keeps all it needs in registers; whatever else comes,
   * the outer loop does by itself and goes in again. Fetches mostly stay on a page: as long
   * as only the inner loop runs, nothing leaves the TLB, so a page found there still is. What is
   * said to be a 32-bit integer (`| 0`) the compiler would keep as a double.
   */
  #slice(block: OperationBlock, first: number, start: number, stop: number): number {
    const cpu = this.#cpu;
    const { ops } = block;
    const words = this.#words;
    const memory = words.plain;
    const { tlb, generation } = cpu;
    const end = ((stop - first) * 2) | 0;
    let state = cpu.register(Reg.edi) | 0;
    let eip = cpu.register(Reg.eip);
    let loads = 0;
    let stores = 0;
    let modifies = 0;
    let crossings = 0;
    let call = -1;
    let i = ((start - first) * 2) | 0;
    while (i < end) {
      let codePage = NO_PAGE;
      for (; i < end; i += 2) {
        const head = ops[i]!;
        const va = ops[i + 1]! as Gva;
        const kind = head & 0xff;
        if ((va & (PAGE_SIZE - 1)) + (head >>> 8) > PAGE_SIZE) break;
        if (kind === Fetch) {
          if ((va & -PAGE_SIZE) !== codePage) {
            if (lookUp(memory, tlb, generation, va, UserFetch) < 0) break;
            codePage = va & -PAGE_SIZE;
          }
          eip = va;
          continue;
        }
        if (kind > Modify) break;
        const at = lookUp(memory, tlb, generation, va, kind === Load ? UserRead : UserWrite);
        if (at < 0) break;
        if (kind !== Store) state = afterLoad(state, words.read(toPtr(at)));
        if (kind !== Load) words.write(toPtr(at), storedValue(state, (first + (i >>> 1)) | 0));
        if (kind === Load) loads++;
        else if (kind === Store) stores++;
        else modifies++;
      }
      if (i >= end) break;
      const head = ops[i]!;
      const va = ops[i + 1]! as Gva;
      const kind = head & 0xff;
      if (kind === Syscall) {
        call = va;
        break;
      }
      const right = RIGHT_OF[kind]! as Right;
      const at = cpu.translate(va, right);
      if (at < 0) {
        this.#fault = at;
        this.#faultAt = va;
        break;
      }
      const position = first + (i >>> 1);
      if ((va & (PAGE_SIZE - 1)) + (head >>> 8) > PAGE_SIZE) {
        // It reaches into the next page, which must be there too.
        const next = toGva((va & -PAGE_SIZE) + PAGE_SIZE);
        const other = cpu.translate(next, right);
        if (other < 0) {
          this.#fault = other;
          this.#faultAt = next;
          break;
        }
        crossings++;
        if (kind === Store) words.write(toPtr(other), storedValue(state, ~position));
      }
      if (kind === Fetch) {
        eip = va;
      } else if (kind === Load) {
        loads++;
        state = afterLoad(state, words.read(toPtr(at)));
      } else if (kind === Store) {
        stores++;
        words.write(toPtr(at), storedValue(state, position));
      } else {
        modifies++;
        if (kind === Locked) {
          words.add(toPtr(at), 1);
        } else {
          state = afterLoad(state, words.read(toPtr(at)));
          words.write(toPtr(at), storedValue(state, position));
        }
      }
      i += 2;
    }
    let position = first + (i >>> 1);
    cpu.setRegister(Reg.edi, state);
    cpu.setRegister(Reg.eip, eip);
    const counters = this.#counters;
    counters.add(Counter.Fetches, position - start - loads - stores - modifies);
    counters.add(Counter.Loads, loads);
    counters.add(Counter.Stores, stores);
    counters.add(Counter.Modifies, modifies);
    counters.add(Counter.Crossings, crossings);
    if (call >= 0) {
      // A trap, unlike a fault, is taken after the operation.
      position++;
      const [eax, ebx, ecx, edx] = block.calls.subarray(call * 4, call * 4 + 4);
      systemCall(cpu, eax!, ebx!, ecx!, edx!);
    }
    cpu.setRegister(Reg.esi, position);
    if (this.#fault !== 0) {
      // With the registers as they are to be: a nested guest finds itself in its kernel at once.
      cpu.pageFault(this.#faultAt, this.#fault);
      this.#fault = 0;
    }
    return position;
  }
}

function systemCall(cpu: Processor, number: number, a: number, b: number, c: number): void {
  cpu.setRegister(Reg.eax, number);
  cpu.setRegister(Reg.ebx, a);
  cpu.setRegister(Reg.ecx, b);
  cpu.setRegister(Reg.edx, c);
  cpu.softwareInterrupt(Vector.Syscall);
}
