/**
 * Which vCPU a host CPU runs next, and where a vCPU continues when its time slice is over.
 *
 * No vCPU is lost to a CPU that goes offline: queueing a vCPU wakes the CPU that it is queued for,
 * and a CPU that wakes offline requeues its vCPUs for one that is online. The set of online CPUs
 * changes only when a time slice begins, which takes a CPU that has work and is online.
 *
 * See docs/decisions/time-in-operations.md.
 */

import type { Host } from '../../shared/host.ts';
import { Mail } from '../../shared/host-cpu.ts';
import { type LgCpu, NOWHERE } from '../../shared/lg-cpu.ts';
import { Dead, type Lguest } from '../../shared/lguest.ts';
import { Stop } from '../../shared/machine-record.ts';
import { RunQueue } from '../../shared/run-queue.ts';
import { assert } from '../errors.ts';
import { type Ptr, toPtr } from '../hardware/address.ts';
import { changesAt, type Hotplug, isOffline } from './hotplug.ts';
import type { Placement } from './placement.ts';
import { type Policy, type PolicyName, policies, replayed } from './policy.ts';
import { Standing, safePoint } from './safe-point.ts';
import { virtualizerOf } from './virtualization/ways.ts';

/** An idle CPU checks again this often, even if it is not woken. */
const IDLE_MS = 50;

export interface Quantum {
  /** Operations of a time slice, drawn from `least` … `most`. */
  readonly least: number;
  readonly most: number;
}

export interface Scheduling {
  readonly policy: PolicyName | Policy | Placement;
  readonly quantum: Quantum;
  readonly hotplug: readonly Hotplug[];
  /** Time slices are not counted: without hotplug nothing depends on their number. */
  readonly uncounted?: boolean;
}

export class Scheduler {
  readonly #host: Host;
  readonly #policy: Policy;
  readonly #quantum: Quantum;
  readonly #hotplug: readonly Hotplug[];
  readonly #counts: boolean;
  readonly #queues: readonly RunQueue[];
  /** Whether this CPU was offline at its last check, to count the changes. */
  #wasOffline = false;

  constructor(host: Host, { policy, quantum, hotplug, uncounted }: Scheduling) {
    this.#host = host;
    this.#policy = policyOf(policy, quantum);
    this.#quantum = quantum;
    this.#hotplug = hotplug;
    this.#counts = uncounted !== true;
    assert(this.#counts || hotplug.length === 0, 'hotplug goes by the count of time slices');
    const { at, stride, count } = host.layout.regions.runQueues;
    this.#queues = Array.from({ length: count }, (_, i) => {
      const gaveUp = () => host.machine.stop === Stop.Failed;
      const place = toPtr(at + i * stride);
      return new RunQueue(host.words, place, host.vcpus.length, host.thisCpu, gaveUp);
    });
  }

  /** Queue a vCPU for some CPU with a new time slice, and kick that CPU. */
  enqueue(cpu: LgCpu): void {
    cpu.quantum = this.#policy.slice?.(cpu) ?? this.#drawn(cpu);
    const wanted = cpu.nextHostCpu;
    cpu.nextHostCpu = NOWHERE;
    const { length } = this.#host.cpus;
    this.#queue(cpu, wanted === NOWHERE ? this.#policy.place(cpu, length) : wanted);
  }

  #drawn(cpu: LgCpu): number {
    const { least, most } = this.#quantum;
    return least + (this.#host.prandomU32(cpu) % (most - least + 1));
  }

  /** Park a vCPU that waits for an interrupt until it is runnable, or its guest is dead. */
  park(cpu: LgCpu): void {
    cpu.park();
    // The interrupt may have come just before; raising one checks for parked vCPUs afterwards.
    this.unpark(cpu);
  }

  /** Queue a guest's parked vCPUs that are runnable again. */
  unparkSiblings(lg: Lguest): void {
    for (const cpu of lg.cpus) this.unpark(cpu);
  }

  /** All words that a vCPU without tables waits on. */
  get tableWords(): readonly Ptr[] {
    const each = this.#host.vcpus.map((cpu) => virtualizerOf(cpu.lg).untilTables(cpu));
    return [
      ...this.#queues.map(({ contents }) => contents),
      ...each.map(({ words }) => words),
    ].flat();
  }

  /**
   * For a CPU that has stopped running a vCPU for want of tables. A retry fails as long as there
   * are none for the vCPUs queued here either.
   */
  waitForTables({ number }: LgCpu, index: number): void {
    const { words, vcpus } = this.#host;
    const queue = this.#queues[index]!;
    const each = vcpus.map((cpu) => virtualizerOf(cpu.lg).untilTables(cpu));
    const parts = [queue.contents, ...each.map((until) => until.words)];
    words.waitUntil({
      words: parts.flat(),
      holds: (found) => {
        const [contents, ...of] = cut(
          found,
          parts.map(({ length }) => length),
        );
        const canRun = (vcpu: number): boolean => each[vcpu]!.holds(of[vcpu]!);
        return canRun(number) || queue.vcpusIn(contents!).some(canRun);
      },
    });
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
      // Answered first, looked into afterwards: what comes later sets it again.
      words.store(mailbox, 0);
      if (machine.stop !== Stop.Running) return undefined;
      safePoint(this.#host, cpus[index]!, Standing.Idle);
      this.#handOver(index);
      if (!this.#wasOffline) {
        const found = this.#find(index);
        if (found >= 0) {
          if (this.#beginSlice(index)) return vcpus[found];
          this.#pass(vcpus[found]!, index);
          continue;
        }
        if (this.#policy.steals !== 'nobody') machine.offerIdleCpu(index);
      }
      words.wait(mailbox, 0, IDLE_MS);
    }
  }

  /** Whether `next` would return a vCPU for host CPU `index` without waiting. */
  hasWorkFor(index: number): boolean {
    if (this.#queues[index]!.length > 0) return true;
    return this.#policy.steals !== 'nobody' && this.#queues.some(({ length }) => length > 0);
  }

  wake(index: number): void {
    const { words, cpus } = this.#host;
    words.or(cpus[index]!.mailbox, Mail.Wake);
    words.notify(cpus[index]!.mailbox);
  }

  /** Kick every CPU: the machine stops, or a guest died. */
  wakeAll(): void {
    for (const cpu of this.#host.cpus) this.wake(cpu.index);
  }

  #queue(cpu: LgCpu, wanted: number): void {
    const { machine, cpus } = this.#host;
    const target = this.#online(wanted);
    const waiting = this.#queues[target]!.push(cpu.number);
    this.wake(target);
    if (this.#policy.steals === 'nobody') return;
    // More than one is queued there: wake an idle CPU to steal.
    if (waiting === 1 && cpus[target]!.runningVcpu === 0) return;
    const idle = machine.takeIdleCpu();
    if (idle >= 0 && cpus[idle]!.runningVcpu === 0) this.wake(idle);
  }

  /** The requested CPU, or the next one that is online. */
  #online(wanted: number): number {
    const { cpus } = this.#host;
    const slices = this.#slices;
    for (let i = 0; i < cpus.length; i++) {
      const cpu = (wanted + i) % cpus.length;
      if (!isOffline(this.#hotplug, cpu, slices)) return cpu;
    }
    throw new Error('at least one CPU is always online');
  }

  get #slices(): number {
    return this.#counts ? this.#host.machine.slices : 0;
  }

  /** Begin a time slice; false if this CPU is offline by the slice's number. */
  #beginSlice(index: number): boolean {
    const { machine } = this.#host;
    if (!this.#counts) return true;
    for (;;) {
      const slice = machine.slices;
      if (isOffline(this.#hotplug, index, slice)) return false;
      if (!machine.beginSlice(slice)) continue;
      if (changesAt(this.#hotplug, slice + 1)) this.wakeAll();
      return true;
    }
  }

  #isOffline(index: number): boolean {
    const { machine } = this.#host;
    const offline = isOffline(this.#hotplug, index, this.#slices);
    if (offline !== this.#wasOffline) machine.countOffline(offline);
    this.#wasOffline = offline;
    return offline;
  }

  /** Move this CPU's queue to other CPUs while it is offline. */
  #handOver(index: number): void {
    // It may come back online before the last one is moved, and be the target itself.
    while (this.#isOffline(index)) {
      const found = this.#queues[index]!.take();
      if (found < 0) return;
      this.#pass(this.#host.vcpus[found]!, index);
    }
  }

  /** Move a vCPU to the next CPU with the rest of its slice; no random number is drawn. */
  #pass(cpu: LgCpu, from: number): void {
    this.#host.machine.countHandOver();
    this.#queue(cpu, from);
  }

  #find(index: number): number {
    const own = this.#queues[index]!.take();
    if (own >= 0) return own;
    if (this.#policy.steals === 'next') return this.#takeFromNext(index);
    return this.#policy.steals === 'longest' ? this.#takeFromLongest() : -1;
  }

  #takeFromNext(index: number): number {
    for (let i = 1; i < this.#queues.length; i++) {
      const found = this.#queues[(index + i) % this.#queues.length]!.take();
      if (found >= 0) return found;
    }
    return -1;
  }

  #takeFromLongest(): number {
    for (;;) {
      let longest = this.#queues[0]!;
      let most = 0;
      for (const queue of this.#queues) {
        const { length } = queue;
        if (length > most) [longest, most] = [queue, length];
      }
      const found = most === 0 ? -1 : longest.take();
      // It may be empty by now, and another not.
      if (most === 0 || found >= 0) return found;
    }
  }
}

function policyOf(policy: Scheduling['policy'], { least, most }: Quantum): Policy {
  if (typeof policy === 'string') return policies[policy];
  return 'vcpus' in policy ? replayed(policy, (least + most) / 2) : policy;
}

/** A list in parts of these lengths. */
function cut<T>(list: readonly T[], lengths: readonly number[]): T[][] {
  let from = 0;
  return lengths.map((length) => {
    from += length;
    return list.slice(from - length, from);
  });
}
