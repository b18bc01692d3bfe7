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

import { Counter, type Counters } from '../../shared/counters.ts';
import type { DecodedBlock } from '../../shared/decoded-blocks.ts';
import { Reg } from '../../shared/host-cpu.ts';
import { lookUp } from '../../shared/tlb.ts';
import type { Words } from '../../shared/words.ts';
import type { Right } from '../hardware/access.ts';
import * as access from '../hardware/access.ts';
import type { Gva, Ptr } from '../hardware/address.ts';
import * as address from '../hardware/address.ts';
import * as data from './data.ts';
import { isUserMode, type Processor, type ProcessorWithTlb, Vector } from './processor.ts';
import * as program from './program.ts';
import { type OperationBlock, type Program, Sys } from './program.ts';
import type { BlockFinder } from './shared-blocks.ts';
import { type UserLoop, userLoopOver } from './user-loop.ts';

const { UserFetch, UserRead, UserWrite } = access.Right;
const { PAGE_SIZE, toGva, toPtr } = address;
const { BLOCK_OPS } = program;
const { afterLoad, LOAD_FACTOR, STORE_FACTOR, storedValue } = data;
const { Fetch, Load, Store, Modify, Locked, Syscall } = program.Op;

/** Accesses between two checks of the mailbox. */
const POLL_OPERATIONS = 1024;

/** The right that each kind of access needs. */
const RIGHT_OF = Uint8Array.of(UserFetch, UserRead, UserWrite, UserWrite, UserWrite);

/** No page begins here. */
const NO_PAGE = 1;

export class UserMode {
  readonly #cpu: ProcessorWithTlb;
  readonly #program: Program;
  readonly #counters: Counters;
  readonly #words: Words;
  readonly #blocks: BlockFinder | undefined;
  readonly #loop: UserLoop | undefined;
  /** Of the slice. */
  #loads = 0;
  #stores = 0;
  #modifies = 0;
  /** The page fault that ends a slice, and where. */
  #fault = 0;
  #faultAt = toGva(0);

  /** `blocks`: of the streams whose blocks all host CPUs share. */
  constructor(cpu: ProcessorWithTlb, program: Program, counters: Counters, blocks?: BlockFinder) {
    this.#cpu = cpu;
    this.#program = program;
    this.#counters = counters;
    this.#words = cpu.words;
    this.#blocks = blocks;
    this.#loop = blocks && userLoopOver(cpu.words.memory);
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
      const block = this.#blocks?.find(stream, index) ?? stream.block(index);
      position = this.#slice(block, index * BLOCK_OPS, position, stop);
      if (position < stop || cpu.trapped || !isUserMode(cpu.register(Reg.cs))) break;
    }
    return cpu.register(Reg.esi) - start;
  }

  /**
   * Operations `start` … `stop` of one block, until one traps. Returns how far it came.
   *
   * Nearly all are plain accesses that hit the TLB. An inner loop does them, and this one what
   * else comes.
   */
  #slice(block: OperationBlock | DecodedBlock, first: number, start: number, stop: number): number {
    const cpu = this.#cpu;
    const { ops } = block;
    const inMemory = 'at' in block ? block.at : undefined;
    const words = this.#words;
    const end = (stop - first) * 2;
    let crossings = 0;
    let call = -1;
    let i = (start - first) * 2;
    this.#loads = 0;
    this.#stores = 0;
    this.#modifies = 0;
    for (; ; i += 2) {
      i =
        inMemory === undefined
          ? this.#plainly(ops, first, i, end)
          : this.#inMachineCode(inMemory, first, i, end);
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
      const state = cpu.register(Reg.edi) | 0;
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
        cpu.setRegister(Reg.eip, va);
      } else if (kind === Load) {
        this.#loads++;
        cpu.setRegister(Reg.edi, afterLoad(state, words.read(toPtr(at))));
      } else if (kind === Store) {
        this.#stores++;
        words.write(toPtr(at), storedValue(state, position));
      } else {
        this.#modifies++;
        if (kind === Locked) {
          words.add(toPtr(at), 1);
        } else {
          const after = afterLoad(state, words.read(toPtr(at)));
          cpu.setRegister(Reg.edi, after);
          words.write(toPtr(at), storedValue(after, position));
        }
      }
    }
    let position = first + (i >>> 1);
    const counters = this.#counters;
    const fetches = position - start - this.#loads - this.#stores - this.#modifies;
    counters.add(Counter.Fetches, fetches);
    counters.add(Counter.Loads, this.#loads);
    counters.add(Counter.Stores, this.#stores);
    counters.add(Counter.Modifies, this.#modifies);
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

  /**
   * Plain accesses that hit the TLB, until something else comes; returns its index in `ops`. It
   * calls nothing, so that the compiler keeps all it needs in registers. As long as it runs nothing
   * leaves the TLB, so a code page found there still is. What is said to be a 32-bit integer
   * (`| 0`) the compiler would keep as a double. user-loop.ts is the same in WebAssembly.
   */
  #plainly(ops: Uint32Array, first: number, start: number, stop: number): number {
    const cpu = this.#cpu;
    const words = this.#words;
    const memory = words.plain;
    const { tlb, generation } = cpu;
    const end = stop | 0;
    let state = cpu.register(Reg.edi) | 0;
    let eip = cpu.register(Reg.eip);
    let codePage = NO_PAGE;
    let loads = 0;
    let stores = 0;
    let modifies = 0;
    let i = start | 0;
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
      if (kind !== Store) state = Math.imul(state ^ words.read(toPtr(at)), LOAD_FACTOR);
      if (kind !== Load) {
        const position = (first + (i >>> 1)) | 0;
        words.write(toPtr(at), Math.imul((state + position) | 0, STORE_FACTOR) ^ position);
      }
      if (kind === Load) loads++;
      else if (kind === Store) stores++;
      else modifies++;
    }
    cpu.setRegister(Reg.edi, state);
    cpu.setRegister(Reg.eip, eip);
    this.#loads += loads;
    this.#stores += stores;
    this.#modifies += modifies;
    return i;
  }

  /** As plainly, on operations that are `at` in the machine's memory. */
  #inMachineCode(at: Ptr, first: number, start: number, stop: number): number {
    const cpu = this.#cpu;
    const { scratch } = cpu;
    const position = first + (start >>> 1);
    const { tlb, generation, registers } = cpu;
    const end = this.#loop!(at + start, at + stop, tlb, generation, registers, position, scratch);
    const memory = this.#words.plain;
    const fetchesAndLoads = memory[scratch]!;
    const others = memory[scratch + 1]!;
    this.#loads += fetchesAndLoads >>> 16;
    this.#stores += others & 0xffff;
    this.#modifies += others >>> 16;
    return end - at;
  }
}

function systemCall(cpu: Processor, number: number, a: number, b: number, c: number): void {
  cpu.setRegister(Reg.eax, number);
  cpu.setRegister(Reg.ebx, a);
  cpu.setRegister(Reg.ecx, b);
  cpu.setRegister(Reg.edx, c);
  cpu.softwareInterrupt(Vector.Syscall);
}
