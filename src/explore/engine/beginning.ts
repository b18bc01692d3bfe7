/** The memory of a machine as it is before a run, to be put back before the next one. */

import { PAGE_WORDS } from '../../../shared/address.ts';
import type { Host } from '../../../shared/host.ts';
import { Turn } from './turn.ts';

export class Beginning {
  /** Pages that were written since; threads share it. */
  readonly touched: Uint8Array;
  readonly #plain: Uint32Array;
  readonly #memory: Uint32Array;
  /** The host's own records come first, and are written without the leaf, too. */
  readonly #records: number;

  constructor({ words, layout }: Host) {
    this.#plain = words.plain;
    this.#memory = words.plain.slice();
    this.#records = layout.firstFrame * PAGE_WORDS;
    this.touched = new Uint8Array(new SharedArrayBuffer(Turn.pagesOf(words.plain)));
  }

  putBack(): void {
    const { touched } = this;
    this.#plain.set(this.#memory.subarray(0, this.#records));
    for (let page = touched.indexOf(1); page >= 0; page = touched.indexOf(1, page + 1)) {
      const at = page * PAGE_WORDS;
      this.#plain.set(this.#memory.subarray(at, at + PAGE_WORDS), at);
      touched[page] = 0;
    }
  }
}
