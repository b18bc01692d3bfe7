/**
 * Reads what BlockEncoder wrote. The arrays of the result are new ones: several
 * threads of one guest may stand in different blocks of one stream for as long as
 * they like, and a reused buffer would change under one of them unseen.
 */

import type { OperationBlock } from '../program.ts';
import * as program from '../program.ts';
import * as predictor from './predictor.ts';

const { BLOCK_OPS } = program;
const { Fetch, Syscall } = program.Op;
const { ADDRESS, DISTANCE, HEAD, MAX_HEADS, STRIDE, TABLE_WORDS } = predictor;
const { hasDifference, resetTable, slotAfterData, slotAfterFetch } = predictor;
const { Adjacent, Differs, Escape, Expected, Known } = predictor.Code;

export class BlockDecoder {
  readonly #table = new Int32Array(TABLE_WORDS);
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** Throws RangeError if the bytes are not a block; checksums should see to that before. */
  decode(bytes: Uint8Array): OperationBlock {
    this.#bytes = bytes;
    this.#at = 0;
    const count = this.#varint();
    const callCount = this.#varint();
    const headCount = this.#varint();
    const fetchBytes = this.#varint();
    if (count < 1 || count > BLOCK_OPS || callCount > count || headCount > MAX_HEADS) {
      throw senseless('counts');
    }
    const heads = new Int32Array(headCount);
    for (let i = 0; i < headCount; i++) heads[i] = this.#varint();
    const ops = new Uint32Array(2 * count);
    if (this.#operations(ops, heads, fetchBytes) !== callCount) throw senseless('system calls');
    const calls = new Uint32Array(4 * callCount);
    for (let i = 0; i < calls.length; i++) calls[i] = this.#varint();
    if (this.#at !== bytes.length) throw senseless('length');
    return { count, ops, calls };
  }

  /** Fills `ops`, returns how many are system calls. Replay waits for this loop. */
  #operations(ops: Uint32Array, heads: Int32Array, fetchBytes: number): number {
    const table = this.#table;
    resetTable(table);
    const bytes = this.#bytes;
    const end = bytes.length;
    const words = ops.length;
    let codeAt = this.#at;
    let fetchAt = codeAt + (words >>> 1);
    let at = fetchAt + fetchBytes;
    let slot = 0;
    let behind = 0;
    let data = 0;
    let calls = 0;

    for (let i = 0; i < words; i += 2) {
      const code = bytes[codeAt++]!;
      let head = table[slot + HEAD]!;
      const last = table[slot + ADDRESS]!;

      // Most operations are as expected; they get a path without further questions.
      if (code === Expected) {
        ops[i] = head;
        const kind = head & 0xff;
        const address = (last + table[slot + STRIDE]!) | 0;
        if (kind === Fetch) {
          ops[i + 1] = address;
          behind = (address + (head >>> 8)) | 0;
          slot = slotAfterFetch(address);
        } else if (kind === Syscall) {
          ops[i + 1] = calls++;
          slot = slotAfterData(slot);
        } else {
          ops[i + 1] = address;
          table[slot + ADDRESS] = address;
          table[slot + DISTANCE] = address - data;
          data = address;
          slot = slotAfterData(slot);
        }
        continue;
      }

      if (code === Escape) {
        this.#at = at;
        head = this.#varint() | 0;
        at = this.#at;
      } else if (code >= Known) head = heads[(code - Known) >> 1]!;
      const kind = head & 0xff;
      let difference = 0;
      if (hasDifference(code)) {
        let p = kind === Fetch ? fetchAt : at;
        let byte = bytes[p++]!;
        difference = byte & 0x7f;
        for (let shift = 7; byte > 0x7f && p < end; shift += 7) {
          byte = bytes[p++]!;
          difference |= (byte & 0x7f) << shift;
        }
        difference = (difference >>> 1) ^ -(difference & 1);
        if (kind === Fetch) fetchAt = p;
        else at = p;
      }

      ops[i] = head;
      table[slot + HEAD] = head;
      if (kind === Fetch) {
        const address = (behind + difference) | 0;
        ops[i + 1] = address;
        table[slot + ADDRESS] = address;
        table[slot + STRIDE] = 0;
        behind = (address + (head >>> 8)) | 0;
        slot = slotAfterFetch(address);
      } else if (kind === Syscall) {
        ops[i + 1] = calls++;
        slot = slotAfterData(slot);
      } else {
        let address: number;
        if (code === Adjacent) address = (data + table[slot + DISTANCE]!) | 0;
        else if (code === Differs) address = (last + difference) | 0;
        else address = (data + difference) | 0;
        ops[i + 1] = address;
        table[slot + ADDRESS] = address;
        table[slot + STRIDE] = code < Known ? address - last : 0;
        table[slot + DISTANCE] = address - data;
        data = address;
        slot = slotAfterData(slot);
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

function senseless(what: string): RangeError {
  return new RangeError(`the ${what} of the block make no sense`);
}
