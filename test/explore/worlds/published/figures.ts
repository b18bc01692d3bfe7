/**
 * Published schedules to the first bug: mean and standard deviation of 20 trials of at most 10,000
 * schedules (of SafeStack a million), recomputed from the raw data beside SURW's sources. `null`:
 * not in all trials, so there is no mean; `undefined`: not published.
 */

import type { World } from '../../../../src/explore/worlds/world.ts';
import * as buffers from './buffers.ts';
import * as few from './few.ts';
import { safestack, workSteal } from './lockfree.ts';
import * as pools from './pools.ts';

/** Mean and standard deviation; the latter is missing for some. */
export type Figure = readonly [mean: number, deviation?: number] | null | undefined;

export const STRATEGIES = ['random', 'pct-3', 'pct-10', 'pos', 'surw'] as const;

export interface Program {
  readonly make: () => World;
  /** In the order of STRATEGIES. */
  readonly published: readonly [Figure, Figure, Figure, Figure, Figure];
}

export const PROGRAMS: Readonly<Record<string, Program>> = {
  reorder_3: {
    make: () => pools.reorder(2, 1),
    published: [null, [185, 199], [148, 191], [86, 70], [7.3, 6.6]],
  },
  reorder_4: {
    make: () => pools.reorder(3, 1),
    published: [null, [554, 643], [362, 213], [533, 651], [7.3, 6.1]],
  },
  reorder_5: {
    make: () => pools.reorder(4, 1),
    published: [null, [647, 517], [1094, 1216], [2169, 2182], [10, 8.9]],
  },
  reorder_10: { make: () => pools.reorder(9, 1), published: [null, null, null, null, [17, 11]] },
  reorder_20: {
    make: () => pools.reorder(10, 10),
    published: [null, [3005, 2680], null, null, [6, 4.1]],
  },
  twostage: {
    make: () => pools.twostage(1, 1),
    published: [
      [464, 581],
      [13, 14],
      [8.7, 10],
      [15, 12],
      [7.5, 4.3],
    ],
  },
  twostage_20: {
    make: () => pools.twostage(10, 10),
    published: [null, [159, 151], [101, 92], [156, 137], [5.7, 3.3]],
  },
  account: {
    make: few.account,
    published: [
      [18, 24],
      [4.3, 2.3],
      [4.5, 3],
      [4.1, 3.3],
      [5.8, 5],
    ],
  },
  bluetooth_driver: {
    make: few.bluetooth,
    published: [
      [215, 225],
      [113, 73],
      [83, 86],
      [36, 29],
      [70, 55],
    ],
  },
  deadlock01: {
    make: few.deadlock01,
    published: [
      [3.2, 2.8],
      [13, 12],
      [7.4, 5.7],
      [3.5, 3.2],
      [1.8, 0.4],
    ],
  },
  lazy01: {
    make: few.lazy01,
    published: [
      [21, 21],
      [4.9, 2.8],
      [4.6, 2.7],
      [4.7, 3.4],
      [2, 0],
    ],
  },
  circular_buffer: {
    make: buffers.circularBuffer,
    published: [
      [4.2, 3.2],
      [9.1, 6.6],
      [4.6, 3.1],
      [2.1, 1.4],
      [2.8, 0.8],
    ],
  },
  stack: {
    make: buffers.stack,
    published: [
      [176, 136],
      [3.2, 1.8],
      [2.6, 0.9],
      [1.7, 1.2],
      [4.6, 3.1],
    ],
  },
  queue: {
    make: buffers.queue,
    published: [[1], [3.3], [2.3], [1.1], [2.1]],
  },
  token_ring: {
    make: few.tokenRing,
    published: [
      [13, 13],
      [8.2, 6],
      [7.8, 8.4],
      [8.6, 11],
      [8.2, 5.8],
    ],
  },
  carter01: {
    make: few.carter01,
    published: [[1], [5], [3.4], [1.9], undefined],
  },
  wronglock_3: {
    make: () => pools.wronglock(3),
    published: [
      [36, 42],
      [58, 46],
      [14, 10],
      [11, 14],
      [8.8, 8.6],
    ],
  },
  wronglock: {
    make: () => pools.wronglock(7),
    published: [
      [36, 42],
      [51, 50],
      [20, 20],
      [10, 14],
      [7.5, 7],
    ],
  },
  'stringbuffer-jdk1.4': {
    make: few.stringbuffer,
    published: [null, [281, 261], [26, 24], [23, 19], [8.5, 7]],
  },
  WorkStealQueue: {
    make: () => workSteal('WorkStealQueue', false),
    published: [undefined, [48, 49], [16, 14], [13, 7.4], [6, 4.1]],
  },
  InterlockedWSQ: {
    make: () => workSteal('InterlockedWSQ', true),
    published: [null, [48, 36], [13, 14], [14, 11], [6.5, 5.2]],
  },
  SafeStack: { make: safestack, published: [null, null, null, null, null] },
};
