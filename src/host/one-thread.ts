/**
 * Host CPUs that all run in one thread, a piece at a time by `step`. Between two pieces a CPU holds
 * no lock, but may be inside a guest; a CPU that waits for it to leave steps it.
 */

import type { Host, SharedMachine } from '../../shared/host.ts';
import type { HostCpu } from '../../shared/host-cpu.ts';
import { joinMachine } from '../assembly.ts';
import { assert } from '../errors.ts';
import { HostCpuLoop } from './host-cpu-loop.ts';
import { GuestRunner, type SoftwareFor } from './run-guest.ts';
import { Scheduler, type Scheduling } from './scheduler.ts';

export interface CpuInThread {
  /** As this CPU sees the machine. */
  readonly view: Host;
  readonly cpu: HostCpu;
  readonly scheduler: Scheduler;
  readonly loop: HostCpuLoop;
  /** Run its next piece. False: there is none, or the machine has stopped. */
  step(): boolean;
}

/** Thrown where a host CPU would sleep. */
const IDLE = Symbol('idle');

/** Queues all vCPUs. `stretch`: most operations inside a guest in one piece. */
export function cpusInThread(
  shared: SharedMachine,
  host: Host,
  softwareFor: SoftwareFor,
  scheduling: Scheduling,
  stretch?: number,
): CpuInThread[] {
  const queues = new Scheduler(host, scheduling);
  for (const vcpu of host.vcpus) queues.enqueue(vcpu);
  const all = host.cpus.map(({ index }): CpuInThread => {
    const view = joinMachine(shared, index);
    const cpu = view.cpus[index]!;
    const scheduler = new Scheduler(view, scheduling);
    const unpark = scheduler.unparkSiblings.bind(scheduler);
    const runner = new GuestRunner(view, cpu, softwareFor, unpark, stretch);
    const loop = new HostCpuLoop(view, cpu, runner, scheduler);
    view.words.wait = (at) => {
      if (at === cpu.mailbox) throw IDLE;
      const other = all.find(({ cpu: { inGuest } }) => inGuest.count === at);
      assert(other !== undefined, 'in one thread only CPUs inside a guest are waited for');
      other.loop.step();
    };
    const step = (): boolean => {
      try {
        return loop.step();
      } catch (error) {
        if (error === IDLE) return false;
        throw error;
      }
    };
    return { view, cpu, scheduler, loop, step };
  });
  return all;
}
