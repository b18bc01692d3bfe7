/** How a cost grows: the same work on machines of several sizes, in doubling steps. */

import type { Side } from '../pair.ts';

export interface Sweep {
  /** What is measured, by what; `--filter` looks here. */
  readonly name: string;
  /** What the sizes are of. */
  readonly over: string;
  readonly unit: 'ns' | 'ms';
  readonly sizes: readonly number[];
  /** Of cost = c × size^k, at most: 0 is flat, 1 is in proportion. */
  readonly expected: 0 | 1;
  /**
   * Batches of each size; without it as many as fit the time. Of machines with threads of their
   * own.
   */
  readonly rounds?: number;
  /** Called in the isolate that measures this size. */
  readonly make: (size: number) => Side;
}
