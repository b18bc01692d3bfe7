/**
 * The inner loop of user mode in WebAssembly: plain accesses that hit the TLB, as the loop in
 * user.ts does them, on operations that are in the machine's memory. JavaScript's is compiled anew
 * in each worker, and again whenever V8 learns something; this one is compiled once for all
 * threads, and fast from the first operation. test/guest/user-loop.test.ts holds the two to one
 * another.
 */

import { Reg, TLB_ENTRIES } from '../../shared/host-cpu.ts';
import { Right } from '../hardware/access.ts';
import { PAGE_SIZE } from '../hardware/address.ts';
import {
  block,
  branch,
  branchIf,
  I32,
  I64,
  i32,
  instantiate,
  local,
  loop,
  select,
  type WasmFunction,
  type WasmMemory,
  when,
} from '../wasm.ts';
import { LOAD_FACTOR, STORE_FACTOR } from './data.ts';
import { Op } from './program.ts';

/**
 * Operations from word `at` of memory on, up to `end`, until one is not a plain access that hits
 * the TLB; returns where that is. `registers`: edi and eip are read from there and written back.
 * `position` is that of the operation at `at`. `counts`: two words, on an even place, where it
 * leaves how many of each kind it did, 16 bits each, in the order of Op: so at most 65,535
 * operations.
 */
export type UserLoop = (
  at: number,
  end: number,
  tlb: number,
  generation: number,
  registers: number,
  position: number,
  counts: number,
) => number;

const [AT, END, TLB, GENERATION, REGISTERS, POSITION, COUNTS] = [0, 1, 2, 3, 4, 5, 6];
const [HEAD, VA, KIND, ENTRY, FOUND, CODE_PAGE, EIP, STATE, DONE] = [
  7, 8, 9, 10, 11, 12, 13, 14, 15,
];

const { get, set, tee } = local;

/** No page begins here. */
const NO_PAGE = 1;

const page = [...get(VA!), ...i32.value(-4096), ...i32.and];

/** Leave the block `depth` further out, unless the TLB has the page with the right on the stack. */
const lookUp = (depth: number): number[] => [
  ...get(TLB!),
  ...[...get(VA!), ...i32.value(12), ...i32.shiftRightUnsigned],
  ...[...i32.value(TLB_ENTRIES - 1), ...i32.and, ...i32.value(3), ...i32.shiftLeft],
  ...[...i32.add, ...tee(ENTRY!), ...i32.load(4), ...tee(FOUND!)],
  ...[...i32.and, ...i32.isZero, ...branchIf(depth)],
  ...[...get(ENTRY!), ...i32.load(), ...page, ...get(GENERATION!), ...i32.or],
  ...[...i32.unequal, ...branchIf(depth)],
];

/** The byte address of the word that the access is to. */
const word = [
  ...[...get(FOUND!), ...i32.value(-4096), ...i32.and],
  ...[...get(VA!), ...i32.value(4092), ...i32.and, ...i32.or],
];

const is = (kind: number): number[] => [...get(KIND!), ...i32.value(kind), ...i32.equal];
const isNot = (kind: number): number[] => [...get(KIND!), ...i32.value(kind), ...i32.unequal];

/** How to leave from inside of so many further blocks. */
const out = (inside = 0): number => inside + 1;

/** One more of its kind done: on to the next operation. */
const next = [
  ...[...get(DONE!), 0x42, 1, ...get(KIND!), ...i32.value(4), ...i32.shiftLeft, 0xad],
  ...[0x86, 0x7c, ...set(DONE!)],
  ...[...get(AT!), ...i32.value(8), ...i32.add, ...set(AT!)],
  ...[...get(POSITION!), ...i32.value(1), ...i32.add, ...set(POSITION!)],
];

/** Places come as words. */
const toBytes = (place: number): number[] => [
  ...[...get(place), ...i32.value(2), ...i32.shiftLeft, ...set(place)],
];

const body = [
  ...[AT, END, TLB, REGISTERS, COUNTS].flatMap((place) => toBytes(place!)),
  ...[...i32.value(NO_PAGE), ...set(CODE_PAGE!)],
  ...[...get(REGISTERS!), ...i32.load(4 * Reg.eip), ...set(EIP!)],
  ...[...get(REGISTERS!), ...i32.load(4 * Reg.edi), ...set(STATE!)],
  ...block(
    loop(
      [...get(AT!), ...get(END!), ...i32.atLeastUnsigned, ...branchIf(out())],
      [...get(AT!), ...i32.load(), ...set(HEAD!)],
      [...get(AT!), ...i32.load(4), ...set(VA!)],
      // It reaches into the next page.
      [...get(VA!), ...i32.value(PAGE_SIZE - 1), ...i32.and],
      [...get(HEAD!), ...i32.value(8), ...i32.shiftRightUnsigned, ...i32.add],
      [...i32.value(PAGE_SIZE), ...i32.aboveUnsigned, ...branchIf(out())],
      [...get(HEAD!), ...i32.value(0xff), ...i32.and, ...tee(KIND!)],
      [...i32.value(Op.Modify), ...i32.aboveUnsigned, ...branchIf(out())],
      is(Op.Fetch),
      when(
        [...page, ...get(CODE_PAGE!), ...i32.unequal],
        when([...i32.value(Right.UserFetch), ...lookUp(out(2))], [...page, ...set(CODE_PAGE!)]),
        [...get(VA!), ...set(EIP!)],
        [...next, ...branch(1)],
      ),
      [...i32.value(Right.UserRead), ...i32.value(Right.UserWrite), ...is(Op.Load), ...select],
      lookUp(out()),
      isNot(Op.Store),
      when(
        [...get(STATE!), ...word, ...i32.load(), ...i32.xor],
        [...i32.value(LOAD_FACTOR), ...i32.multiply, ...set(STATE!)],
      ),
      isNot(Op.Load),
      when(
        [...word, ...get(STATE!), ...get(POSITION!), ...i32.add],
        [...i32.value(STORE_FACTOR), ...i32.multiply],
        [...get(POSITION!), ...i32.xor, ...i32.store()],
      ),
      [...next, ...branch(0)],
    ),
  ),
  ...[...get(REGISTERS!), ...get(EIP!), ...i32.store(4 * Reg.eip)],
  ...[...get(REGISTERS!), ...get(STATE!), ...i32.store(4 * Reg.edi)],
  ...[...get(COUNTS!), ...get(DONE!), 0x37, 3, 0],
  ...[...get(AT!), ...i32.value(2), ...i32.shiftRightUnsigned],
];

const LOOP: WasmFunction = {
  name: 'run',
  parameters: 7,
  returns: true,
  locals: [I32, I32, I32, I32, I32, I32, I32, I32, I64],
  body,
};

export const userLoopOver = (memory: WasmMemory): UserLoop =>
  instantiate([LOOP], memory)['run'] as UserLoop;
