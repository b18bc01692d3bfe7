/** Repeated trials: schedules to the first failure. */

import { WORLD_STRATEGIES } from '../../../../src/explore/strategies/catalogue.ts';
import { WorldBoard } from '../../../../src/explore/worlds/board.ts';
import type { World } from '../../../../src/explore/worlds/world.ts';

/**
 * Strategies whose first schedule is a dry run there, which shows the program to them and counts.
 */
const LEARNS: readonly string[] = ['pct-3', 'pct-10', 'surw'];

/** Schedules of a trial, as for the published figures. */
export const MOST_SCHEDULES = 10_000;

export interface Effort {
  readonly trials: number;
  /** In all trials: no trial is begun after this many. */
  readonly schedules: number;
}

/** Schedules of a trial; `undefined` if it found nothing. */
export type Trial = number | undefined;

export function trialsOf(
  make: () => World,
  strategy: string,
  { trials, schedules }: Effort,
): Trial[] {
  const board = new WorldBoard(make(), { showsWordsOnly: true });
  const all: Trial[] = [];
  for (let left = schedules; left > 0 && all.length < trials; ) {
    const found = trial(board, strategy, all.length * (MOST_SCHEDULES + 1));
    all.push(found);
    left -= found ?? MOST_SCHEDULES;
  }
  return all;
}

function trial(board: WorldBoard, strategy: string, seed: number): Trial {
  const chosen = WORLD_STRATEGIES[strategy]!();
  const dry = LEARNS.includes(strategy) ? 1 : 0;
  if (dry === 1) board.run(chosen, seed + MOST_SCHEDULES);
  for (let n = 0; n < MOST_SCHEDULES; n++) {
    if (board.run(chosen, seed + n).ending !== 'ok') return dry + n + 1;
  }
  return undefined;
}

export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Of the mean, at 95 %, by Student's t for few trials. */
export function intervalOf({
  mean,
  deviation,
  n,
}: {
  mean: number;
  deviation: number;
  n: number;
}): Interval {
  const t = n >= 200 ? 1.97 : n >= 60 ? 2 : n >= 20 ? 2.09 : n >= 10 ? 2.26 : 3.18;
  const half = (t * deviation) / Math.sqrt(n);
  return { mean, low: mean - half, high: mean + half };
}

export function summaryOf(numbers: readonly number[]): {
  mean: number;
  deviation: number;
  n: number;
} {
  const n = numbers.length;
  const mean = numbers.reduce((a, b) => a + b, 0) / n;
  const squares = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, deviation: n < 2 ? 0 : Math.sqrt(squares / (n - 1)), n };
}
