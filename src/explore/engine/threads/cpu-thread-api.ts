/** The comlink interface between the thread of a host CPU under control and the main thread. */

import type { SharedMachine } from '../../../../shared/host.ts';
import type { SoftwareFor } from '../../../host/run-guest.ts';
import type { Scheduling } from '../../../host/scheduler.ts';
import type { WasmMemory } from '../../../wasm.ts';
import type { Decisions } from '../controller.ts';
import type { End } from '../run.ts';
import type { RunMode } from '../run-mode.ts';

/** What runs on a machine under control, and where its vCPUs go. */
export interface Load {
  readonly software: SoftwareFor;
  readonly scheduling: Scheduling;
}

/** Makes it in each thread, from a message. */
export type LoadFrom<Told> = (told: Told, mode: RunMode) => Load;

export interface CpuThreadBoot<Told> {
  readonly shared: SharedMachine;
  readonly index: number;
  readonly told: Told;
  /** Of ControlState. */
  readonly state: WasmMemory;
  readonly mostSteps: number;
  readonly mode: RunMode;
  /** Every host CPU has a core to itself. */
  readonly coreEach: boolean;
  /** See Beginning. */
  readonly touched: Uint8Array;
  /** See Trace. */
  readonly versions: Int32Array;
}

/** A strategy by its name in the catalogue, or decisions to replay. */
export type Chosen = string | Decisions;

export interface CpuThreadApi<Told> {
  boot(boot: CpuThreadBoot<Told>): void;
  /** Take part in runs until there are no more, or until one ends here by an error: then that. */
  play(chosen: Chosen): End | undefined;
}
