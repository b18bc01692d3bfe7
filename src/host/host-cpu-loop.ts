/**
 * The loop of a host CPU, in pieces: pick a vCPU, run it until it has to stop, pick the next. Its
 * whole state between two pieces is in shared memory.
 */

import type { Host } from '../../shared/host.ts';
import type { HostCpu } from '../../shared/host-cpu.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { Dead } from '../../shared/lguest.ts';
import { Stop } from '../../shared/machine-record.ts';
import { GaveUp, HostOops } from '../errors.ts';
import type { HostCpuEnd } from './host-cpu-api.ts';
import type { GuestRunner, Rest } from './run-guest.ts';
import type { Scheduler } from './scheduler.ts';

export class HostCpuLoop {
  readonly #host: Host;
  readonly #cpu: HostCpu;
  readonly #runner: GuestRunner;
  readonly #scheduler: Scheduler;

  constructor(host: Host, cpu: HostCpu, runner: GuestRunner, scheduler: Scheduler) {
    this.#host = host;
    this.#cpu = cpu;
    this.#runner = runner;
    this.#scheduler = scheduler;
  }

  /** Until there is no vCPU left, or the machine is to stop. */
  run(): HostCpuEnd {
    try {
      while (this.step());
      return {};
    } catch (error) {
      return this.failed(error);
    }
  }

  /** The next piece; false when the machine stops. */
  step(): boolean {
    const { runningVcpu } = this.#cpu;
    if (runningVcpu === 0) {
      const next = this.#scheduler.next(this.#cpu.index);
      if (next === undefined) return false;
      this.#runner.takeUp(next);
      return true;
    }
    const cpu = this.#host.vcpus[runningVcpu - 1]!;
    const rest = this.#runner.step(cpu);
    if (rest !== undefined) this.#putDown(cpu, rest);
    return true;
  }

  /** The host died: this CPU cannot go on, nor can CPUs that wait for it. A bug is rethrown. */
  failed(error: unknown): HostCpuEnd {
    this.#host.machine.requestStop(Stop.Failed);
    this.#scheduler.wakeAll();
    if (error instanceof GaveUp) return {};
    if (error instanceof HostOops) return { oops: { kind: error.kind, message: error.message } };
    throw error;
  }

  #putDown(cpu: LgCpu, rest: Rest): void {
    const scheduler = this.#scheduler;
    if (rest === 'hungry') scheduler.waitForTables(cpu, this.#cpu.index);
    if (rest === 'preempted' || rest === 'hungry') scheduler.enqueue(cpu);
    if (rest === 'halted') scheduler.park(cpu);
    if (rest !== 'dead') return;
    scheduler.unparkSiblings(cpu.lg);
    if (this.#host.machine.retireVcpu() === 0) this.#host.machine.requestStop(Stop.Done);
    // Wake its siblings, and all CPUs if that was the last guest.
    if (cpu.lg.dead !== Dead.Alive) scheduler.wakeAll();
  }
}
