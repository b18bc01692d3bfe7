/**
 * WebAssembly modules written out by hand: what is the same in each. One memory of the machine's
 * is imported; functions take and return 32-bit integers.
 */

/**
 * A memory, as who uses it sees it: the name of the whole type is known only where the DOM's are.
 */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}

export const I32 = 0x7f;
export const I64 = 0x7e;

export interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  readonly returns: boolean;
  /** Types of further locals, numbered after the parameters. */
  readonly locals?: readonly number[];
  readonly body: readonly number[];
}

/** Unsigned LEB128. LIMIT: of 21 bits. */
const unsigned = (n: number): number[] =>
  n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...unsigned(n >>> 7)];
const vector = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
];
const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...unsigned(content.length),
  ...content,
];
const text = (s: string): number[] => [s.length, ...Array.from(s, (c) => c.charCodeAt(0))];

function encode(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters, returns }) => [
    ...[0x60, parameters, ...Array<number>(parameters).fill(I32)],
    ...(returns ? [1, I32] : [0]),
  ]);
  // Shared, any size up to all of 32-bit memory: 65,536 pages.
  const memory = [...text('m'), ...text('m'), 2, 3, 0, ...unsigned(65_536)];
  const bodies = functions.map(({ locals = [], body }) => {
    const code = [...vector(locals.map((type) => [1, type])), ...body, 0x0b];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(functions.map((_, i) => [i]))),
    ...section(7, vector(functions.map(({ name }, i) => [...text(name), 0, i]))),
    ...section(10, vector(bodies)),
  ]);
}

/** The functions over a memory. V8 compiles the same bytes once for all threads of a process. */
export function instantiate(functions: readonly WasmFunction[], memory: WasmMemory) {
  const module = new WebAssembly.Module(encode(functions));
  return new WebAssembly.Instance(module, { m: { m: memory as WebAssembly.Memory } }).exports;
}

/** Signed LEB128. */
const signed = (n: number): number[] =>
  n >= -64 && n < 64 ? [n & 0x7f] : [(n & 0x7f) | 0x80, ...signed(n >> 7)];

/** Instructions on 32-bit integers; the operands come first. */
export const i32 = {
  value: (n: number): number[] => [0x41, ...signed(n | 0)],
  /** Of the word at the byte address on the stack + `offset`. */
  load: (offset = 0): number[] => [0x28, 2, ...unsigned(offset)],
  store: (offset = 0): number[] => [0x36, 2, ...unsigned(offset)],
  isZero: [0x45],
  equal: [0x46],
  unequal: [0x47],
  aboveUnsigned: [0x4b],
  atLeastUnsigned: [0x4f],
  add: [0x6a],
  multiply: [0x6c],
  and: [0x71],
  or: [0x72],
  xor: [0x73],
  shiftLeft: [0x74],
  shiftRightUnsigned: [0x76],
} as const;

export const local = {
  get: (index: number): number[] => [0x20, index],
  set: (index: number): number[] => [0x21, index],
  /** Set, and leave it on the stack. */
  tee: (index: number): number[] => [0x22, index],
};

/** `block` is left by branch(depth), at its end; `loop` begins again; depth 0 is the innermost. */
export const block = (...body: readonly number[][]): number[] => [0x02, 0x40, ...body.flat(), 0x0b];
export const loop = (...body: readonly number[][]): number[] => [0x03, 0x40, ...body.flat(), 0x0b];
export const branch = (depth: number): number[] => [0x0c, depth];
/** If what is on the stack is not 0. */
export const branchIf = (depth: number): number[] => [0x0d, depth];
export const when = (...body: readonly number[][]): number[] => [0x04, 0x40, ...body.flat(), 0x0b];
/** The first of two values on the stack if the third is not 0, else the second. */
export const select = [0x1b];
