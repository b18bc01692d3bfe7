/**
 * The names of the programs that a scenario can give its guests, beside traces. They are
 * in its schema, so that an editor can complete them.
 */

import type { ProgramSource } from '../guest/load.ts';
import { builtinPrograms } from '../guest/programs.ts';

/** Programs that are made from a seed. */
export const WORKLOADS = [
  'fault-storm-shared',
  'fault-storm-separate',
  'cow-storm',
  'fork-bomb',
  'mmap-churn',
  'kernel-churn',
  'pgdir-thrash',
  'false-sharing',
  'lock-contention',
  'stack-moves',
  'switcher-ping-pong',
  'cow-break',
  'swarm',
] as const;

/** Programs written by hand, the same every time. */
export const BUILTINS: readonly string[] = Object.keys(builtinPrograms);

export interface Workload {
  readonly kind: 'workload';
  readonly name: string;
  readonly seed: number;
  readonly size?: number;
  readonly threads?: number;
}

/** What the workers load. */
export const sourceOf = (program: ProgramSource | Workload): ProgramSource =>
  program as ProgramSource;
