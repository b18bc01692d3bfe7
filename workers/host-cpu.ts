/**
 * A host CPU: one worker thread. Comlink carries the control calls; while the CPU runs
 * it answers none of them, so what must reach it then is in shared memory.
 */

import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { GaveUp, HostOops } from '../shared/errors.ts';
import { Host } from '../shared/host.ts';
import { Dead, type Lguest } from '../shared/lguest.ts';
import { Stop } from '../shared/machine-record.ts';
import { loadProgram } from '../src/guest/load.ts';
import type { HostCpuApi, HostCpuBoot, HostCpuEnd } from '../src/host/host-cpu-api.ts';
import { GuestRunner } from '../src/host/run-guest.ts';
import { Scheduler } from '../src/host/scheduler.ts';

class HostCpuWorker implements HostCpuApi {
  #index = -1;
  #host: Host | undefined;
  #runner: GuestRunner | undefined;
  #scheduler: Scheduler | undefined;

  boot(boot: HostCpuBoot): void {
    const host = new Host(boot.shared, boot.index);
    const guests = boot.programs.map((source, i) => {
      const { form, nx, pfnLimit } = host.guests[i]!;
      const vcpus = host.guests[i]!.cpus.length;
      return { form, nx, vcpus, pages: pfnLimit, program: loadProgram(source) };
    });
    const { index, scheduling } = boot;
    const scheduler = new Scheduler(host, scheduling);
    const unpark = (lg: Lguest): void => scheduler.unparkSiblings(lg);
    this.#index = index;
    this.#host = host;
    this.#scheduler = scheduler;
    this.#runner = new GuestRunner(host, host.cpus[index]!, guests, unpark);
  }

  run(): HostCpuEnd {
    const index = this.#index;
    const host = this.#host!;
    const scheduler = this.#scheduler!;
    try {
      for (let cpu = scheduler.next(index); cpu !== undefined; cpu = scheduler.next(index)) {
        const rest = this.#runner!.run(cpu);
        if (rest === 'preempted') scheduler.enqueue(cpu);
        if (rest === 'halted') scheduler.park(cpu);
        if (rest !== 'dead') continue;
        scheduler.unparkSiblings(cpu.lg);
        if (host.machine.retireVcpu() === 0) host.machine.requestStop(Stop.Done);
        // Its siblings are to notice, and so is everybody if that was the last one.
        if (cpu.lg.dead !== Dead.Alive) scheduler.wakeAll();
      }
      return {};
    } catch (error) {
      host.machine.requestStop(Stop.Failed);
      scheduler.wakeAll();
      if (error instanceof GaveUp) return {};
      if (error instanceof HostOops) return { oops: { kind: error.kind, message: error.message } };
      throw error;
    }
  }
}

expose(new HostCpuWorker(), nodeEndpoint(parentPort!));
