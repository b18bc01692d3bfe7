import { assert } from '../../errors.ts';
import {
  BLOCK_OPS,
  Op,
  type OperationBlock,
  type OperationStream,
  type OpKind,
  type Sys,
} from '../program.ts';

/**
 * A stream made in memory, for handwritten programs or those generated from a seed:
 *
 *     new StreamBuilder().fetch(0x1000).store(0x2000).syscall(Sys.exit, 0, NONE).build()
 *
 * Addresses are user virtual addresses (words), sizes are in bytes.
 */
export class StreamBuilder {
  readonly #blocks: OperationBlock[] = [];
  readonly #filler = new BlockFiller((block) => {
    this.#blocks.push({
      count: block.count,
      ops: block.ops.slice(),
      calls: block.calls.slice(),
    });
  });
  #built = false;

  /** Operations so far, which is the position of the next one. */
  get length(): number {
    return this.#filler.length;
  }

  fetch(address: number, size = 4): this {
    return this.access(Op.Fetch, address, size);
  }

  load(address: number, size = 4): this {
    return this.access(Op.Load, address, size);
  }

  store(address: number, size = 4): this {
    return this.access(Op.Store, address, size);
  }

  modify(address: number, size = 4): this {
    return this.access(Op.Modify, address, size);
  }

  locked(address: number, size = 4): this {
    return this.access(Op.Locked, address, size);
  }

  access(kind: OpKind, address: number, size: number): this {
    assert(!this.#built, 'the stream was built and cannot grow');
    assert(kind !== Op.Syscall, 'a system call is no access');
    this.#filler.access(kind, address, size);
    return this;
  }

  /** A call by its number, in Sys or any other, and up to three words of arguments. */
  syscall(nr: (typeof Sys)[keyof typeof Sys] | number, a = 0, b = 0, c = 0): this {
    assert(!this.#built, 'the stream was built and cannot grow');
    this.#filler.syscall(nr, a, b, c);
    return this;
  }

  /** The finished stream; the builder cannot be used after. */
  build(): OperationStream {
    assert(!this.#built, 'a stream is built once');
    this.#built = true;
    this.#filler.finish();
    return memoryStream(this.length, this.#blocks);
  }
}

/** A stream over blocks that are all in memory. */
function memoryStream(length: number, blocks: readonly OperationBlock[]): OperationStream {
  return {
    length,
    block(index) {
      const block = blocks[index];
      assert(block !== undefined, `the stream has ${blocks.length} blocks, not a block ${index}`);
      return block;
    },
  };
}

/**
 * Cuts a sequence of operations into blocks of BLOCK_OPS. The block handed to `emit`
 * is valid during the call only: its arrays are filled again.
 */
export class BlockFiller {
  readonly #emit: (block: OperationBlock) => void;
  readonly #ops = new Uint32Array(2 * BLOCK_OPS);
  #calls = new Uint32Array(64);
  #count = 0;
  #callCount = 0;
  #emitted = 0;

  constructor(emit: (block: OperationBlock) => void) {
    this.#emit = emit;
  }

  /** Operations so far, those not yet emitted included. */
  get length(): number {
    return this.#emitted + this.#count;
  }

  access(kind: OpKind, address: number, size: number): void {
    const at = 2 * this.#count++;
    this.#ops[at] = kind | (size << 8);
    this.#ops[at + 1] = address;
    if (this.#count === BLOCK_OPS) this.finish();
  }

  syscall(nr: number, a: number, b: number, c: number): void {
    const at = 4 * this.#callCount;
    if (at === this.#calls.length) {
      const more = new Uint32Array(2 * at);
      more.set(this.#calls);
      this.#calls = more;
    }
    this.#calls[at] = nr;
    this.#calls[at + 1] = a;
    this.#calls[at + 2] = b;
    this.#calls[at + 3] = c;
    this.access(Op.Syscall, this.#callCount++, 0);
  }

  /** Emits what is left; the last block of a stream is the only one that may be short. */
  finish(): void {
    if (this.#count === 0) return;
    const block = {
      count: this.#count,
      ops: this.#ops.subarray(0, 2 * this.#count),
      calls: this.#calls.subarray(0, 4 * this.#callCount),
    };
    this.#emitted += this.#count;
    this.#count = 0;
    this.#callCount = 0;
    this.#emit(block);
  }
}
