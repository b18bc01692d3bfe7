/** Reads what BlockEncoder wrote. */

import type { OperationBlock } from '../program.ts';
import * as program from '../program.ts';
import * as runs from './runs.ts';

const { BLOCK_OPS } = program;
const { Fetch, Syscall } = program.Op;
const { ADDRESS, DISTANCE, HEAD, STRIDE, TABLE_WORDS } = runs;
const { Adjacent, Elsewhere, Expected, Moved } = runs.Code;

export class BlockDecoder {
  readonly #table = new Int32Array(TABLE_WORDS);
  /** Where each run begins in the table, and behind them where the last one ends. */
  readonly #starts = new Int32Array(BLOCK_OPS + 1);
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  /**
   * Throws RangeError if the bytes are not a block; checksums should see to that before. `spare`:
   * an unused block's operations, to be reused for this one if it is as long.
   */
  decode(bytes: Uint8Array, spare?: Uint32Array): OperationBlock {
    this.#bytes = bytes;
    this.#at = 0;
    const count = this.#varint();
    const callCount = this.#varint();
    const headCount = this.#varint();
    const runCount = this.#varint();
    const numberBytes = this.#varint();
    const codes = this.#varint();
    if (count < 1 || [count, callCount, headCount, runCount].some((n) => n > BLOCK_OPS)) {
      throw senseless('counts');
    }
    const heads = new Int32Array(headCount);
    for (let i = 0; i < headCount; i++) heads[i] = this.#varint();
    this.#runs(runCount, heads);
    const ops = spare?.length === 2 * count ? spare : new Uint32Array(2 * count);
    if (this.#operations(ops, runCount, numberBytes, codes) !== callCount) {
      throw senseless('system calls');
    }
    const calls = new Uint32Array(4 * callCount);
    for (let i = 0; i < calls.length; i++) calls[i] = this.#varint();
    if (this.#at !== bytes.length) throw senseless('length');
    return { count, ops, calls };
  }

  /** What the runs are. */
  #runs(count: number, heads: Int32Array): void {
    const table = this.#table;
    let place = 0;
    let start = 0;
    for (let run = 0; run < count; run++) {
      this.#starts[run] = place;
      const operations = this.#varint();
      if (operations < 1 || place + 4 * operations > TABLE_WORDS) throw senseless('runs');
      start = (start + signed(this.#varint())) | 0;
      let address = start;
      for (const end = place + 4 * operations; place < end; place += 4) {
        const head = heads[this.#varint()];
        if (head === undefined) throw senseless('runs');
        const isFetch = (head & 0xff) === Fetch;
        table[place + HEAD] = head;
        table[place + ADDRESS] = isFetch ? address : 0;
        table[place + STRIDE] = 0;
        table[place + DISTANCE] = 0;
        if (isFetch) address = (address + (head >>> 8)) | 0;
      }
    }
    this.#starts[count] = place;
  }

  /** Fills `ops`, returns how many are system calls. Replay waits for this loop. */
  #operations(ops: Uint32Array, runCount: number, numberBytes: number, codes: number): number {
    const table = this.#table;
    const starts = this.#starts;
    const bytes = this.#bytes;
    const words = ops.length;
    let numberAt = this.#at;
    let codeAt = numberAt + numberBytes;
    let at = codeAt + codes;
    let data = 0;
    let calls = 0;

    for (let i = 0; i < words; ) {
      let number = bytes[numberAt++]!;
      if (number > 0x7f) {
        this.#at = numberAt - 1;
        number = this.#varint();
        numberAt = this.#at;
      }
      const surprises = (number & 1) === 1;
      const run = number >>> 1;
      if (run >= runCount) throw senseless('runs');
      const end = starts[run + 1]!;
      let place = starts[run]!;
      if (2 * i + end - place > 2 * words) throw senseless('runs');
      for (; place < end; place += 4, i += 2) {
        const head = table[place + HEAD]!;
        const kind = head & 0xff;
        ops[i] = head;
        if (kind === Fetch) {
          ops[i + 1] = table[place + ADDRESS]!;
          continue;
        }
        if (kind === Syscall) {
          ops[i + 1] = calls++;
          continue;
        }
        const last = table[place + ADDRESS]!;
        let address = (last + table[place + STRIDE]!) | 0;
        const code = surprises ? bytes[codeAt++]! : Expected;
        if (code !== Expected) {
          if (code === Adjacent) {
            address = (data + table[place + DISTANCE]!) | 0;
          } else {
            let byte = bytes[at++]!;
            let difference = byte & 0x7f;
            for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
              byte = bytes[at++]!;
              difference |= (byte & 0x7f) << shift;
            }
            address = ((code === Moved ? last : data) + signed(difference)) | 0;
          }
          table[place + STRIDE] = code === Elsewhere ? 0 : address - last;
        }
        ops[i + 1] = address;
        table[place + ADDRESS] = address;
        table[place + DISTANCE] = address - data;
        data = address;
      }
    }
    this.#at = at;
    return calls;
  }

  #varint(): number {
    let word = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw senseless('length');
      word |= (byte & 0x7f) << shift;
      if (byte < 0x80) return word >>> 0;
    }
    throw senseless('numbers');
  }
}

/** The difference that was written as an unsigned word, the sign last. */
const signed = (word: number): number => (word >>> 1) ^ -(word & 1);

function senseless(what: string): RangeError {
  return new RangeError(`the ${what} of the block make no sense`);
}
