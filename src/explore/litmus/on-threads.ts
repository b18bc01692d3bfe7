/** A litmus test as a message to the thread of a host CPU, and the load that it makes of it. */

import type { RunMode } from '../engine/run-mode.ts';
import type { Load } from '../engine/threads/cpu-thread-api.ts';
import { type Kept, keep } from './kept.ts';
import { readLitmus } from './read.ts';
import { litmusScheduling } from './scheduling.ts';
import { litmusSoftware } from './software.ts';

export interface LitmusTold {
  /** Its file. */
  readonly path: string;
  /** Its kept operations. */
  readonly kept: Kept | undefined;
}

export function litmusLoad({ path, kept }: LitmusTold, mode: RunMode): Load {
  const litmus = readLitmus(path);
  return {
    software: litmusSoftware(kept === undefined ? litmus : keep(litmus, kept)),
    scheduling: litmusScheduling(mode),
  };
}
