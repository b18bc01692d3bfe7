/**
 * A run replayed by its decisions and recorded: for each step the word, its change, the vCPU, the
 * place in the source, the locks held, and the events on the CPU since its last step.
 */

import type { HostEvent } from '../../../shared/events.ts';
import type { Host } from '../../../shared/host.ts';
import { Reg } from '../../../shared/host-cpu.ts';
import { holderOf } from '../../../shared/lock.ts';
import type { Ptr } from '../../hardware/address.ts';
import { Access } from '../engine/access.ts';
import { actorOf } from '../engine/actors.ts';
import type { Decisions, Step } from '../engine/controller.ts';
import { recordWords } from '../engine/record-words.ts';
import type { Run } from '../engine/run.ts';
import { HARDWARE, STACK_DEPTH, type Where, whereOf } from '../engine/source.ts';
import { Recorded } from '../strategies/recorded.ts';
import type { Subject } from '../subject.ts';

export interface RecordedStep extends Step {
  /** From 0. */
  readonly number: number;
  /** The CPU whose step it is, or whose hardware's; `cpu` is the actor, see actors.ts. */
  readonly hostCpu: number;
  /** Machine-wide number of the running vCPU; −1 for none. */
  readonly vcpu: number;
  /** For a store that drains from a store buffer, the step that made it. */
  readonly where: Where;
  /** Words of the locks that the CPU holds after the step. */
  readonly locks: readonly Ptr[];
  /** The guest's eip, inside the guest or on the exit; else undefined. */
  readonly eip: number | undefined;
  /** Events on the CPU since its last step. */
  readonly events: readonly HostEvent[];
}

export interface Recording {
  readonly run: Run;
  readonly steps: readonly RecordedStep[];
}

/** For each host CPU its buffered stores, the oldest first. */
export type Stores = readonly (readonly RecordedStep[])[];

/** Called just after each step, with the machine as it is then. */
export type StepListener = (step: RecordedStep, host: Host, stores: Stores) => void;

/**
 * Replay `decisions` on `subject`. Throws Diverged if the run diverges, and what the listener
 * throws, which ends the run there.
 */
export function recordRun(
  subject: Subject,
  decisions: Decisions,
  listener?: StepListener,
): Recording {
  const { board } = subject;
  const { host, controller } = board;
  const locks = locksOf(host);
  const steps: RecordedStep[] = [];
  const newEvents = eventReader(host);
  const stores: RecordedStep[][] = host.cpus.map(() => []);
  controller.watcher = (step) => {
    const { kind, cpu: index } = actorOf(step.cpu, host.cpus.length);
    const cpu = host.cpus[index]!;
    const isSoftware = kind === 'cpu';
    const stored = kind === 'drain' ? stores[index]!.shift() : undefined;
    const recorded: RecordedStep = {
      ...step,
      number: steps.length,
      hostCpu: index,
      vcpu: stored?.vcpu ?? cpu.runningVcpu - 1,
      where: isSoftware ? whereOf(new Error().stack!) : (stored?.where ?? HARDWARE),
      locks: locks.filter((at) => holderOf(host.words.peek(at)) === index),
      eip: isSoftware && cpu.inside ? cpu.register(Reg.eip) : undefined,
      events: isSoftware ? newEvents(index) : [],
    };
    if (controller.memory === 'tso' && step.kind === Access.Write) stores[index]!.push(recorded);
    steps.push(recorded);
    listener?.(recorded, host, stores);
  };
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = STACK_DEPTH;
  try {
    const run = subject.play(new Recorded(decisions), 0);
    return { run, steps };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    controller.watcher = undefined;
  }
}

/** The words of all locks: each guest's, each pgdir's, the run queues' and the frame pool's. */
export const locksOf = (host: Host): readonly Ptr[] =>
  Array.from(recordWords(host)).flatMap(([at, { kind }]) => (kind === 'lock' ? [at] : []));

/** A replayed piece records its events again, with the same numbers. */
function eventReader(host: Host): (cpu: number) => readonly HostEvent[] {
  const seen = host.cpus.map(() => 0);
  return (cpu) => {
    const last = lastEvent(host, cpu);
    const fresh = last - seen[cpu]!;
    if (fresh <= 0) return [];
    seen[cpu] = last;
    return host.events.last(cpu, fresh);
  };
}

const lastEvent = (host: Host, cpu: number): number => host.events.last(cpu, 1)[0]?.sequence ?? 0;
