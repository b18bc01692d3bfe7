/**
 * The file behind `.umbra`, all numbers little-endian:
 *
 *     magic, 8 bytes · version, 4 bytes
 *     blocks: deflated, in the order in which they were filled
 *     index: deflated JSON (TraceIndex)
 *     index offset, 8 bytes · length, 4 · length inflated, 4 · CRC-32, 4 · magic, 8
 *
 * The index is last so that a trace of any length is written in one pass, and the
 * closing magic is what a file that was cut short lacks.
 */

import { UserError } from '../../errors.ts';
import { crc32, inflateRawTo } from '../../platform.ts';
import type { ProcessOrder } from '../program.ts';

/** The line ends catch a transfer that translated them, as in PNG. */
export const MAGIC = Uint8Array.from([0x55, 0x4d, 0x42, 0x52, 0x41, 0x1a, 0x0d, 0x0a]);
export const VERSION = 2;
export const HEADER_BYTES = 12;
export const TRAILER_BYTES = 28;

/** Kinds of operation, in the order of Op, as counted for each stream. */
export const KINDS = 6;

export interface TraceIndex {
  /** The program, for people. */
  readonly name: string;
  /** Base names of the files it was imported from. */
  readonly sources: readonly string[];
  readonly processes: readonly ProcessIndex[];
}

export interface ProcessIndex {
  readonly command: string;
  /** Start, end (exclusive) and Prot of each region, sorted. */
  readonly regions: readonly (readonly [number, number, number])[];
  readonly brk?: number;
  readonly folds: readonly Fold[];
  readonly threads: readonly StreamIndex[];
  /** Of several threads. Files of before it was written lack it: the calls in them tell as much. */
  readonly order?: ProcessOrder;
}

/** A range of original addresses that was moved to where the guest has room. */
export interface Fold {
  /** Original address in hexadecimal: it may have 64 bits. */
  readonly from: string;
  /** Address in the guest. */
  readonly to: number;
  /** Bytes. */
  readonly length: number;
}

export interface StreamIndex {
  /** Operations. */
  readonly length: number;
  /** Operations of each kind, by Op. */
  readonly counts: readonly number[];
  /** Offset, bytes in the file, bytes inflated and CRC-32 of each block, one after the other. */
  readonly blocks: readonly number[];
}

/** Offset and length of the index, from the end of the file. */
export interface Trailer {
  readonly offset: number;
  readonly length: number;
  readonly inflatedLength: number;
  readonly crc: number;
}

export function header(): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint32(8, VERSION, true);
  return bytes;
}

export function trailer(fields: Trailer): Uint8Array {
  const bytes = new Uint8Array(TRAILER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(fields.offset), true);
  view.setUint32(8, fields.length, true);
  view.setUint32(12, fields.inflatedLength, true);
  view.setUint32(16, fields.crc, true);
  bytes.set(MAGIC, 20);
  return bytes;
}

/** Undefined if the bytes are not the end of a complete file of `fileBytes`. */
export function parseTrailer(bytes: Uint8Array, fileBytes: number): Trailer | undefined {
  if (bytes.length !== TRAILER_BYTES || !startsWithMagic(bytes.subarray(20))) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const offset = Number(view.getBigUint64(0, true));
  const length = view.getUint32(8, true);
  if (offset < HEADER_BYTES || offset + length + TRAILER_BYTES !== fileBytes) return undefined;
  return {
    offset,
    length,
    inflatedLength: view.getUint32(12, true),
    crc: view.getUint32(16, true),
  };
}

export function startsWithMagic(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

export function versionOf(head: Uint8Array): number {
  return new DataView(head.buffer, head.byteOffset, head.length).getUint32(8, true);
}

/**
 * Checks and inflates `bytes`; `what` and `path` are for the message. UserError if
 * they are not the bytes that were written.
 */
export function inflateChecked(
  bytes: Uint8Array,
  inflatedLength: number,
  crc: number,
  what: string,
  path: string,
): Uint8Array {
  if (crc32(bytes) === crc) {
    try {
      const inflated = inflateRawTo(bytes, inflatedLength);
      if (inflated.length === inflatedLength) return inflated;
    } catch {
      // Said below: a right checksum over bytes that do not inflate is damage too.
    }
  }
  throw damaged(path, `the checksum of ${what} is wrong`);
}

/** The message for any file that is not as it was written. */
export function damaged(path: string, what: string): UserError {
  return new UserError(
    `${path}: ${what}: the file was damaged or cut short after it was written. Copy it again from where ` +
      'it was whole, or import the lackey trace again with `umbra import lackey`.',
  );
}
