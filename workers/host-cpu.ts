/**
 * A host CPU: one worker thread. Comlink carries the control calls; while the CPU runs
 * it answers none of them, so what must reach it then is in shared memory.
 */

import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { Host } from '../shared/host.ts';
import { loadProgram } from '../src/guest/load.ts';
import type { HostCpuApi, HostCpuBoot, HostCpuEnd } from '../src/host/host-cpu-api.ts';
import { HostCpuLoop } from '../src/host/host-cpu-loop.ts';
import { GuestRunner } from '../src/host/run-guest.ts';
import { Scheduler } from '../src/host/scheduler.ts';

class HostCpuWorker implements HostCpuApi {
  #loop: HostCpuLoop | undefined;

  boot({ shared, index, programs, scheduling }: HostCpuBoot): void {
    const host = new Host(shared, index);
    const guests = programs.map((source, i) => {
      const { form, nx, pfnLimit, cpus } = host.guests[i]!;
      return { form, nx, vcpus: cpus.length, pages: pfnLimit, program: loadProgram(source) };
    });
    const cpu = host.cpus[index]!;
    const scheduler = new Scheduler(host, scheduling);
    const runner = new GuestRunner(host, cpu, guests, (lg) => scheduler.unparkSiblings(lg));
    this.#loop = new HostCpuLoop(host, cpu, runner, scheduler);
  }

  run(): HostCpuEnd {
    return this.#loop!.run();
  }
}

expose(new HostCpuWorker(), nodeEndpoint(parentPort!));
