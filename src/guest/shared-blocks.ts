/** The decoded blocks of a machine's programs, as its guests' software asks for them. */

import { type DecodedBlock, DecodedBlocks } from '../../shared/decoded-blocks.ts';
import type { Host } from '../../shared/host.ts';
import { BLOCK_OPS, type OperationStream, type Program } from './program.ts';

/** Streams that are decoded, with the number of the first block of each; all threads agree. */
function numbered(programs: readonly Program[]) {
  const firsts = new Map<OperationStream, number>();
  let blocks = 0;
  for (const stream of programs.flatMap(({ processes }) =>
    processes.flatMap((one) => one.threads),
  )) {
    if (stream.decode === undefined || firsts.has(stream)) continue;
    firsts.set(stream, blocks);
    blocks += Math.ceil(stream.length / BLOCK_OPS);
  }
  return { firsts, blocks };
}

/** How many blocks there are to share. */
export const blocksOf = (programs: readonly Program[]): number => numbered(programs).blocks;

export interface BlockFinder {
  /** Block `index`, to be asked for again rather than kept; undefined where the stream must say. */
  find(stream: OperationStream, index: number): DecodedBlock | undefined;
}

export class SharedBlocks implements BlockFinder {
  readonly #firsts: ReadonlyMap<OperationStream, number>;
  readonly #decoded: DecodedBlocks;

  constructor(host: Host, programs: readonly Program[]) {
    this.#firsts = numbered(programs).firsts;
    this.#decoded = new DecodedBlocks(host.words, host.layout, host.thisCpu);
  }

  find(stream: OperationStream, index: number): DecodedBlock | undefined {
    const first = this.#firsts.get(stream);
    if (first === undefined) return undefined;
    const count = Math.min(BLOCK_OPS, stream.length - index * BLOCK_OPS);
    return this.#decoded.find(first + index, count, (ops) => stream.decode!(index, ops));
  }
}
