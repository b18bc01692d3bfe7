/**
 * A machine that is led step by step, in this thread, to be looked at in between.
 *
 *     import { stepMachine } from 'umbra';
 *
 *     using machine = stepMachine({ guests: [{ program: { builtin: 'touch' } }] });
 *     for (const { events } of machine) for (const { text } of events) console.log(text);
 */

import { EventKind, type HostEvent } from '../shared/events.ts';
import type { Host } from '../shared/host.ts';
import { assemble } from './assembly.ts';
import { checkAll } from './check/invariants.ts';
import { HostOops, UserError } from './errors.ts';
import { loadProgram } from './guest/load.ts';
import type { Program } from './guest/program.ts';
import { softwareOf } from './guest/software.ts';
import { launch } from './host/launcher.ts';
import { type CpuInThread, cpusInThread } from './host/one-thread.ts';
import { type MachineSpec, schedulingOf } from './machine.ts';
import { inspect, type Section, VIEWS, type View } from './report/inspection.ts';
import { type Statistics, statistics } from './report/run-report.ts';
import { eventText } from './report/violation.ts';
import { didYouMean } from './yaml/closest.ts';

/** What a host CPU did, as a trace has it. */
export interface MachineEvent {
  /** The host CPU. */
  readonly cpu: number;
  /** `Entry`, `Exit`, `FaultFixed`, `Hypercall`, `SpteSet`, … */
  readonly kind: keyof typeof EventKind;
  /** In words, with the vCPU that it is about. */
  readonly text: string;
}

export interface MachineStep {
  /** The host CPU whose step it was. */
  readonly cpu: number;
  /** What was done, also by other host CPUs that it had to wait for. */
  readonly events: readonly MachineEvent[];
}

/** What can be seen here: of store buffers only who explores schedules knows. */
type MachineView = Exclude<View, 'stores'>;

const MACHINE_VIEWS: readonly MachineView[] = VIEWS.filter((view) => view !== 'stores');

/**
 * A machine in one thread, which goes on by being told to. Iterating takes steps until there are
 * none.
 */
export interface SteppedMachine extends Disposable, Iterable<MachineStep> {
  /**
   * The next step of a host CPU: it begins to run a vCPU, does one operation inside the guest, or
   * goes once round outside. By default the next CPU's, in turn, that has something to do.
   * Undefined when there is nothing to do, for that CPU or for all. Throws UserError for a CPU that
   * the machine has not, and for a machine that is disposed of.
   */
  step(cpu?: number): MachineStep | undefined;
  /**
   * The machine as it stands: TLBs, guests, pgdirs, tables as trees, the Switcher, frames. Throws
   * UserError for a view that there is not.
   */
  inspect(views?: readonly MachineView[]): Section[];
  /** Violations of invariants, in words. */
  violations(): string[];
  /** The sums over all host CPUs and guests so far. */
  readonly counts: Statistics;
  /** The cause of the host's death; undefined while it lives. */
  readonly died: string | undefined;
}

const KINDS = new Map(
  Object.entries(EventKind).map(([name, kind]) => [kind, name as keyof typeof EventKind]),
);

/** Entering and leaving, as counters; not shown to people. */
const FOR_TRACES = EventKind.Counted;

export class Stepped implements SteppedMachine {
  readonly #host: Host;
  readonly #cpus: readonly CpuInThread[];
  readonly #programs: readonly Program[];
  #events: MachineEvent[] = [];
  #last = -1;
  #died: string | undefined;
  #isDisposed = false;

  /** Throws UserError when it does not fit. */
  constructor(spec: MachineSpec) {
    const { shared, host } = assemble(spec);
    host.machine.failAllocationsAfter(spec.failAllocationAfter ?? -1);
    for (const lg of host.guests) launch(lg);
    this.#host = host;
    this.#programs = spec.guests.map(({ program }) => loadProgram(program));
    this.#cpus = cpusInThread(shared, host, softwareOf(this.#programs), schedulingOf(spec), 1);
    for (const { view, cpu } of this.#cpus) {
      view.events.tap = (kind, vcpu, a, b, c) => {
        const event = { hostCpu: cpu.index, sequence: 0, kind, vcpu: vcpu - 1, a, b, c };
        if (kind !== FOR_TRACES) this.#events.push(this.#told(event));
      };
    }
  }

  step(cpu?: number): MachineStep | undefined {
    const { length } = this.#cpus;
    if (this.#isDisposed) throw new UserError('this machine is disposed of: make another one');
    if (cpu !== undefined && this.#cpus[cpu] === undefined) {
      throw new UserError(`found host CPU ${cpu}, expected one from 0 to ${length - 1}`);
    }
    for (let i = 1; i <= (cpu === undefined ? length : 1); i++) {
      const index = cpu ?? (this.#last + i) % length;
      const step = this.#take(index);
      if (step === undefined) continue;
      this.#last = index;
      return step;
    }
    return undefined;
  }

  *[Symbol.iterator](): Generator<MachineStep, undefined> {
    for (let step = this.step(); step !== undefined; step = this.step()) yield step;
  }

  inspect(views: readonly MachineView[] = MACHINE_VIEWS): Section[] {
    for (const view of views.filter((one) => !MACHINE_VIEWS.includes(one))) {
      const expected = `one of ${MACHINE_VIEWS.join(', ')}${didYouMean(view, MACHINE_VIEWS)}`;
      throw new UserError(`found view ${JSON.stringify(view)}, expected ${expected}`);
    }
    return inspect(this.#host, { views });
  }

  violations(): string[] {
    return checkAll(this.#host).map(({ text }) => text);
  }

  get counts(): Statistics {
    const { cpus, guests } = this.#host;
    return statistics({ host: this.#host }, [...cpus.keys()], [...guests.keys()]);
  }

  get died(): string | undefined {
    return this.#died;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const program of this.#programs) program.close?.();
  }

  #take(index: number): MachineStep | undefined {
    if (this.#died !== undefined) return undefined;
    const cpu = this.#cpus[index]!;
    this.#events = [];
    try {
      if (!cpu.step()) return undefined;
    } catch (error) {
      if (!(error instanceof HostOops)) throw error;
      this.#died = error.message;
    }
    return { cpu: index, events: this.#events };
  }

  #told(event: HostEvent): MachineEvent {
    return {
      cpu: event.hostCpu,
      kind: KINDS.get(event.kind)!,
      text: eventText(this.#host, event),
    };
  }
}
