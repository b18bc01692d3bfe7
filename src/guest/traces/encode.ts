import { assert } from '../../../shared/errors.ts';
import { BLOCK_OPS, Op, type OperationBlock } from '../program.ts';
import {
  ADDRESS,
  Code,
  DISTANCE,
  HEAD,
  hasDifference,
  MAX_HEADS,
  resetTable,
  STRIDE,
  slotAfterData,
  slotAfterFetch,
  TABLE_WORDS,
} from './predictor.ts';

/**
 * Writes one block of operations as bytes: four counts (operations, calls, heads,
 * bytes of fetch differences), the heads, one code for each operation, the
 * differences of fetches and those of data accesses where the prediction erred, the
 * words of the system calls. Columns rather than records, since deflate then finds
 * the repetitions.
 */
export class BlockEncoder {
  readonly #table = new Int32Array(TABLE_WORDS);
  readonly #codes = new Uint8Array(BLOCK_OPS);
  readonly #fetchDifferences = new Uint8Array(BLOCK_OPS * 5);
  /** Worst case: each operation escapes with two varints of five bytes. */
  readonly #differences = new Uint8Array(BLOCK_OPS * 10);
  /** Worst case: four counts, the heads, code and differences, four varints for a call. */
  readonly #out = new Uint8Array(20 + 5 * MAX_HEADS + BLOCK_OPS * 11 + BLOCK_OPS * 20);

  /**
   * The result is a view that the next call overwrites. Throws an assertion if the
   * block breaks the contract of OperationBlock.
   */
  encode(block: OperationBlock): Uint8Array {
    const { ops, count, calls } = block;
    assert(count >= 1 && count <= BLOCK_OPS, `a block holds 1 to ${BLOCK_OPS} operations`);
    assert(ops.length >= 2 * count, 'a block has two words for each operation');
    const table = this.#table;
    resetTable(table);
    const codes = this.#codes;
    const differences = this.#differences;
    const fetchDifferences = this.#fetchDifferences;
    const heads = new HeadList();
    let end = 0;
    let fetchEnd = 0;
    let slot = 0;
    let behind = 0;
    let data = 0;
    let callCount = 0;

    for (let i = 0; i < count; i++) {
      const head = ops[2 * i]! | 0;
      const address = ops[2 * i + 1]! | 0;
      const kind = head & 0xff;
      assert(kind <= Op.Syscall, `${kind} is not a kind of operation`);
      const known = table[slot + HEAD] === head;
      const last = table[slot + ADDRESS]!;
      const expected = (last + table[slot + STRIDE]!) | 0;
      let base: number;
      let code: number;
      if (kind === Op.Syscall) {
        assert(address === callCount++, 'a block numbers its system calls in order');
        base = address;
        code = known ? Code.Expected : heads.code(head);
      } else if (kind === Op.Fetch) {
        base = behind;
        if (!known) code = heads.code(head);
        else if (address === expected) code = Code.Expected;
        else code = address === behind ? Code.Adjacent : Code.Differs;
      } else {
        base = known ? last : data;
        if (!known) code = heads.code(head);
        else if (address === expected) code = Code.Expected;
        else {
          const adjacent = (data + table[slot + DISTANCE]!) | 0;
          code = address === adjacent ? Code.Adjacent : Code.Differs;
        }
      }
      if (code === Code.Escape) end = putVarint(differences, end, head >>> 0);
      else if (code >= Code.Known && address !== base) code++;
      if (hasDifference(code)) {
        const difference = zigzag(address - base);
        if (kind === Op.Fetch) fetchEnd = putVarint(fetchDifferences, fetchEnd, difference);
        else end = putVarint(differences, end, difference);
      }
      codes[i] = code;

      table[slot + HEAD] = head;
      if (kind === Op.Fetch) {
        table[slot + ADDRESS] = address;
        table[slot + STRIDE] = 0;
        behind = (address + (head >>> 8)) | 0;
        slot = slotAfterFetch(address);
      } else {
        if (kind !== Op.Syscall) {
          table[slot + ADDRESS] = address;
          table[slot + STRIDE] = known ? address - last : 0;
          table[slot + DISTANCE] = address - data;
          data = address;
        }
        slot = slotAfterData(slot);
      }
    }
    assert(calls.length >= 4 * callCount, 'a block has four words for each system call');
    return this.#assemble(
      heads.list,
      codes.subarray(0, count),
      fetchDifferences.subarray(0, fetchEnd),
      differences.subarray(0, end),
      calls.subarray(0, 4 * callCount),
    );
  }

  #assemble(
    heads: readonly number[],
    codes: Uint8Array,
    fetchDifferences: Uint8Array,
    differences: Uint8Array,
    calls: Uint32Array,
  ): Uint8Array {
    const out = this.#out;
    let at = putVarint(out, 0, codes.length);
    at = putVarint(out, at, calls.length >> 2);
    at = putVarint(out, at, heads.length);
    at = putVarint(out, at, fetchDifferences.length);
    for (const head of heads) at = putVarint(out, at, head >>> 0);
    for (const column of [codes, fetchDifferences, differences]) {
      out.set(column, at);
      at += column.length;
    }
    for (const word of calls) at = putVarint(out, at, word);
    return out.subarray(0, at);
  }
}

/** The heads of one block, in the order of their first unpredicted use. */
class HeadList {
  readonly list: number[] = [];
  readonly #codes = new Map<number, number>();

  /** The even code of `head`, or Escape if the list is full. */
  code(head: number): number {
    const known = this.#codes.get(head);
    if (known !== undefined) return known;
    if (this.list.length === MAX_HEADS) return Code.Escape;
    const code = Code.Known + 2 * this.list.length;
    this.list.push(head);
    this.#codes.set(head, code);
    return code;
  }
}

/** Small differences of either sign become small unsigned words. */
function zigzag(difference: number): number {
  const d = difference | 0;
  return ((d << 1) ^ (d >> 31)) >>> 0;
}

/** Writes an unsigned word, seven bits a byte, least first; returns the place behind it. */
function putVarint(out: Uint8Array, at: number, word: number): number {
  let rest = word;
  let end = at;
  while (rest > 0x7f) {
    out[end++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[end++] = rest;
  return end;
}
