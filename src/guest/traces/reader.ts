import { assert, UserError } from '../../errors.ts';
import { type OpenFile, openFile } from '../../platform.ts';
import {
  BLOCK_OPS,
  Op,
  type OperationBlock,
  type OperationStream,
  type ProcessImage,
  type Program,
} from '../program.ts';
import { BlockDecoder } from './decode.ts';
import {
  damaged,
  HEADER_BYTES,
  inflateChecked,
  type ProcessIndex,
  parseTrailer,
  type StreamIndex,
  startsWithMagic,
  TRAILER_BYTES,
  type TraceIndex,
  VERSION,
  versionOf,
} from './format.ts';
import { orderOf } from './order.ts';

/** A program read from a file, block by block as it is asked for. */
export interface TraceProgram extends Program {
  /** The file's metadata: counts, sources, folded addresses. */
  readonly index: TraceIndex;
  /** Closes the file; blocks already handed out stay valid. */
  close(): void;
}

/**
 * Opens a trace file. Nothing is shared between two openings, so every worker
 * thread opens its own. UserError if the file is missing, not a trace, of another
 * version, cut short or damaged; a damaged block is found when it is first read.
 */
export function openProgram(path: string): TraceProgram {
  const file = new TraceFile(path);
  try {
    const index = readIndex(file);
    const decoder = new BlockDecoder();
    const counts = index.processes.flatMap(({ threads }) => threads.map((one) => one.counts));
    return {
      name: index.name,
      index,
      ...(isImported(index) ? { accesses: sumOf(counts.map(accessesIn)) } : {}),
      processes: index.processes.map((process) => {
        const threads = process.threads.map((stream) => new FileStream(file, decoder, stream));
        return imageOf(process, threads, isImported(index));
      }),
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

function imageOf(
  process: ProcessIndex,
  threads: readonly OperationStream[],
  imported: boolean,
): ProcessImage {
  let { order } = process;
  return {
    command: process.command,
    regions: process.regions.map(([start, end, prot]) => ({ start, end, prot })),
    ...(process.brk === undefined ? {} : { brk: process.brk }),
    threads,
    // Only several vCPUs ask for it, and if the index lacks it, it takes a reading of all calls.
    get order() {
      if (imported) order ??= orderOf(threads);
      return order;
    },
  };
}

/**
 * The trace of a real run, in which each process is started once and each thread runs to its end.
 */
const isImported = ({ sources }: TraceIndex): boolean => sources.length > 0;

const accessesIn = (counts: readonly number[]): number => sumOf(counts.slice(0, Op.Syscall));

const sumOf = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function readIndex(file: TraceFile): TraceIndex {
  const { path, size } = file;
  const head = file.read(0, Math.min(HEADER_BYTES, size));
  if (!startsWithMagic(head)) {
    throw new UserError(
      `${path} is not a trace file of umbra: it does not begin with the bytes of one. If it is a ` +
        `lackey trace, import it first with \`umbra import lackey ${path} -o OUT.umbra\`.`,
    );
  }
  if (size < HEADER_BYTES + TRAILER_BYTES) throw damaged(path, 'its end is missing');
  const version = versionOf(head);
  if (version !== VERSION) {
    throw new UserError(
      `${path} is a trace file of version ${version}; this umbra reads version ${VERSION}. ` +
        'Import the lackey trace again with `umbra import lackey`.',
    );
  }
  const trailer = parseTrailer(file.read(size - TRAILER_BYTES, TRAILER_BYTES), size);
  if (trailer === undefined) throw damaged(path, 'its end is missing');
  const json = inflateChecked(
    file.read(trailer.offset, trailer.length),
    trailer.inflatedLength,
    trailer.crc,
    'the index',
    path,
  );
  return JSON.parse(new TextDecoder().decode(json)) as TraceIndex;
}

/**
 * Decoded blocks kept for each stream. Threads of several guests may run the same
 * stream in one worker, each in its own block. The one that was asked for least recently goes,
 * and its memory is the next one's: fresh memory costs as much as a fifth of the decoding.
 */
const CACHED_BLOCKS = 4;

class FileStream implements OperationStream {
  readonly length: number;
  readonly #file: TraceFile;
  readonly #decoder: BlockDecoder;
  readonly #blocks: readonly number[];
  /** Most recently used first. */
  readonly #cache: { index: number; block: OperationBlock }[] = [];

  constructor(file: TraceFile, decoder: BlockDecoder, index: StreamIndex) {
    this.length = index.length;
    this.#file = file;
    this.#decoder = decoder;
    this.#blocks = index.blocks;
  }

  block(index: number): OperationBlock {
    const cache = this.#cache;
    for (let i = 0; i < cache.length; i++) {
      const entry = cache[i]!;
      if (entry.index === index) {
        if (i > 0) {
          cache.splice(i, 1);
          cache.unshift(entry);
        }
        return entry.block;
      }
    }
    const evicted = cache.length === CACHED_BLOCKS ? cache.pop() : undefined;
    const block = this.#read(index, evicted?.block.ops);
    cache.unshift({ index, block });
    return block;
  }

  decode(index: number, ops: Uint32Array): Uint32Array {
    return this.#read(index, ops).calls;
  }

  #read(index: number, spare?: Uint32Array): OperationBlock {
    const count = Math.min(BLOCK_OPS, this.length - index * BLOCK_OPS);
    assert(index >= 0 && count > 0, `a stream of ${this.length} operations has no block ${index}`);
    const { path } = this.#file;
    const [offset, length, inflatedLength, crc] = this.#blocks.slice(4 * index, 4 * index + 4);
    const what = `block ${index}, at byte ${offset},`;
    const bytes = this.#file.read(offset!, length!);
    const raw = inflateChecked(bytes, inflatedLength!, crc!, what, path);
    const block = this.#decoder.decode(raw, spare);
    assert(block.count === count, `${what} of ${path} holds ${block.count} operations`);
    return block;
  }
}

const GIVE_ONE =
  'Give the path of a .umbra file; `umbra import lackey` makes one from a lackey trace.';

class TraceFile {
  readonly path: string;
  /** Bytes, when it was opened. */
  readonly size: number;
  #file: OpenFile | undefined;

  constructor(path: string) {
    this.path = path;
    try {
      this.#file = openFile(path);
    } catch (error) {
      throw new UserError(`${path} cannot be opened: ${(error as Error).message}. ${GIVE_ONE}`);
    }
    const { size } = this.#file;
    if (size === undefined) {
      this.close();
      throw new UserError(`${path} is not a file. ${GIVE_ONE}`);
    }
    this.size = size;
  }

  /** UserError if the file has become shorter since it was opened. */
  read(offset: number, length: number): Uint8Array {
    assert(this.#file !== undefined, `${this.path} was closed and is still read`);
    const bytes = this.#file.read(offset, length);
    if (bytes.length < length) throw damaged(this.path, 'its end is missing');
    return bytes;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
