/**
 * User mode: a program's operations on the simulated processor.
 *
 * The state of a thread is in registers: esi is its position in its stream, edi what it
 * has computed so far, fs and gs say which process and thread of the program it is, eip
 * is the last address fetched. Traces carry addresses but no data, so the data is made
 * here: each load changes edi and each store writes a value that depends on it. A word
 * read wrongly anywhere thus shows in every word written later.
 */

import { isFault, Right } from '../../shared/access.ts';
import { type Gva, PAGE_SIZE, toGva, toPtr } from '../../shared/address.ts';
import { Counter, type Counters } from '../../shared/counters.ts';
import { Reg } from '../../shared/host-cpu.ts';
import { type Processor, Vector } from './processor.ts';
import { BLOCK_OPS, Op, type Program, Sys } from './program.ts';

/** Accesses between two looks at the mailbox. */
const POLL_OPERATIONS = 1024;

/** What edi becomes when a thread reads `value`. */
const afterLoad = (state: number, value: number): number => Math.imul(state ^ value, 0x9e37_79b1);

/** What a thread in `state` stores by the operation at `position`. */
const storedValue = (state: number, position: number): number =>
  Math.imul(state + position, 0x85eb_ca6b) ^ position;

/**
 * Run operations until `budget` are done, the thread traps, or the mailbox is set.
 * Returns how many were completed. An operation that faults leaves no effect and is
 * done again later.
 */
export function runUser(
  cpu: Processor,
  program: Program,
  counters: Counters,
  budget: number,
): number {
  const process = program.processes[cpu.register(Reg.fs)];
  const stream = process?.threads[cpu.register(Reg.gs)];
  const start = cpu.register(Reg.esi);
  if (stream === undefined || start >= stream.length) {
    systemCall(cpu, Sys.exitGroup, 0, 0, 0);
    return 1;
  }
  const { words } = cpu;
  const { plain } = words;
  const end = Math.min(stream.length, start + budget);
  let position = start;
  let state = cpu.register(Reg.edi) | 0;
  let eip = cpu.register(Reg.eip);
  let fetches = 0;
  let loads = 0;
  let stores = 0;
  let modifies = 0;
  let crossings = 0;
  let entered = false;

  loop: while (position < end) {
    const index = Math.floor(position / BLOCK_OPS);
    const { ops, calls } = stream.block(index);
    const blockStart = index * BLOCK_OPS;
    const stop = Math.min(end, blockStart + BLOCK_OPS, position + POLL_OPERATIONS);
    for (; position < stop; position++) {
      const head = ops[(position - blockStart) * 2]!;
      const va = ops[(position - blockStart) * 2 + 1]! as Gva;
      const kind = head & 0xff;
      if (kind === Op.Syscall) {
        cpu.setRegister(Reg.eip, eip);
        systemCall(cpu, calls[va * 4]!, calls[va * 4 + 1]!, calls[va * 4 + 2]!, calls[va * 4 + 3]!);
        // A trap, unlike a fault, is taken after the operation.
        position++;
        entered = true;
        break loop;
      }
      const right =
        kind === Op.Fetch ? Right.UserFetch : kind === Op.Load ? Right.UserRead : Right.UserWrite;
      const at = cpu.translate(va, right);
      if (isFault(at)) {
        cpu.pageFault(va, at);
        break loop;
      }
      if ((va & (PAGE_SIZE - 1)) + (head >>> 8) > PAGE_SIZE) {
        // It reaches into the next page, which must be there too.
        const next = toGva((va & -PAGE_SIZE) + PAGE_SIZE);
        const other = cpu.translate(next, right);
        if (isFault(other)) {
          cpu.pageFault(next, other);
          break loop;
        }
        crossings++;
        if (kind === Op.Store) plain[other] = storedValue(state, ~position);
      }
      switch (kind) {
        case Op.Fetch:
          fetches++;
          eip = va;
          break;
        case Op.Load:
          loads++;
          state = afterLoad(state, plain[at]!);
          break;
        case Op.Store:
          stores++;
          plain[at] = storedValue(state, position);
          break;
        case Op.Modify:
          modifies++;
          state = afterLoad(state, plain[at]!);
          plain[at] = storedValue(state, position);
          break;
        default:
          modifies++;
          state = afterLoad(state, words.add(toPtr(at), 1));
          break;
      }
    }
    if (cpu.kicked) break;
  }

  cpu.setRegister(Reg.esi, position);
  cpu.setRegister(Reg.edi, state);
  if (!entered) cpu.setRegister(Reg.eip, eip);
  counters.add(Counter.Fetches, fetches);
  counters.add(Counter.Loads, loads);
  counters.add(Counter.Stores, stores);
  counters.add(Counter.Modifies, modifies);
  counters.add(Counter.Crossings, crossings);
  return position - start;
}

function systemCall(cpu: Processor, number: number, a: number, b: number, c: number): void {
  cpu.setRegister(Reg.eax, number);
  cpu.setRegister(Reg.ebx, a);
  cpu.setRegister(Reg.ecx, b);
  cpu.setRegister(Reg.edx, c);
  cpu.softwareInterrupt(Vector.Syscall);
}
