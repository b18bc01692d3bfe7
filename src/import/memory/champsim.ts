/**
 * Traces for ChampSim: records of an instruction each, as inc/trace_instruction.h has them.
 *
 *     u64 ip; u8 is_branch, taken, destination_registers[2], source_registers[4];
 *     u64 destination_memory[2], source_memory[4]
 *
 * That is 64 bytes; versions with a load_type behind have 72. An address of 0 is none.
 */

import { UserError } from '../../errors.ts';
import { Op } from '../../guest/program.ts';
import { type MemorySink, USUAL_SIZE } from './sink.ts';

const RECORD_SIZES = [64, 72] as const;

const DESTINATIONS = [16, 24];
const SOURCES = [32, 40, 48, 56];

/** As many must fit for bytes to be told for such a trace. */
const TELLING_RECORDS = 4;

/** Bytes of a record, by the beginning of a file; undefined if it is no such trace. */
export const champSimRecord = (head: Uint8Array): number | undefined =>
  RECORD_SIZES.find((bytes) => {
    const records = Math.floor(head.length / bytes);
    const isRecord = (_: unknown, i: number) => fits(head.subarray(i * bytes, (i + 1) * bytes));
    return records >= TELLING_RECORDS && Array.from({ length: records }).every(isRecord);
  });

const fits = (record: Uint8Array): boolean =>
  record.subarray(0, 8).some((byte) => byte !== 0) && record[8]! <= 1 && record[9]! <= 1;

/** Takes chunks of any size, and keeps at most one unfinished record. */
export class ChampSimReader {
  readonly #file: string;
  readonly #sink: MemorySink;
  readonly #bytes: number;
  #rest: Uint8Array = new Uint8Array(0);
  #records = 0;

  /** `bytes`: of a record. */
  constructor(file: string, sink: MemorySink, bytes: number) {
    this.#file = file;
    this.#sink = sink;
    this.#bytes = bytes;
    sink.note(
      `Records of ${bytes} bytes. The format says no sizes: each access has ${USUAL_SIZE} bytes.`,
    );
  }

  /** UserError at a record that is none. `goesOn` is asked before each. */
  push(chunk: Uint8Array, goesOn: () => boolean): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    for (; at + this.#bytes <= bytes.length && goesOn(); at += this.#bytes) {
      if (!fits(bytes.subarray(at, at + 10))) {
        const [branch, taken] = [bytes[at + 8], bytes[at + 9]];
        throw this.#error(
          `found is_branch ${branch} and taken ${taken}, expected an address that is not ` +
            '0, and 0 or 1 of each',
        );
      }
      this.#record(words, at);
      this.#records++;
    }
    this.#rest = Uint8Array.prototype.slice.call(bytes, at);
  }

  /** The file is at its end. UserError if it is in the middle of a record. */
  end(): void {
    if (this.#rest.length === 0) return;
    throw this.#error(
      `found ${this.#rest.length} bytes and then nothing, expected ${this.#bytes}: the ` +
        'file was cut short. Copy or make it again, or leave the rest out with --limit',
    );
  }

  #record(words: DataView, at: number): void {
    const low = (offset: number): number => words.getUint32(at + offset, true);
    const high = (offset: number): number => words.getUint32(at + offset + 4, true);
    const put = (
      kind: typeof Op.Fetch | typeof Op.Load | typeof Op.Store,
      offset: number,
    ): void => {
      if (low(offset) !== 0 || high(offset) !== 0) {
        this.#sink.access(kind, high(offset), low(offset), USUAL_SIZE);
      }
    };
    put(Op.Fetch, 0);
    for (const offset of SOURCES) put(Op.Load, offset);
    for (const offset of DESTINATIONS) put(Op.Store, offset);
  }

  #error(what: string): UserError {
    const at = this.#records * this.#bytes;
    return new UserError(`${this.#file}: record ${this.#records + 1}, at byte ${at}: ${what}`);
  }
}
