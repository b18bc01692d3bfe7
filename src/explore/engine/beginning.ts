/** A snapshot of a machine's memory before the first run, restored before each further one. */

import type { Host } from '../../../shared/host.ts';
import { isUnused } from '../../check/guest-memory.ts';
import { eachFrame } from '../../check/violation.ts';
import { PAGE_WORDS, type Pfn } from '../../hardware/address.ts';
import { PrivateWords } from './private-words.ts';
import { Snapshot } from './snapshot.ts';

export class Beginning {
  /** For each page, 1 if it was written since; threads share it. */
  readonly touched: Uint8Array;
  readonly #snapshot: Snapshot;
  /** A byte for each frame: 1 for those that were free and filled with poison. */
  readonly #unused: Uint8Array;
  /** Words that are also written without the leaf. */
  readonly #private: readonly PrivateWords[];

  constructor(host: Host) {
    const { memory, plain } = host.words;
    this.#snapshot = new Snapshot(memory);
    this.#snapshot.keep(0, plain.length);
    this.#unused = new Uint8Array(host.layout.totalFrames);
    eachFrame(host, (pfn) => {
      this.#unused[pfn] = isUnused(host, pfn) ? 1 : 0;
    });
    this.#private = host.cpus.map(({ index }) => new PrivateWords(host, index, this.#snapshot));
    this.touched = new Uint8Array(new SharedArrayBuffer(plain.length / PAGE_WORDS));
  }

  /** The frame was not written, so its poison need not be checked. */
  readonly isUnused = (pfn: Pfn): boolean => this.#unused[pfn] === 1 && this.touched[pfn] === 0;

  putBack(): void {
    const { touched } = this;
    for (let page = 0; page < touched.length; page++) {
      if (touched[page] === 0) continue;
      touched[page] = 0;
      this.#snapshot.putBack(page * PAGE_WORDS, PAGE_WORDS);
    }
    for (const words of this.#private) words.putBack();
  }
}
