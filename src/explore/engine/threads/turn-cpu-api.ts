/** What the thread of a host CPU under control and the main thread say to one another, by comlink. */

import type { SharedMachine } from '../../../../shared/host.ts';
import type { Kept } from '../../litmus/kept.ts';
import type { End } from '../run.ts';
import type { Decisions, RunMode } from '../turn.ts';

export interface TurnCpuBoot {
  readonly shared: SharedMachine;
  readonly index: number;
  /** The litmus test that runs on it: its file, and what is kept of its operations. */
  readonly path: string;
  readonly kept: Kept | undefined;
  /** Of TurnState. */
  readonly state: WebAssembly.Memory;
  readonly mostSteps: number;
  readonly mode: RunMode;
  /** Every host CPU has a core to itself. */
  readonly coreEach: boolean;
  /** See Beginning. */
  readonly touched: Uint8Array;
  /** See Trace. */
  readonly versions: Int32Array;
}

/** A strategy by its name in the catalogue, or decisions to be taken again. */
export type Chosen = string | Decisions;

export interface TurnCpuApi {
  boot(boot: TurnCpuBoot): void;
  /** Run after run, until no more are to come, or one ends here by an error: then that. */
  play(chosen: Chosen): End | undefined;
}
