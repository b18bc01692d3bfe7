/** The comlink interface between a host CPU's worker and the main thread. */

import type { SharedMachine } from '../../shared/host.ts';
import type { HostOops } from '../errors.ts';
import type { ProgramSource } from '../guest/load.ts';
import type { TracePort } from '../trace/recorder.ts';
import type { Scheduling } from './scheduler.ts';

export interface HostCpuBoot {
  readonly shared: SharedMachine;
  readonly index: number;
  /** The program of each guest. */
  readonly programs: readonly ProgramSource[];
  readonly scheduling: Scheduling;
  /** Where its events go, if a trace is made. */
  readonly trace?: TracePort | undefined;
}

/** How a CPU's loop ended; a bug of ours rejects instead. */
export interface HostCpuEnd {
  /** The oops that killed the host, if it was on this CPU. */
  readonly oops?: { readonly kind: HostOops['kind']; readonly message: string };
}

export interface HostCpuApi {
  /** Join the machine. Everything that can fail for want of a file fails here. */
  boot(boot: HostCpuBoot): void;
  /** Run vCPUs until there are none left, or the machine is to stop. */
  run(): HostCpuEnd;
  /** Drop the machine, whose memory may be large. */
  release(): void;
}
