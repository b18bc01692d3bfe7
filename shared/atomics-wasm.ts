/**
 * A WebAssembly module of a few instructions a function: the processor's own atomic
 * operations. V8 makes `Atomics.*` a call of 7–9 ns; these cost 3–4 ns, and they
 * include the 64-bit ones that JavaScript has only on BigInt (70–100 ns). PAE entries
 * need them: a 64-bit entry must be read and written whole. Beside them is memory.copy, which takes
 * a third as long for a page as copyWithin; it is a call, and a vCPU's registers go without.
 *
 * Addresses are word indices. A 64-bit result leaves its low half as the return value
 * and is stored whole at `out`, a place of the caller's own, as edx:eax would hold it.
 */

import { I64, instantiate, type WasmFunction, type WasmMemory } from '../src/wasm.ts';

export interface AtomicsExports {
  load(at: number): number;
  store(at: number, value: number): void;
  exchange(at: number, value: number): number;
  compareExchange(at: number, expected: number, value: number): number;
  add(at: number, value: number): number;
  and(at: number, value: number): number;
  or(at: number, value: number): number;
  load64(at: number, out: number): number;
  store64(at: number, low: number, high: number): void;
  exchange64(at: number, low: number, high: number, out: number): number;
  /** 1 when the exchange took place. */
  compareExchange64(
    at: number,
    expectedLow: number,
    expectedHigh: number,
    low: number,
    high: number,
  ): number;
  /** `words` words, which may overlap. */
  copy(to: number, from: number, words: number): void;
  /** 18 words, as many as a vCPU has registers, which do not overlap. */
  copyRegisters(to: number, from: number): void;
}

const WORD = [0xfe] as const;
const ALIGN32 = [2, 0] as const;
const ALIGN64 = [3, 0] as const;

const get = (local: number): number[] => [0x20, local];
/** The byte address of the word that a parameter names. */
const at = (local: number): number[] => [...get(local), 0x41, 2, 0x74];
/** The 64-bit value of two parameters: low | high << 32. */
const pair = (low: number, high: number): number[] => [
  ...[...get(low), 0xad],
  ...[...get(high), 0xad, 0x42, 32, 0x86],
  0x84,
];
const op32 = (opcode: number): number[] => [...WORD, opcode, ...ALIGN32];
const op64 = (opcode: number): number[] => [...WORD, opcode, ...ALIGN64];
const i32Wrap = 0xa7;
/** Take the 64-bit value on the stack: store it at `out`, return its low half. */
const leave64 = (out: number, temp: number): number[] => [
  ...[0x21, temp],
  ...[...at(out), ...get(temp), 0x37, ...ALIGN64],
  ...[...get(temp), i32Wrap],
];

const DEFINITIONS: readonly (WasmFunction & { readonly name: keyof AtomicsExports })[] = [
  { name: 'load', parameters: 1, returns: true, body: [...at(0), ...op32(0x10)] },
  { name: 'store', parameters: 2, returns: false, body: [...at(0), ...get(1), ...op32(0x17)] },
  { name: 'exchange', parameters: 2, returns: true, body: [...at(0), ...get(1), ...op32(0x41)] },
  {
    name: 'compareExchange',
    parameters: 3,
    returns: true,
    body: [...at(0), ...get(1), ...get(2), ...op32(0x48)],
  },
  { name: 'add', parameters: 2, returns: true, body: [...at(0), ...get(1), ...op32(0x1e)] },
  { name: 'and', parameters: 2, returns: true, body: [...at(0), ...get(1), ...op32(0x2c)] },
  { name: 'or', parameters: 2, returns: true, body: [...at(0), ...get(1), ...op32(0x33)] },
  {
    name: 'load64',
    parameters: 2,
    returns: true,
    locals: [I64],
    body: [...at(0), ...op64(0x11), ...leave64(1, 2)],
  },
  {
    name: 'store64',
    parameters: 3,
    returns: false,
    body: [...at(0), ...pair(1, 2), ...op64(0x18)],
  },
  {
    name: 'exchange64',
    parameters: 4,
    returns: true,
    locals: [I64],
    body: [...at(0), ...pair(1, 2), ...op64(0x42), ...leave64(3, 4)],
  },
  {
    name: 'compareExchange64',
    parameters: 5,
    returns: true,
    body: [...at(0), ...pair(1, 2), ...pair(3, 4), ...op64(0x49), ...pair(1, 2), 0x51],
  },
  {
    name: 'copy',
    parameters: 3,
    returns: false,
    body: [...at(0), ...at(1), ...at(2), 0xfc, 0x0a, 0, 0],
  },
  {
    name: 'copyRegisters',
    parameters: 2,
    returns: false,
    // By v128.load and v128.store four times, and the rest by 64 bits.
    body: [
      ...[0, 16, 32, 48].flatMap((byte) => [
        ...[...at(0), ...at(1), ...[0xfd, 0x00, 2, byte]],
        ...[0xfd, 0x0b, 2, byte],
      ]),
      ...[...at(0), ...at(1), 0x29, 2, 64, 0x37, 2, 64],
    ],
  },
];

/** The functions over a memory. Each thread makes its own instance. */
export const instantiateAtomics = (memory: WasmMemory): AtomicsExports =>
  instantiate(DEFINITIONS, memory) as unknown as AtomicsExports;
