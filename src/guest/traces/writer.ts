import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { constants, crc32, deflateRawSync } from 'node:zlib';
import { assert, UserError } from '../../errors.ts';
import { type WholeFile, wholeFile } from '../../files.ts';
import { Op, type OperationBlock, type OpKind, type Program } from '../program.ts';
import { BlockFiller } from './builder.ts';
import { BlockEncoder } from './encode.ts';
import {
  header,
  KINDS,
  type ProcessIndex,
  type StreamIndex,
  type TraceIndex,
  trailer,
} from './format.ts';

/**
 * Writes one trace file. All goes to a file beside it that takes its name at the
 * end, so that the name never stands for half a trace.
 */
export class TraceWriter {
  readonly #path: string;
  readonly #file: WholeFile;
  readonly #encoder = new BlockEncoder();
  #fd: number | undefined;
  #offset = 0;

  /** UserError if the file cannot be made there. */
  constructor(path: string) {
    this.#path = path;
    this.#file = wholeFile(path);
    this.#fd = this.#attempt(() => openSync(this.#file.path, 'w'));
    this.#write(header());
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#offset;
  }

  /** A stream to fill; several may be filled at the same time, in any order. */
  stream(): StreamWriter {
    return new StreamWriter((block) => this.#append(block));
  }

  /** Writes the index and gives the file its name. */
  finish(index: TraceIndex): void {
    const json = Buffer.from(JSON.stringify(index));
    const bytes = deflate(json);
    const offset = this.#offset;
    this.#write(bytes);
    this.#write(
      trailer({
        offset,
        length: bytes.length,
        inflatedLength: json.length,
        crc: crc32(bytes),
      }),
    );
    this.#attempt(() => {
      if (!this.#file.special) fsyncSync(this.#fd!);
      closeSync(this.#fd!);
      this.#fd = undefined;
      this.#file.keep();
    });
  }

  /** Removes what was written; without effect after finish(). */
  abort(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#file.discard();
  }

  #append(block: OperationBlock): readonly [number, number, number, number] {
    const raw = this.#encoder.encode(block);
    const bytes = deflate(raw);
    const entry = [this.#offset, bytes.length, raw.length, crc32(bytes)] as const;
    this.#write(bytes);
    return entry;
  }

  #write(bytes: Uint8Array): void {
    assert(this.#fd !== undefined, 'the trace is finished or given up');
    const fd = this.#fd;
    let done = 0;
    while (done < bytes.length) {
      done += this.#attempt(() => writeSync(fd, bytes, done, bytes.length - done));
    }
    this.#offset += bytes.length;
  }

  #attempt<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      this.abort();
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      throw new UserError(
        `${this.#path} cannot be written: ${message}. Name an output file in a directory that ` +
          'exists, that you may write to and that has room.',
      );
    }
  }
}

/** One thread's operations on their way into the file. */
export class StreamWriter extends BlockFiller {
  readonly #counts: number[];
  readonly #blocks: number[];

  constructor(append: (block: OperationBlock) => readonly number[]) {
    const counts = new Array<number>(KINDS).fill(0);
    const blocks: number[] = [];
    let length = 0;
    super((block) => {
      length += block.count;
      if (length >= 2 ** 32) {
        throw new UserError(
          'a thread of the trace has 2^32 operations or more, and a place in a stream is one ' +
            '32-bit word. Cut the trace, or trace a shorter run.',
        );
      }
      for (let i = 0; i < block.count; i++) counts[block.ops[2 * i]! & 0xff]!++;
      blocks.push(...append(block));
    });
    this.#counts = counts;
    this.#blocks = blocks;
  }

  /** Ends the stream. LIMIT: fewer than 2^32 operations, since a position is one word. */
  index(): StreamIndex {
    this.finish();
    return { length: this.length, counts: this.#counts, blocks: this.#blocks };
  }
}

/** Writes any program as a trace file: a generated one, or one that was edited. */
export function writeProgram(program: Program, path: string): void {
  const writer = new TraceWriter(path);
  try {
    const processes = program.processes.map((process): ProcessIndex => {
      const threads = process.threads.map((stream) => {
        const out = writer.stream();
        let position = 0;
        for (let b = 0; position < stream.length; b++) {
          const { count, ops, calls } = stream.block(b);
          for (let i = 0; i < count; i++) {
            const head = ops[2 * i]!;
            const address = ops[2 * i + 1]!;
            if ((head & 0xff) === Op.Syscall) {
              const k = 4 * address;
              out.syscall(calls[k]!, calls[k + 1]!, calls[k + 2]!, calls[k + 3]!);
            } else {
              out.access((head & 0xff) as OpKind, address, head >>> 8);
            }
          }
          position += count;
        }
        return out.index();
      });
      return {
        command: process.command,
        regions: process.regions.map((r) => [r.start, r.end, r.prot] as const),
        ...(process.brk === undefined ? {} : { brk: process.brk }),
        folds: [],
        threads,
        ...(process.order === undefined ? {} : { order: process.order }),
      };
    });
    writer.finish({ name: program.name, sources: [], processes });
  } catch (error) {
    writer.abort();
    throw error;
  }
}

function deflate(bytes: Uint8Array): Uint8Array {
  return deflateRawSync(bytes, { level: constants.Z_BEST_COMPRESSION, memLevel: 9 });
}
