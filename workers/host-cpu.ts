/**
 * A host CPU: one worker thread. Comlink carries the control calls; while the CPU runs
 * it answers none of them, so what must reach it then is in shared memory.
 *
 * See docs/decisions/bundled-host-cpu.md.
 */

import { expose } from 'comlink';
import { joinMachine } from '../src/assembly.ts';
import { loadPrograms } from '../src/guest/load.ts';
import { SharedBlocks } from '../src/guest/shared-blocks.ts';
import { softwareOf } from '../src/guest/software.ts';
import type { HostCpuApi, HostCpuBoot, HostCpuEnd } from '../src/host/host-cpu-api.ts';
import { HostCpuLoop } from '../src/host/host-cpu-loop.ts';
import { GuestRunner } from '../src/host/run-guest.ts';
import { Scheduler } from '../src/host/scheduler.ts';
import { threadEndpoint } from '../src/platform.ts';
import { tapFor } from '../src/trace/recorder.ts';

class HostCpuWorker implements HostCpuApi {
  #loop: HostCpuLoop | undefined;

  boot({ shared, index, programs, scheduling, trace }: HostCpuBoot): void {
    const host = joinMachine(shared, index);
    if (trace !== undefined) host.events.tap = tapFor(trace);
    const loaded = loadPrograms(programs);
    const blocks =
      host.layout.regions.blockSlots.count > 0 ? new SharedBlocks(host, loaded) : undefined;
    const softwareFor = softwareOf(loaded, blocks);
    const cpu = host.cpus[index]!;
    const scheduler = new Scheduler(host, scheduling);
    const runner = new GuestRunner(host, cpu, softwareFor, (lg) => scheduler.unparkSiblings(lg));
    this.#loop = new HostCpuLoop(host, cpu, runner, scheduler);
  }

  run(): HostCpuEnd {
    return this.#loop!.run();
  }

  release(): void {
    this.#loop = undefined;
  }
}

expose(new HostCpuWorker(), threadEndpoint());
