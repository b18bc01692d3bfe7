/** Which vCPU a host CPU runs next, and where one goes when its time is up. */

import { toPtr } from '../../shared/address.ts';
import type { Host } from '../../shared/host.ts';
import type { LgCpu } from '../../shared/lg-cpu.ts';
import { Dead, type Lguest } from '../../shared/lguest.ts';
import { Stop } from '../../shared/machine-record.ts';
import { RunQueue } from '../../shared/run-queue.ts';
import type { Policy } from './policy.ts';
import { Standing, safePoint } from './safe-point.ts';

/** A CPU without work looks again this often, even if nobody woke it. */
const IDLE_MS = 50;

export interface Quantum {
  /** Operations of a time slice, drawn from `least` … `most`. */
  readonly least: number;
  readonly most: number;
}

export class Scheduler {
  readonly #host: Host;
  readonly #policy: Policy;
  readonly #quantum: Quantum;
  readonly #queues: readonly RunQueue[];

  /** `holder`: the number of the calling host CPU, or the number of CPUs for the main thread. */
  constructor(host: Host, holder: number, policy: Policy, quantum: Quantum) {
    this.#host = host;
    this.#policy = policy;
    this.#quantum = quantum;
    const { at, stride, count } = host.layout.regions.runQueues;
    this.#queues = Array.from({ length: count }, (_, i) => {
      const gaveUp = () => host.machine.stop === Stop.Failed;
      return new RunQueue(host.words, toPtr(at + i * stride), host.vcpus.length, holder, gaveUp);
    });
  }

  /** Queue a vCPU for some CPU with a new time slice, and tell that CPU. */
  enqueue(cpu: LgCpu): void {
    const { least, most } = this.#quantum;
    cpu.quantum = least + (this.#host.prandomU32(cpu) % (most - least + 1));
    const target = this.#policy.place(cpu, this.#queues.length);
    this.#queues[target]!.push(cpu.number);
    this.wake(target);
  }

  /** Put a vCPU that waits for an interrupt aside until it may run, or its guest is dead. */
  park(cpu: LgCpu): void {
    cpu.park();
    // The interrupt may have come just before; whoever raises one looks here afterwards.
    this.unpark(cpu);
  }

  /** Queue those of a guest's vCPUs that were put aside and need not wait any more. */
  unparkSiblings(lg: Lguest): void {
    for (const cpu of lg.cpus) this.unpark(cpu);
  }

  unpark(cpu: LgCpu): void {
    const needed = cpu.mayRun || cpu.lg.dead !== Dead.Alive;
    if (needed && cpu.unpark()) this.enqueue(cpu);
  }

  /** The next vCPU for host CPU `index`; undefined when the machine stops. */
  next(index: number): LgCpu | undefined {
    const { words, machine, cpus, vcpus } = this.#host;
    const { mailbox } = cpus[index]!;
    for (;;) {
      if (machine.stop !== Stop.Running) return undefined;
      words.store(mailbox, 0);
      safePoint(this.#host, cpus[index]!, Standing.Idle);
      const own = this.#queues[index]!.take();
      const found = own >= 0 || !this.#policy.steals ? own : this.#steal(index);
      if (found >= 0) return vcpus[found];
      words.wait(mailbox, 0, IDLE_MS);
    }
  }

  wake(index: number): void {
    const { words, cpus } = this.#host;
    words.store(cpus[index]!.mailbox, 1);
    words.notify(cpus[index]!.mailbox);
  }

  /** Every CPU is to look up: the machine stops, or a guest died. */
  wakeAll(): void {
    for (const cpu of this.#host.cpus) this.wake(cpu.index);
  }

  #steal(index: number): number {
    for (let i = 1; i < this.#queues.length; i++) {
      const found = this.#queues[(index + i) % this.#queues.length]!.take();
      if (found >= 0) return found;
    }
    return -1;
  }
}
