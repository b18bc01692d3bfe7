/**
 * What each word of the host's own records is: each accessor is asked once which word it
 * reads, so that the names follow the layout wherever it goes.
 */

import { NULL, type Ptr, toPtr } from '../../../shared/address.ts';
import { Host, MAIN_THREAD } from '../../../shared/host.ts';
import type { HostCpu } from '../../../shared/host-cpu.ts';
import type { LgCpu } from '../../../shared/lg-cpu.ts';
import type { Lguest } from '../../../shared/lguest.ts';
import type { MachineRecord } from '../../../shared/machine-record.ts';
import { Words } from '../../../shared/words.ts';

/** How a word's value is to be read, and which lines of a story it belongs into. */
export type WordKind =
  | ('lock' | 'count' | 'section' | 'mail' | 'number' | 'address' | 'truth' | 'hostCpu' | 'dead')
  | ('frameCount' | 'frameKind' | 'map' | 'queue' | 'vcpu');

export interface RecordWord {
  readonly name: string;
  readonly kind: WordKind;
}

/** Does nothing but remember which word was asked for first. */
class Probe extends Words {
  asked: Ptr = NULL;

  #ask(at: Ptr): number {
    if (this.asked === NULL) this.asked = at;
    return 0;
  }
  override peek(at: Ptr): number {
    return this.#ask(at);
  }
  override read(at: Ptr): number {
    return this.#ask(at);
  }
  override load(at: Ptr): number {
    return this.#ask(at);
  }
  override compareExchange(at: Ptr): number {
    return this.#ask(at);
  }
}

type Name = (read: () => unknown, name: string, kind: WordKind) => void;

/** All words that have an accessor of their own, by place. `host`: any view of the machine. */
export function recordWords({ layout, words: { memory } }: Host): Map<Ptr, RecordWord> {
  const named = new Map<Ptr, RecordWord>();
  let probe: Probe | undefined;
  const asked = new Host({ layout, memory }, MAIN_THREAD, (of, scratch) => {
    probe = new Probe(of, scratch);
    return probe;
  });
  const name: Name = (read, text, kind) => {
    probe!.asked = NULL;
    read();
    named.set(probe!.asked, { name: text, kind });
  };
  const place = (at: Ptr, text: string, kind: WordKind): void =>
    void named.set(at, { name: text, kind });

  nameMachine(asked.machine, name);
  place(asked.machine.pool, 'lock of the frame pool', 'lock');
  for (const cpu of asked.cpus) nameHostCpu(cpu, place);
  for (const lg of asked.guests) nameGuest(lg, asked.guests.length > 1, name);
  for (const vcpu of asked.vcpus) nameVcpu(vcpu, name);
  const { runQueues } = layout.regions;
  for (let i = 0; i < runQueues.count; i++) {
    const at = runQueues.at + i * runQueues.stride;
    for (let word = 1; word < runQueues.stride; word++) {
      place(toPtr(at + word), `run queue of CPU ${i}`, 'queue');
    }
    place(toPtr(at), `lock of CPU ${i}'s run queue`, 'lock');
  }
  const { safePoints } = layout.regions;
  for (let word = 0; word < safePoints.count * safePoints.stride; word++) {
    place(toPtr(safePoints.at + word), 'safe points', 'number');
  }
  return named;
}

function nameMachine(machine: MachineRecord, name: Name): void {
  name(() => machine.stop, 'whether the machine is to stop', 'number');
  name(() => machine.aliveVcpus, 'count of vCPUs alive', 'number');
  name(() => machine.slices, 'count of time slices', 'number');
  name(() => machine.takeIdleCpu(), 'idle CPU that looks for work', 'number');
  name(() => machine.wentOffline, 'count of CPUs gone offline', 'number');
  name(() => machine.cameBack, 'count of CPUs come back', 'number');
  name(() => machine.handedOver, 'count of vCPUs handed over', 'number');
  name(() => machine.allocations, 'count of allocations', 'number');
  name(() => machine.failedAllocations, 'count of failed allocations', 'number');
  name(() => machine.allocationFails(), 'allocations left until they fail', 'number');
}

function nameHostCpu(
  { index, mailbox, inGuest, inFault, inHost }: HostCpu,
  place: (at: Ptr, name: string, kind: WordKind) => void,
): void {
  place(mailbox, `CPU ${index}'s mailbox`, 'mail');
  for (const [{ count, place: where }, what] of [
    [inGuest, 'guest'],
    [inFault, 'fault'],
    [inHost, 'host'],
  ] as const) {
    place(count, `in-${what} count of CPU ${index}`, 'section');
    place(where, `in-${what} place of CPU ${index}`, 'number');
  }
}

function nameGuest(lg: Lguest, several: boolean, name: Name): void {
  const its = several ? `guest ${lg.index}` : 'the guest';
  name(() => lg.dead, `whether ${its} is dead`, 'dead');
  name(() => lg.kernelAddress, `kernel address of ${its}`, 'address');
  name(() => lg.notifications, `notifications of ${its}`, 'number');
  name(() => lg.hungryVcpu, `vCPU of ${its} that waits for a pgdir`, 'number');
  name(() => lg.wakeUps, `vCPUs of ${its} that were woken`, 'count');
  name(() => lg.uses, `uses of pgdirs of ${its}`, 'count');
  name(() => lg.hand, `hand of ${its} that looks for a victim`, 'number');
  name(() => lg.nestedRoot, `nested table of ${its}`, 'number');
  name(() => lg.lock.holding(0), `lock of ${its}`, 'lock');
  for (const [i, pgdir] of lg.pgdirs.entries()) {
    const which = several ? `pgdir ${i} of guest ${lg.index}` : `pgdir ${i}`;
    name(() => pgdir.gpgdir, `top level that ${which} shadows`, 'address');
    name(() => pgdir.pgdir, `tables of ${which}`, 'address');
    name(() => pgdir.switcherMapped, `switcher_mapped of ${which}`, 'truth');
    name(() => pgdir.lastHostCpu, `last_host_cpu of ${which}`, 'hostCpu');
    name(() => pgdir.lastUse, `last use of ${which}`, 'number');
    name(() => pgdir.lock.holding(0), `lock of ${which}`, 'lock');
    name(() => pgdir.changes, `changes of ${which}`, 'count');
    name(() => pgdir.users, `users of ${which}`, 'count');
    name(() => pgdir.version, `version of ${which}`, 'count');
  }
}

function nameVcpu(vcpu: LgCpu, name: Name): void {
  const of = `of vCPU ${vcpu.number}`;
  name(() => vcpu.started, `started ${of}`, 'vcpu');
  name(() => vcpu.halted, `halted ${of}`, 'vcpu');
  name(() => vcpu.irqsPending, `irqs_pending ${of}`, 'number');
  name(() => vcpu.clockDeadline, `clock deadline ${of}`, 'number');
  name(() => vcpu.unpark(), `parked ${of}`, 'vcpu');
}
