import { assert } from '../../errors.ts';
import { BLOCK_OPS, Op, type OperationBlock } from '../program.ts';
import { ADDRESS, Code, DISTANCE, HEAD, runsOf, STRIDE, TABLE_WORDS } from './runs.ts';

/** Bytes that a number takes at most. */
const VARINT = 5;

/**
 * Writes one block of operations as bytes, as runs.ts says. Six counts: operations, calls,
 * heads, runs, bytes of the numbers of runs, codes. The heads. Of each run how many operations
 * it has, how far it begins from the one before, and which heads. Then the numbers of the runs
 * in their order, twice and one more where codes follow; the codes; the differences; the words
 * of the system calls. Columns rather than records, since deflate then finds the repetitions.
 */
export class BlockEncoder {
  readonly #table = new Int32Array(TABLE_WORDS);
  readonly #codes = new Uint8Array(BLOCK_OPS);
  readonly #definitions = new Column(3 * VARINT * BLOCK_OPS);
  readonly #numbers = new Column(VARINT * BLOCK_OPS);
  readonly #differences = new Column(VARINT * BLOCK_OPS);
  readonly #out = new Column((6 + 9 * BLOCK_OPS) * VARINT);

  /**
   * The result is a view that the next call overwrites. Throws an assertion if the
   * block breaks the contract of OperationBlock.
   */
  encode(block: OperationBlock): Uint8Array {
    const { ops, count, calls } = block;
    assert(count >= 1 && count <= BLOCK_OPS, `a block holds 1 to ${BLOCK_OPS} operations`);
    assert(ops.length >= 2 * count, 'a block has two words for each operation');
    const callCount = checkOperations(ops, count);
    assert(calls.length >= 4 * callCount, 'a block has four words for each system call');
    for (const column of [this.#definitions, this.#numbers, this.#differences]) column.length = 0;

    const heads = new Map<number, number>();
    const runs = new Map<string, { number: number; place: number }>();
    const starts = runsOf(ops, count);
    let defined = 0;
    let lastStart = 0;
    let codes = 0;
    let data = 0;
    for (let r = 0; r + 1 < starts.length; r++) {
      const [from, to] = [starts[r]!, starts[r + 1]!];
      const start = (ops[2 * from]! & 0xff) === Op.Fetch ? ops[2 * from + 1]! | 0 : lastStart;
      let key = `${start}`;
      for (let i = from; i < to; i++) key += ` ${ops[2 * i]}`;
      let run = runs.get(key);
      if (run === undefined) {
        run = { number: runs.size, place: defined };
        runs.set(key, run);
        this.#define(ops, from, to, start - lastStart, run.place, heads);
        defined += 4 * (to - from);
        lastStart = start;
      }
      const end = this.#code(ops, from, to, run.place, codes, data);
      const surprises = this.#codes.subarray(codes, end).some((code) => code !== Code.Expected);
      this.#numbers.put(2 * run.number + (surprises ? 1 : 0));
      if (surprises) codes = end;
      data = lastData(ops, from, to, data);
    }

    const out = this.#out;
    out.length = 0;
    for (const n of [count, callCount, heads.size, runs.size, this.#numbers.length, codes]) {
      out.put(n);
    }
    for (const head of heads.keys()) out.put(head);
    out.append(this.#definitions.bytes);
    out.append(this.#numbers.bytes);
    out.append(this.#codes.subarray(0, codes));
    out.append(this.#differences.bytes);
    for (const word of calls.subarray(0, 4 * callCount)) out.put(word);
    return out.bytes;
  }

  /** A run that is new. Fetches have their addresses from now on. */
  #define(
    ops: Uint32Array,
    from: number,
    to: number,
    distance: number,
    place: number,
    heads: Map<number, number>,
  ): void {
    this.#definitions.put(to - from);
    this.#definitions.put(zigzag(distance));
    for (let i = from; i < to; i++) {
      const head = ops[2 * i]!;
      if (!heads.has(head)) heads.set(head, heads.size);
      this.#definitions.put(heads.get(head)!);
      const at = place + 4 * (i - from);
      this.#table.fill(0, at, at + 4);
      this.#table[at + HEAD] = head;
    }
  }

  /** Encode the data accesses of one run; returns where its codes end. */
  #code(
    ops: Uint32Array,
    from: number,
    to: number,
    place: number,
    firstCode: number,
    lastAddress: number,
  ): number {
    const table = this.#table;
    let codes = firstCode;
    let data = lastAddress;
    for (let i = from; i < to; i++) {
      if (!isData(ops[2 * i]!)) continue;
      const at = place + 4 * (i - from);
      const address = ops[2 * i + 1]! | 0;
      const last = table[at + ADDRESS]!;
      const [moved, distance] = [(address - last) | 0, (address - data) | 0];
      let code: Code = zigzag(moved) < zigzag(distance) ? Code.Moved : Code.Elsewhere;
      if (distance === table[at + DISTANCE]) code = Code.Adjacent;
      if (moved === table[at + STRIDE]) code = Code.Expected;
      if (code === Code.Moved) this.#differences.put(zigzag(moved));
      if (code === Code.Elsewhere) this.#differences.put(zigzag(distance));
      this.#codes[codes++] = code;
      table[at + ADDRESS] = address;
      table[at + STRIDE] = code === Code.Elsewhere ? 0 : moved;
      table[at + DISTANCE] = distance;
      data = address;
    }
    return codes;
  }
}

const isData = (head: number): boolean =>
  (head & 0xff) !== Op.Fetch && (head & 0xff) !== Op.Syscall;

/** Returns how many are system calls. */
function checkOperations(ops: Uint32Array, count: number): number {
  let calls = 0;
  for (let i = 0; i < count; i++) {
    const kind = ops[2 * i]! & 0xff;
    assert(kind <= Op.Syscall, `${kind} is not a kind of operation`);
    if (kind !== Op.Syscall) continue;
    assert(ops[2 * i + 1] === calls++, 'a block numbers its system calls in order');
  }
  return calls;
}

/** The address of the last data access among some operations, or as it was before them. */
function lastData(ops: Uint32Array, from: number, to: number, before: number): number {
  for (let i = to - 1; i >= from; i--) if (isData(ops[2 * i]!)) return ops[2 * i + 1]! | 0;
  return before;
}

/** Bytes that are filled from the start. */
class Column {
  readonly #bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  /** An unsigned word, seven bits a byte, least first. */
  put(word: number): void {
    let rest = word;
    while (rest > 0x7f) {
      this.#bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.length++] = rest;
  }

  append(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }
}

/** Small differences of either sign become small unsigned words. */
function zigzag(difference: number): number {
  const d = difference | 0;
  return ((d << 1) ^ (d >> 31)) >>> 0;
}
