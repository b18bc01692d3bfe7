/** The memory of a machine as it is before a run, to be put back before the next one. */

import { PAGE_WORDS, type Pfn } from '../../../shared/address.ts';
import type { Host } from '../../../shared/host.ts';
import { isUnused } from '../../check/guest-memory.ts';
import { eachFrame } from '../../check/violation.ts';
import { PrivateWords } from './private-words.ts';
import { BLOCK_BITS, PAGE_BITS } from './turn.ts';

const BLOCK_WORDS = 1 << BLOCK_BITS;

/** As many are put back one by one in the time of a whole page. */
const FEW_BLOCKS = 8;

/** A page as it is, and as it was. */
interface Page {
  readonly now: Uint32Array;
  readonly was: Uint32Array;
}

export class Beginning {
  /** Of each page, a bit for each block of it that was written since; threads share it. */
  readonly touched: Int32Array;
  readonly #plain: Uint32Array;
  readonly #memory: Uint32Array;
  /** A byte for each frame: 1 for those that were free, and held what free ones are to hold. */
  readonly #unused: Uint8Array;
  /** Those that were ever put back whole. */
  readonly #pages: (Page | undefined)[] = [];
  /** What is written without the leaf, too. */
  readonly #private: readonly PrivateWords[];

  constructor(host: Host) {
    const { plain } = host.words;
    this.#plain = plain;
    this.#memory = plain.slice();
    this.#unused = new Uint8Array(host.layout.totalFrames);
    eachFrame(host, (pfn) => {
      this.#unused[pfn] = isUnused(host, pfn) ? 1 : 0;
    });
    this.#private = host.cpus.map(({ index }) => new PrivateWords(host, index));
    this.touched = new Int32Array(new SharedArrayBuffer(4 * ((plain.length >>> PAGE_BITS) + 1)));
  }

  /** Nobody has written to the frame, so there is no need to look whether it is as it should be. */
  readonly isUnused = (pfn: Pfn): boolean => this.#unused[pfn] === 1 && this.touched[pfn] === 0;

  putBack(): void {
    const { touched } = this;
    for (let page = 0; page < touched.length; page++) {
      const blocks = touched[page]!;
      if (blocks === 0) continue;
      touched[page] = 0;
      if (countOf(blocks) <= FEW_BLOCKS) this.#putBackBlocks(page, blocks);
      else this.#putBackPage(page);
    }
    for (const words of this.#private) words.putBack();
  }

  #putBackBlocks(page: number, blocks: number): void {
    const now = this.#plain;
    const was = this.#memory;
    for (let left = blocks; left !== 0; left &= left - 1) {
      const block = 31 - Math.clz32(left & -left);
      const from = (page << PAGE_BITS) + (block << BLOCK_BITS);
      for (let at = from; at < from + BLOCK_WORDS; at++) now[at] = was[at]!;
    }
  }

  #putBackPage(page: number): void {
    const at = page * PAGE_WORDS;
    this.#pages[page] ??= {
      now: this.#plain.subarray(at, at + PAGE_WORDS),
      was: this.#memory.subarray(at, at + PAGE_WORDS),
    };
    const { now, was } = this.#pages[page];
    now.set(was);
  }
}

function countOf(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}
