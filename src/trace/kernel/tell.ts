/**
 * Converts the events of host CPUs to the kernel's own events, for tools that read those. An event
 * that needs facts which a run does not have is left out.
 *
 * A host CPU without a vCPU runs its idle task. A vCPU is a thread of QEMU's by name.
 */

import { EventKind, PutDownFor } from '../../../shared/events.ts';
import type { TracedEvent } from '../recorder.ts';
import type { Category } from '../timeline.ts';
import {
  EXIT,
  type KernelEventName,
  NO_USER_BIT,
  PAGE_FAULT,
  STATE,
  type Value,
  type ValuesOf,
  VMX,
} from './events.ts';

/** As it is told of. */
export interface TracedVcpu {
  /** As in `pigz vCPU 0`. */
  readonly name: string;
  readonly guest: number;
  /** In its guest. */
  readonly id: number;
  readonly virtualization: 'shadow' | 'nested' | 'direct';
}

/** Trap numbers of shared/host-cpu.ts' trapnum, as src/guest/processor.ts names them. */
const HYPERCALL = 0x1f;
const FIRST_EXTERNAL = 0x20;
const SYSCALL = 0x80;
const NESTED_VIOLATION = 0x1e;

const PRIO = 120;

/** prev_state of a vCPU that is put down. */
const STATES: Readonly<Record<PutDownFor, number>> = {
  [PutDownFor.Preemption]: STATE.R,
  [PutDownFor.Tables]: STATE.R,
  [PutDownFor.Interrupt]: STATE.S,
  [PutDownFor.End]: STATE.X,
};

export interface Task {
  readonly comm: string;
  readonly pid: number;
  /** Its process: a guest's, 0 for idle tasks. */
  readonly tgid: number;
}

const IDLE: Task = { comm: '<idle>', pid: 0, tgid: 0 };

/** A vCPU's thread in the process that its guest is. */
export function taskOf({ id, guest }: TracedVcpu): Task {
  const tgid = 1000 * (guest + 1);
  return { comm: `CPU ${id}/KVM`, pid: tgid + id, tgid };
}

export type Told =
  | {
      readonly hostCpu: number;
      /** Nanoseconds since boot; of one host CPU they are in order. */
      readonly at: number;
      readonly name: KernelEventName;
      /** The current task of the host CPU. */
      readonly by: Task;
      readonly values: Readonly<Record<string, Value>>;
    }
  /** So many events of this host CPU are missing here. */
  | { readonly hostCpu: number; readonly at: number; readonly lost: number };

/** Of all events, in the order of their times, those that are wanted. */
export function* told(
  events: Iterable<TracedEvent>,
  hostCpus: number,
  vcpus: readonly TracedVcpu[],
  wants: (category: Category) => boolean,
): Generator<Told> {
  const inHand = Array.from({ length: hostCpus }, () => IDLE);
  const tasks = vcpus.map(taskOf);
  for (const { event, fault } of withFaults(events)) {
    const { hostCpu, at, kind, vcpu, a, b, c, lost } = event;
    if (lost > 0) yield { hostCpu, at, lost };
    const tell = <N extends KernelEventName>(name: N, values: ValuesOf<N>): Told => ({
      hostCpu,
      at,
      name,
      by: inHand[hostCpu]!,
      values,
    });
    const its = vcpus[vcpu];
    const task = tasks[vcpu];
    if (its === undefined || task === undefined) continue;
    switch (kind) {
      case EventKind.TakenUp:
      case EventKind.PutDown: {
        const next = kind === EventKind.TakenUp ? task : IDLE;
        const state = kind === EventKind.TakenUp ? STATE.R : STATES[a as PutDownFor];
        if (wants('run'))
          yield tell('sched_switch', switchOf(hostCpu, inHand[hostCpu]!, state, next));
        inHand[hostCpu] = next;
        break;
      }
      case EventKind.Migration: {
        const { comm, pid } = task;
        const values = { comm, pid, prio: PRIO, orig_cpu: a, dest_cpu: hostCpu };
        if (wants('migration')) yield tell('sched_migrate_task', values);
        break;
      }
      case EventKind.Entry:
        if (wants('run')) yield tell('kvm_entry', { vcpu_id: its.id, rip: c });
        break;
      case EventKind.Exit:
        yield* exit(event, its, fault, wants, tell);
        break;
      case EventKind.SpteSet:
        if (wants('fault/fixed')) yield tell('kvm_mmu_set_spte', spteOf(its, a, b, c));
        break;
      case EventKind.InterruptDelivered:
        if (wants('interrupt/delivered'))
          yield tell('kvm_inj_virq', { vector: FIRST_EXTERNAL + a });
    }
  }
}

/** Out of the guest; for a fault, with what KVM says of it before it sets an entry. */
function* exit(
  { a: trap, b: rip }: TracedEvent,
  { id, virtualization }: TracedVcpu,
  fault: TracedEvent | undefined,
  wants: (category: Category) => boolean,
  tell: <N extends KernelEventName>(name: N, values: ValuesOf<N>) => Told,
): Generator<Told> {
  if (wants('run')) {
    yield tell('kvm_exit', {
      ...exitOf(trap, fault),
      guest_rip: rip,
      isa: VMX,
      info1: fault?.a ?? 0,
      info2: 0,
      error_code: fault?.b ?? 0,
      vcpu_id: id,
    });
  }
  if (fault === undefined) return;
  const passedOn = fault.kind === EventKind.FaultPassedOn;
  if (!wants(passedOn ? 'fault/passed-on' : 'fault/fixed')) return;
  const { a: address, b: code } = fault;
  const where = { fault_address: address, error_code: code };
  yield tell('kvm_page_fault', { vcpu_id: id, guest_rip: rip, ...where });
  if (virtualization === 'shadow')
    yield tell('kvm_mmu_pagetable_walk', { addr: address, pferr: code });
  if (passedOn)
    yield tell('kvm_inj_exception', { exception: PAGE_FAULT, has_error: 1, error_code: code });
}

/** A switch from the current task to another one. */
function switchOf(
  hostCpu: number,
  prev: Task,
  state: number,
  next: Task,
): ValuesOf<'sched_switch'> {
  const comm = (task: Task): string => (task === IDLE ? `swapper/${hostCpu}` : task.comm);
  return {
    prev_comm: comm(prev),
    prev_pid: prev.pid,
    prev_prio: PRIO,
    prev_state: state,
    next_comm: comm(next),
    next_pid: next.pid,
    next_prio: PRIO,
  };
}

interface WithFault {
  readonly event: TracedEvent;
  /** Undefined if it is for no fault, or the fault is unknown. */
  fault?: TracedEvent;
}

/**
 * Each event in its order, and with a way out of a guest the fault that it was for, which is told
 * only when it is over.
 */
function* withFaults(events: Iterable<TracedEvent>): Generator<WithFault> {
  const queue: WithFault[] = [];
  /** Of each host CPU. */
  const open = new Map<number, WithFault>();
  for (const event of events) {
    const { hostCpu, kind, lost } = event;
    const out = open.get(hostCpu);
    const isFault = kind === EventKind.FaultFixed || kind === EventKind.FaultPassedOn;
    if (out !== undefined && isFault && lost === 0) out.fault = event;
    if (isFault || lost > 0 || ENDS_FAULT.includes(kind)) open.delete(hostCpu);
    const told: WithFault = { event };
    queue.push(told);
    if (kind === EventKind.Exit && (event.a === PAGE_FAULT || event.a === NESTED_VIOLATION)) {
      open.set(hostCpu, told);
    }
    while (queue.length > 0 && open.get(queue[0]!.event.hostCpu) !== queue[0]) yield queue.shift()!;
  }
  // Cut off by the end of the run.
  yield* queue;
}

/** Behind these a CPU is no more in the fault that it came out for. */
const ENDS_FAULT: readonly EventKind[] = [EventKind.Entry, EventKind.PutDown];

/** Why, by VMX's names, and as its interruption information (SDM 3C 25.9.2). */
function exitOf(
  trap: number,
  fault: TracedEvent | undefined,
): { exit_reason: number; intr_info: number } {
  const valid = 0x8000_0000;
  if (trap === NESTED_VIOLATION) return { exit_reason: EXIT.EPT_VIOLATION, intr_info: 0 };
  if (trap === HYPERCALL) return { exit_reason: EXIT.VMCALL, intr_info: 0 };
  if (trap !== SYSCALL && trap >= FIRST_EXTERNAL)
    return { exit_reason: EXIT.EXTERNAL_INTERRUPT, intr_info: valid + trap };
  const type = trap === SYSCALL ? 0x400 : fault === undefined ? 0x300 : 0xb00;
  return { exit_reason: EXIT.EXCEPTION_NMI, intr_info: valid + type + trap };
}

/** What the entry allows; of a nested table's by its own bits, and nothing of users. */
function spteOf(
  { virtualization }: TracedVcpu,
  page: number,
  low: number,
  place: number,
): ValuesOf<'kvm_mmu_set_spte'> {
  const nested = virtualization === 'nested';
  const noExecute = !nested && (place & 1) !== 0;
  const isExecutable = nested ? (low & 4) !== 0 : !noExecute;
  return {
    gfn: page,
    spte: noExecute ? (1n << 63n) | BigInt(low) : low,
    sptep: place - (place % 4),
    level: 1,
    r: low & 1,
    w: (low >> 1) & 1,
    x: Number(isExecutable),
    u: nested ? NO_USER_BIT : (low >> 2) & 1,
  };
}
