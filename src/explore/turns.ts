/** Turns of the event loop between runs: in them Ctrl-C is heard, and progress shown. */

import { monotonicMs, nextTurn } from '../platform.ts';

const MS = 50;

export class Turns {
  #last = monotonicMs();

  /** If one is due: runs may be short or long. */
  async take(): Promise<void> {
    if (monotonicMs() - this.#last < MS) return;
    await nextTurn();
    this.#last = monotonicMs();
  }
}
