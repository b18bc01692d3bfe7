/**
 * Events as text of ftrace, under the names and in the words of the kernel's own events
 * (include/trace/events/sched.h, arch/x86/kvm/trace.h, arch/x86/kvm/mmu/mmutrace.h), so that what
 * reads those reads a run. Where such an event says what is not known of a run, it is left out whole.
 *
 * A host CPU has its idle task in hand when it has no vCPU. A vCPU is a thread of QEMU's by name.
 */

import { EventKind, PutDownFor } from '../../shared/events.ts';
import type { TracedEvent } from './recorder.ts';
import type { Category } from './timeline.ts';

/** As the text is made of it. */
export interface TracedVcpu {
  /** As in `pigz vCPU 0`. */
  readonly name: string;
  readonly guest: number;
  /** In its guest. */
  readonly id: number;
  readonly virtualization: 'shadow' | 'nested' | 'direct';
}

/** Trap numbers of shared/host-cpu.ts' trapnum, as src/guest/processor.ts names them. */
const PAGE_FAULT = 14;
const HYPERCALL = 0x1f;
const FIRST_EXTERNAL = 0x20;
const SYSCALL = 0x80;
const NESTED_VIOLATION = 0x1e;

/** Threads of the process that a guest is. */
const PIDS_OF_GUEST = 1000;

const PRIO = 120;

/** Bits of a page fault's error code by their letters (mmutrace.h). */
const PFERR = ['P', 'W', 'U', 'RSVD', 'F'] as const;

/** prev_state of a vCPU that is put down. */
const STATES: Readonly<Record<PutDownFor, string>> = {
  [PutDownFor.Preemption]: 'R',
  [PutDownFor.Tables]: 'R',
  [PutDownFor.Interrupt]: 'S',
  [PutDownFor.End]: 'X',
};

const HEADER = [
  '# tracer: nop',
  '#',
  '#                                _-----=> irqs-off/BH-disabled',
  '#                               / _----=> need-resched',
  '#                              | / _---=> hardirq/softirq',
  '#                              || / _--=> preempt-depth',
  '#                              ||| / _-=> migrate-disable',
  '#                              |||| /     delay',
  '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
  '#              | |         |   |||||     |         |',
];

const hex = (n: number): string => (n >>> 0).toString(16);
const long = (n: number): string => `0x${hex(n).padStart(16, '0')}`;

interface Task {
  readonly comm: string;
  readonly pid: number;
}

/** The text of a run, a line at a time and without its end. */
export class FtraceText {
  readonly #vcpus: readonly TracedVcpu[];
  readonly #wants: (category: Category) => boolean;
  /** Of each host CPU: whom it has in hand, by number; −1 for the idle task. */
  readonly #inHand: number[];

  constructor(
    hostCpus: number,
    vcpus: readonly TracedVcpu[],
    wants: (category: Category) => boolean,
  ) {
    this.#vcpus = vcpus;
    this.#wants = wants;
    this.#inHand = Array.from({ length: hostCpus }, () => -1);
  }

  /** Of all events, in the order of their times. */
  *lines(events: Iterable<TracedEvent>): Generator<string> {
    yield* HEADER;
    for (const [number, { name }] of this.#vcpus.entries()) {
      const { comm, pid } = this.#task(number);
      yield `# ${comm}-${pid}: ${name}`;
    }
    for (const { event, fault } of withFaults(events)) yield* this.#linesOf(event, fault);
  }

  *#linesOf(event: TracedEvent, fault: TracedEvent | undefined): Generator<string> {
    const { hostCpu, at, kind, vcpu, a, b, c, lost } = event;
    if (lost > 0) yield `CPU:${hostCpu} [LOST ${lost} EVENTS]`;
    const wants = this.#wants;
    const line = (name: string, words: string): string => this.#line(hostCpu, at, name, words);
    const its = this.#vcpus[vcpu];
    if (its === undefined) return;
    switch (kind) {
      case EventKind.TakenUp:
        if (wants('run')) yield line('sched_switch', this.#switch(hostCpu, 'R', vcpu));
        this.#inHand[hostCpu] = vcpu;
        return;
      case EventKind.PutDown:
        if (wants('run'))
          yield line('sched_switch', this.#switch(hostCpu, STATES[a as PutDownFor], -1));
        this.#inHand[hostCpu] = -1;
        return;
      case EventKind.Migration: {
        const { comm, pid } = this.#task(vcpu);
        const words = `comm=${comm} pid=${pid} prio=${PRIO} orig_cpu=${a} dest_cpu=${hostCpu}`;
        if (wants('migration')) yield line('sched_migrate_task', words);
        return;
      }
      case EventKind.Entry:
        if (wants('run')) yield line('kvm_entry', `vcpu ${its.id}, rip 0x${hex(c)}`);
        return;
      case EventKind.Exit:
        yield* this.#exit(event, its, fault);
        return;
      case EventKind.SpteSet:
        if (wants('fault/fixed')) yield line('kvm_mmu_set_spte', spteWords(its, a, b, c));
        return;
      case EventKind.InterruptDelivered:
        if (wants('interrupt/delivered'))
          yield line('kvm_inj_virq', `IRQ 0x${hex(FIRST_EXTERNAL + a)}`);
    }
  }

  /** Out of the guest; for a fault, with what KVM says of it before it sets an entry. */
  *#exit(
    event: TracedEvent,
    { id, virtualization }: TracedVcpu,
    fault: TracedEvent | undefined,
  ): Generator<string> {
    const { hostCpu, at, a: trap, b: eip } = event;
    const wants = this.#wants;
    const line = (name: string, words: string): string => this.#line(hostCpu, at, name, words);
    const { reason, info } = exitOf(trap, fault);
    if (wants('run')) {
      const code = `0x${hex(fault?.b ?? 0).padStart(8, '0')}`;
      const words = `reason ${reason} rip 0x${hex(eip)} info1 ${long(fault?.a ?? 0)} info2 ${long(0)}`;
      const intr = `0x${hex(info).padStart(8, '0')}`;
      yield line('kvm_exit', `vcpu ${id} ${words} intr_info ${intr} error_code ${code}`);
    }
    if (fault === undefined) return;
    const passedOn = fault.kind === EventKind.FaultPassedOn;
    if (!wants(passedOn ? 'fault/passed-on' : 'fault/fixed')) return;
    const where = `address ${long(fault.a)} error_code 0x${hex(fault.b)}`;
    yield line('kvm_page_fault', `vcpu ${id} rip 0x${hex(eip)} ${where}`);
    if (virtualization === 'shadow') {
      const flags = PFERR.filter((_, bit) => fault.b & (1 << bit)).join('|');
      yield line(
        'kvm_mmu_pagetable_walk',
        `addr ${hex(fault.a)} pferr ${hex(fault.b)} ${flags}`.trimEnd(),
      );
    }
    if (passedOn) yield line('kvm_inj_exception', `#PF (0x${hex(fault.b)})`);
  }

  #line(hostCpu: number, at: number, name: string, words: string): string {
    const { comm, pid } = this.#task(this.#inHand[hostCpu]!);
    const task = `${comm.padStart(16)}-${String(pid).padEnd(7)}`;
    const seconds = String(Math.floor(at / 1e9)).padStart(5);
    const fraction = String(Math.floor(at % 1e9)).padStart(9, '0');
    return (
      `${task} [${String(hostCpu).padStart(3, '0')}] ..... ${seconds}.${fraction}: ${name}: ` +
      `${words}`
    );
  }

  /** From whom a host CPU has in hand to another. */
  #switch(hostCpu: number, state: string, to: number): string {
    const [prev, next] = [this.#inHand[hostCpu]!, to].map(
      (vcpu): Task => (vcpu < 0 ? { comm: `swapper/${hostCpu}`, pid: 0 } : this.#task(vcpu)),
    ) as [Task, Task];
    return (
      `prev_comm=${prev.comm} prev_pid=${prev.pid} prev_prio=${PRIO} prev_state=${state} ==> ` +
      `next_comm=${next.comm} next_pid=${next.pid} next_prio=${PRIO}`
    );
  }

  #task(vcpu: number): Task {
    const its = this.#vcpus[vcpu];
    if (its === undefined) return { comm: '<idle>', pid: 0 };
    return { comm: `CPU ${its.id}/KVM`, pid: PIDS_OF_GUEST * (its.guest + 1) + its.id };
  }
}

interface Told {
  readonly event: TracedEvent;
  /** Undefined if it is for no fault, or nobody says for which. */
  fault?: TracedEvent;
}

/**
 * Each event in its order, and with a way out of a guest the fault that it was for, which is told
 * only when it is over.
 */
function* withFaults(events: Iterable<TracedEvent>): Generator<Told> {
  const queue: Told[] = [];
  /** Of each host CPU. */
  const open = new Map<number, Told>();
  for (const event of events) {
    const { hostCpu, kind, lost } = event;
    const out = open.get(hostCpu);
    const isFault = kind === EventKind.FaultFixed || kind === EventKind.FaultPassedOn;
    if (out !== undefined && isFault && lost === 0) out.fault = event;
    if (isFault || lost > 0 || ENDS_FAULT.includes(kind)) open.delete(hostCpu);
    const told: Told = { event };
    queue.push(told);
    if (kind === EventKind.Exit && (event.a === PAGE_FAULT || event.a === NESTED_VIOLATION)) {
      open.set(hostCpu, told);
    }
    while (queue.length > 0 && open.get(queue[0]!.event.hostCpu) !== queue[0]) yield queue.shift()!;
  }
  // What the end of the run cut off.
  yield* queue;
}

/** Behind these a CPU is no more in the fault that it came out for. */
const ENDS_FAULT: readonly EventKind[] = [EventKind.Entry, EventKind.PutDown];

/** By VMX's names, and as its interruption information (SDM 3C 25.9.2). */
function exitOf(trap: number, fault: TracedEvent | undefined): { reason: string; info: number } {
  const valid = 0x8000_0000;
  if (trap === NESTED_VIOLATION) return { reason: 'EPT_VIOLATION', info: 0 };
  if (trap === HYPERCALL) return { reason: 'VMCALL', info: 0 };
  if (trap === SYSCALL) return { reason: 'EXCEPTION_NMI', info: valid + 0x400 + trap };
  if (trap >= FIRST_EXTERNAL) return { reason: 'EXTERNAL_INTERRUPT', info: valid + trap };
  return { reason: 'EXCEPTION_NMI', info: valid + (fault === undefined ? 0x300 : 0xb00) + trap };
}

/** `(rwxu)`: what the entry allows. Of a nested table's by its own bits, and nothing of users. */
function spteWords(
  { virtualization }: TracedVcpu,
  page: number,
  low: number,
  place: number,
): string {
  const nested = virtualization === 'nested';
  const isExecutable = nested ? (low & 4) !== 0 : (place & 1) === 0;
  const rights = [
    low & 1 ? 'r' : '-',
    low & 2 ? 'w' : '-',
    isExecutable ? 'x' : '-',
    nested ? '' : low & 4 ? 'u' : '-',
  ];
  const high = !nested && (place & 1) !== 0 ? '80000000' : '';
  const spte = high === '' ? hex(low) : `${high}${hex(low).padStart(8, '0')}`;
  return (
    `gfn ${hex(page)} spte ${spte} (${rights.join('')}) level 1 at ` +
    `${(place - (place % 4)).toString(16)}`
  );
}
