/** The memory of a machine as it is before a run, to be put back before the next one. */

import { PAGE_WORDS, type Pfn } from '../../../shared/address.ts';
import type { Host } from '../../../shared/host.ts';
import { isUnused } from '../../check/guest-memory.ts';
import { eachFrame } from '../../check/violation.ts';
import { PrivateWords } from './private-words.ts';
import { Turn } from './turn.ts';

/** A page as it is, and as it was. */
interface Page {
  readonly now: Uint32Array;
  readonly was: Uint32Array;
}

export class Beginning {
  /** Pages that were written since; threads share it. */
  readonly touched: Uint8Array;
  readonly #plain: Uint32Array;
  readonly #memory: Uint32Array;
  /** A byte for each frame: 1 for those that were free, and held what free ones are to hold. */
  readonly #unused: Uint8Array;
  /** Those that were ever touched. */
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
    this.touched = new Uint8Array(new SharedArrayBuffer(Turn.pagesOf(plain)));
  }

  /** Nobody has written to the frame, so there is no need to look whether it is as it should be. */
  readonly isUnused = (pfn: Pfn): boolean => this.#unused[pfn] === 1 && this.touched[pfn] === 0;

  putBack(): void {
    const { touched } = this;
    for (let page = 0; page < touched.length; page++) {
      if (touched[page] === 0) continue;
      touched[page] = 0;
      const { now, was } = this.#page(page);
      now.set(was);
    }
    for (const words of this.#private) words.putBack();
  }

  #page(page: number): Page {
    const at = page * PAGE_WORDS;
    this.#pages[page] ??= {
      now: this.#plain.subarray(at, at + PAGE_WORDS),
      was: this.#memory.subarray(at, at + PAGE_WORDS),
    };
    return this.#pages[page];
  }
}
