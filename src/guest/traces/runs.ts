/**
 * A block consists of runs. A run goes from the target of a jump to the next jump: consecutive
 * fetches, and the data accesses between them. Programs repeat the same runs, so a block stores
 * each run once, and then their sequence. Only the addresses of data vary, mostly by the same
 * difference as the time before: only deviations are stored.
 *
 * Encoder and decoder keep the same table, of four words for each operation of each run.
 */

import { BLOCK_OPS, Op } from '../program.ts';

/** An operation is in one run at least, so a block has no more in its runs than in all. */
export const TABLE_WORDS = 4 * BLOCK_OPS;

/** Words of the table: the operation, kind | size << 8. */
export const HEAD = 0;
/** Its address; of a data access where it was the last time, at first 0. */
export const ADDRESS = 1;
/** How far that had moved since the time before. */
export const STRIDE = 2;
/** How far it lay from the data access before it. */
export const DISTANCE = 3;

/** The code byte of one data access, in a run in which not all are Expected. */
export const Code = {
  /** Moved as far as the last time. */
  Expected: 0,
  /** As far from the data access before it as the last time. */
  Adjacent: 1,
  /** A difference from where it was the last time follows. */
  Moved: 2,
  /** The difference from the data access before it follows. */
  Elsewhere: 3,
} as const;

export type Code = (typeof Code)[keyof typeof Code];

/**
 * Where the runs of some operations begin, and behind them the end. They are cut wherever
 * anything jumps to or from, so that an operation is in few of them.
 */
export function runsOf(ops: Uint32Array, count: number): number[] {
  const targets = new Set<number>();
  const sources = new Set<number>();
  const fetches = fetchesOf(ops, count);
  for (const { address, before, jumps } of fetches) {
    if (!jumps) continue;
    targets.add(address);
    sources.add(before);
  }
  const starts = [0];
  for (const { at, address, before, jumps } of fetches) {
    if (at > 0 && (jumps || targets.has(address) || sources.has(before))) starts.push(at);
  }
  return [...starts, count];
}

interface FetchPlace {
  readonly at: number;
  readonly address: number;
  /** The address of the fetch before. */
  readonly before: number;
  /** Whether it lies elsewhere than behind that. */
  readonly jumps: boolean;
}

function fetchesOf(ops: Uint32Array, count: number): FetchPlace[] {
  const fetches: FetchPlace[] = [];
  let before = -1;
  let behind = -1;
  for (let at = 0; at < count; at++) {
    const head = ops[2 * at]!;
    if ((head & 0xff) !== Op.Fetch) continue;
    const address = ops[2 * at + 1]!;
    fetches.push({ at, address, before, jumps: address !== behind });
    before = address;
    behind = (address + (head >>> 8)) >>> 0;
  }
  return fetches;
}
