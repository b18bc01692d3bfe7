/**
 * The host CPUs of a machine that are all in one thread: each goes on when it is told to. Between
 * two of its pieces a CPU holds no lock, but may be inside a guest; who waits for it to come out
 * has it do so.
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
  /** The next piece of its work. False: there is none, or the machine has stopped. */
  step(): boolean;
}

/** Nothing to do for a host CPU. */
const IDLE = Symbol('idle');

/** All vCPUs are queued. `stretch`: operations inside a guest that one piece does at most. */
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
