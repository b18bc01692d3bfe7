import { UserError } from '../errors.ts';
import { Op, type OpKind } from '../guest/program.ts';

/** What a trace says, in its order. */
export interface LineSink {
  /** One access. The original address is high × 2^32 + low; `size` is 1 … MAX_ACCESS bytes. */
  access(kind: OpKind, high: number, low: number, size: number): void;
  /** Any other line, without its end. Returns whether it was understood. */
  message(text: string): boolean;
}

/** LIMIT: bytes of one access. Lackey's largest are state saves of a few hundred. */
export const MAX_ACCESS = 4096;

/** LIMIT: bytes of one line; a path in a system call may have 4,096. */
const MAX_LINE = 1 << 16;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const COMMA = 0x2c;
const LETTER_I = 0x49;

/** 0 … 15 for a hexadecimal digit, 255 for any other byte. */
const HEX = new Uint8Array(256).fill(255);
for (let d = 0; d < 16; d++) {
  HEX[d.toString(16).charCodeAt(0)] = d;
  HEX[d.toString(16).toUpperCase().charCodeAt(0)] = d;
}

/** Kinds by the letter of the line, 255 for any other. */
const DATA_KIND = new Uint8Array(256).fill(255);
DATA_KIND['L'.charCodeAt(0)] = Op.Load;
DATA_KIND['S'.charCodeAt(0)] = Op.Store;
DATA_KIND['M'.charCodeAt(0)] = Op.Modify;

/** Where in which file the import stands; every complaint begins with it. */
export class Place {
  readonly file: string;
  /** From 1; 0 before the first. */
  line = 0;

  constructor(file: string) {
    this.file = file;
  }

  /** A UserError at this line; `column` from 1. */
  error(message: string, column = 1): UserError {
    return new UserError(`${this.file}:${this.line}:${column}: ${message}`);
  }
}

/** Lines that lackey did not write and that were skipped. */
export interface StrayLines {
  count: number;
  /** Line and text of the first. */
  first?: { readonly line: number; readonly text: string };
}

/**
 * Splits a trace into lines and reads the accesses among them. Takes chunks of any
 * size and keeps at most one unfinished line, so the length of a trace is no matter.
 */
export class LineParser {
  readonly #sink: LineSink;
  readonly #place: Place;
  readonly #stray: StrayLines | undefined;
  #rest: Uint8Array = new Uint8Array(0);
  /** In a line that is too long, and whose beginning was skipped. */
  #inStrayLine = false;

  /** With `stray`, lines that no lackey trace has are counted there and skipped. */
  constructor(sink: LineSink, place: Place, stray?: StrayLines) {
    this.#sink = sink;
    this.#place = place;
    this.#stray = stray;
  }

  /** UserError at the first line that no lackey trace has, unless such lines are skipped. */
  push(chunk: Uint8Array): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (this.#inStrayLine) {
      const newline = bytes.indexOf(NEWLINE);
      if (newline < 0) return;
      this.#inStrayLine = false;
      bytes = bytes.subarray(newline + 1);
    }
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    this.#lines(bytes, end);
    // A copy: a Buffer's own slice would keep the whole chunk.
    this.#rest = Uint8Array.prototype.slice.call(bytes, end);
    if (this.#rest.length > MAX_LINE) {
      this.#place.line++;
      this.#malformed(this.#rest, 0, 0, MAX_LINE, 'the end of the line');
      this.#rest = new Uint8Array(0);
      this.#inStrayLine = true;
    }
  }

  /**
   * The trace ends here. UserError if it does in the middle of a line, unless that is a
   * system call: execve of a program that valgrind does not follow never comes back.
   */
  end(): void {
    if (this.#rest.length === 0) return;
    this.#place.line++;
    const text = Buffer.from(this.#rest).toString();
    if (text.startsWith('SYSCALL[') && this.#sink.message(text)) return;
    if (this.#skipped(this.#rest)) return;
    throw this.#place.error(
      `found ${quote(this.#rest)} and then nothing, expected the end of the line. The ` +
        'trace was cut short, or its program was killed. Make it again, or leave this line ' +
        `out: with --skip-stray-lines, or by head -n ${this.#place.line - 1}.`,
    );
  }

  /** All lines up to `end`, which is behind the end of a line. The loop that import waits for. */
  #lines(bytes: Uint8Array, end: number): void {
    const sink = this.#sink;
    const place = this.#place;
    let at = 0;
    while (at < end) {
      const start = at;
      place.line++;
      let kind = 255;
      if (bytes[at] === SPACE) kind = DATA_KIND[bytes[at + 1]!]!;
      else if (bytes[at] === LETTER_I && bytes[at + 1] === SPACE) kind = Op.Fetch;
      // The traces of the CS:APP cache lab are lackey's, but for a space less here.
      const isShort = kind === Op.Fetch && HEX[bytes[at + 2]!]! < 16;
      if (kind === 255 || (bytes[at + 2] !== SPACE && !isShort)) {
        at = bytes.indexOf(NEWLINE, start) + 1;
        this.#message(bytes, start, at - 1);
        continue;
      }

      at += isShort ? 2 : 3;
      let high = 0;
      let low = 0;
      const digits = at;
      for (let d = HEX[bytes[at]!]!; d < 16; d = HEX[bytes[++at]!]!) {
        high = (high << 4) | (low >>> 28);
        low = (low << 4) | d;
      }
      if (at === digits || at > digits + 16) {
        const column = at === digits ? at : digits + 16;
        at = this.#malformed(bytes, start, column, end, 'an address of 1 to 16 hex digits');
        continue;
      }
      if (bytes[at] !== COMMA) {
        at = this.#malformed(bytes, start, at, end, "',' and a size");
        continue;
      }
      at++;
      let size = 0;
      const sizeAt = at;
      for (let d = bytes[at]! - 0x30; d >= 0 && d <= 9; d = bytes[++at]! - 0x30) {
        size = Math.min(size * 10 + d, MAX_ACCESS + 1);
      }
      if (size < 1 || size > MAX_ACCESS) {
        at = this.#malformed(bytes, start, sizeAt, end, `a size of 1 to ${MAX_ACCESS} bytes`);
        continue;
      }
      if (bytes[at] === RETURN) at++;
      if (bytes[at] !== NEWLINE) {
        at = this.#malformed(bytes, start, at, end, 'the end of the line');
        continue;
      }
      at++;
      sink.access(kind as OpKind, high >>> 0, low >>> 0, size);
    }
  }

  #message(bytes: Uint8Array, start: number, end: number): void {
    const stop = end > start && bytes[end - 1] === RETURN ? end - 1 : end;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, stop - start).toString();
    if (this.#sink.message(text)) return;
    if (text.startsWith('SB ') && this.#stray === undefined) {
      throw this.#place.error(
        `found ${quote(bytes.subarray(start, stop))}, an entered superblock, which says ` +
          "nothing of memory; expected an access or a line of valgrind's. Make the trace " +
          `again without --trace-superblocks: valgrind --tool=lackey ${OPTIONS} ` +
          '--log-file=NAME.%p COMMAND. Or leave such lines out with --skip-stray-lines.',
      );
    }
    this.#malformed(bytes, start, start, end, 'a line of a lackey trace');
  }

  /**
   * A line that begins at `start` is wrong at `at`. Returns where the next begins, if it is
   * skipped.
   */
  #malformed(bytes: Uint8Array, start: number, at: number, end: number, expected: string): number {
    const newline = bytes.indexOf(NEWLINE, at);
    const stop = newline < 0 || newline > end ? end : newline;
    if (this.#skipped(bytes.subarray(start, stop))) return stop + 1;
    const found = at < stop ? quote(bytes.subarray(at, stop)) : 'the end of the line';
    throw this.#place.error(
      `found ${found}, expected ${expected}. A trace has lines like "I  04001000,3" or " S ` +
        `befff820,4" beside valgrind's own; if the program's own output got into it, leave ` +
        'that out with --skip-stray-lines, or make it again with a log file: valgrind ' +
        `--tool=lackey ${OPTIONS} --log-file=NAME.%p COMMAND.`,
      at - start + 1,
    );
  }

  /** Counts a line that is wrong, if such lines are skipped. */
  #skipped(bytes: Uint8Array): boolean {
    const stray = this.#stray;
    if (stray === undefined) return false;
    stray.count++;
    stray.first ??= { line: this.#place.line, text: quote(bytes) };
    return true;
  }
}

/** The options whose output the importer reads. */
export const OPTIONS = '--trace-mem=yes --trace-syscalls=yes --trace-sched=yes';

/** The text found, shortened, with unprintable characters escaped. */
export function quote(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 160)).toString();
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
