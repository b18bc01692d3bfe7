/**
 * What a host CPU does from boot to the end, in pieces: take up a vCPU, go round with it
 * until it is put down, take up the next. What it is in the middle of is in shared memory.
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

  /** It cannot go on, nor can who waits for it. An error of ours is thrown on. */
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
    // Its siblings are to notice, and so is everybody if that was the last one.
    if (cpu.lg.dead !== Dead.Alive) scheduler.wakeAll();
  }
}
