/**
 * Which task was on which CPU, when and for how long, reconstructed from the scheduler's events.
 *
 * A recording begins in the middle: the first task switched away from on a CPU counts from the
 * first event of all; the current task at the last event counts until then.
 */

import type { Place } from '../lines.ts';
import type { SchedEvent, Task } from './event-line.ts';

/** Why a task migrated, by the events on the way. */
export const CAUSES = ['wake-up', 'balance', 'affinity', 'exec', 'unknown'] as const;
export type Cause = (typeof CAUSES)[number];

export interface RecordedStretch {
  readonly cpu: number;
  /** Nanoseconds since the recording's first event, and how long. */
  readonly at: number;
  readonly ns: number;
  /** Why it is on another CPU than the stretch before; absent if it is not. */
  cause?: Cause;
}

/** A task of the recorded machine. */
export interface RecordedTask {
  readonly pid: number;
  /** All that it was called, in order: it may have become another program. */
  readonly comms: string[];
  readonly stretches: RecordedStretch[];
  /** sched_migrate_task of it, those too on whose CPU it never ran. */
  queueMoves: number;
}

interface Cpu {
  running?: {
    readonly pid: number;
    readonly at: number;
    /** Its name when it was switched to. */
    readonly comm?: string;
    /** Its stretch on this CPU is reported already. */
    isGone?: true;
  };
  /** Time of its last event. */
  last: number;
  /** The task that is being woken, if that was the last event. */
  waking?: number;
}

/** The state of a task since its last stretch. */
interface Since {
  sleeps: boolean;
  move?: Cause;
}

const isStopper = (name: string): boolean => /^migration\/\d+$/.test(name);

export class Recording {
  readonly #place: Place;
  readonly tasks = new Map<number, RecordedTask>();
  /** Events that the recorder lost, as far as it counted them. */
  lost = 0;
  /** Gaps: reported losses, and inconsistent events. */
  gaps = 0;
  events = 0;
  switches = 0;
  readonly #cpus = new Map<number, Cpu>();
  readonly #since = new Map<number, Since>();
  /** Where each task was seen last. */
  readonly #on = new Map<number, number>();
  /** The last waker of each task. */
  readonly #wakers = new Map<number, number>();
  /**
   * Moved by a stopper that they woke themselves: it is affinity, or exec if they become another
   * program.
   */
  readonly #movedThemselves = new Map<number, { stretch?: RecordedStretch }>();
  #epoch: number | undefined;
  #now = 0;

  /** `place`: where the import stands, for complaints. */
  constructor(place: Place) {
    this.#place = place;
  }

  /** Nanoseconds from the first event to the last. */
  get duration(): number {
    return this.#now;
  }

  /** CPUs that had any event, by number. */
  get cpus(): readonly number[] {
    return [...this.#cpus.keys()].toSorted((a, b) => a - b);
  }

  add(event: SchedEvent): void {
    if (event.type === 'lost') {
      if (event.count === 0) return;
      this.lost += Number.isNaN(event.count) ? 0 : event.count;
      this.gaps++;
      return;
    }
    this.events++;
    const { seconds, ns, cpu: number, by } = event;
    this.#epoch ??= seconds * 1e9 + ns;
    // Whole seconds first: nanoseconds since boot may be more than a number holds exactly.
    const epochSeconds = Math.floor(this.#epoch / 1e9);
    const at = (seconds - epochSeconds) * 1e9 + ns - (this.#epoch - epochSeconds * 1e9);
    const cpu = this.#cpu(number);
    if (at < cpu.last) {
      throw this.#place.error(
        `found a time ${cpu.last - at} ns before that of CPU ${number}'s last event, ` +
          'expected events of a CPU in the order of their times',
        event.timeColumn,
      );
    }
    this.#now = Math.max(this.#now, at);
    if (event.type === 'switch') this.#switch(number, at, event);
    else if (cpu.running === undefined && by.pid >= 0) {
      this.#name(by);
      cpu.running = { pid: by.pid, at: 0 };
      this.#on.set(by.pid, number);
    }
    if (event.type === 'waking') this.#wakers.set(event.pid, by.pid);
    if (event.type === 'waking' || event.type === 'awake') this.#sinceOf(event.pid).sleeps = false;
    if (event.type === 'migrate') this.#migrate(event, cpu.waking);
    if (event.type === 'exec') this.#exec(by.pid);
    if (event.type === 'waking') cpu.waking = event.pid;
    else delete cpu.waking;
    cpu.last = at;
  }

  /** The recording is at its end. */
  finish(): void {
    for (const number of this.#cpus.keys()) this.#leave(number, this.#now);
  }

  #switch(
    number: number,
    at: number,
    { prev, state, next }: Extract<SchedEvent, { type: 'switch' }>,
  ) {
    this.switches++;
    const cpu = this.#cpu(number);
    const { running } = cpu;
    this.#name(prev);
    this.#name(next);
    if (running !== undefined && running.pid !== prev.pid) {
      // The previous task left meanwhile, and another came: neither time is known.
      this.gaps++;
      this.#leave(number, cpu.last);
    }
    if (running?.pid !== prev.pid) {
      this.#leaveElsewhere(prev.pid, number, cpu.last);
      cpu.running = { pid: prev.pid, at: running === undefined ? 0 : cpu.last };
    }
    // Not all recordings have the event, but it has another name then.
    if ((cpu.running?.comm ?? prev.comm) !== prev.comm) this.#exec(prev.pid);
    // If it was elsewhere, by the clock there, before it left by the clock here, all is told.
    if (cpu.running?.isGone !== true) {
      this.#leave(number, at);
      this.#since.set(prev.pid, { sleeps: !state.startsWith('R') });
    }
    this.#leaveElsewhere(next.pid, number, at);
    cpu.running = { pid: next.pid, at, comm: next.comm };
    this.#on.set(next.pid, number);
  }

  /** The current task of a CPU leaves it. */
  #leave(number: number, to: number): void {
    const { running } = this.#cpu(number);
    if (running === undefined || running.isGone) return;
    this.#ran(running.pid, number, running.at, to);
    running.isGone = true;
  }

  /**
   * A task is here, so it is no longer where it was: the event for that is lost, or late, by clocks
   * that differ between CPUs.
   */
  #leaveElsewhere(pid: number, here: number, at: number): void {
    const there = this.#on.get(pid);
    if (pid === 0 || there === undefined || there === here) return;
    if (this.#cpu(there).running?.pid === pid) this.#leave(there, at);
  }

  /** Its stretch is known when it is over, and before it has another. */
  #ran(pid: number, cpu: number, at: number, to: number): void {
    if (pid === 0) return;
    const { stretches } = this.#task(pid);
    const before = stretches.at(-1);
    const since = this.#since.get(pid);
    const moved = before !== undefined && before.cpu !== cpu;
    const cause = moved ? { cause: since?.move ?? ('unknown' as const) } : {};
    const stretch = { cpu, at, ns: Math.max(0, to - at), ...cause };
    stretches.push(stretch);
    const itself = this.#movedThemselves.get(pid);
    if (itself !== undefined && moved) itself.stretch ??= stretch;
  }

  /** By the kernel's events on the way to it. */
  #migrate(event: Extract<SchedEvent, { type: 'migrate' }>, waking: number | undefined): void {
    const { pid, by } = event;
    this.#task(pid).queueMoves++;
    const since = this.#sinceOf(pid);
    this.#movedThemselves.delete(pid);
    // Events need not name their task, depending on perf's options; switches do.
    if ([by.comm, ...this.#task(by.pid).comms].some(isStopper)) {
      const waker = this.#wakers.get(by.pid);
      // An idle CPU has it take what runs here.
      since.move = waker === 0 ? 'balance' : 'affinity';
      if (waker === pid) this.#movedThemselves.set(pid, {});
    } else if (since.sleeps || waking === pid) since.move = 'wake-up';
    else since.move = isPulled(event) ? 'balance' : 'affinity';
    since.sleeps = false;
  }

  /** Before it becomes another program the kernel looks for the CPU that has least to do. */
  #exec(pid: number): void {
    const itself = this.#movedThemselves.get(pid);
    if (itself === undefined) return;
    if (itself.stretch === undefined) this.#sinceOf(pid).move = 'exec';
    else itself.stretch.cause = 'exec';
    this.#movedThemselves.delete(pid);
  }

  #sinceOf(pid: number): Since {
    const since = this.#since.get(pid) ?? { sleeps: false };
    this.#since.set(pid, since);
    return since;
  }

  #name({ pid, comm }: Task): void {
    const { comms } = this.#task(pid);
    if (!comms.includes(comm)) comms.push(comm);
  }

  #task(pid: number): RecordedTask {
    const task = this.tasks.get(pid) ?? { pid, comms: [], stretches: [], queueMoves: 0 };
    this.tasks.set(pid, task);
    return task;
  }

  #cpu(number: number): Cpu {
    const cpu = this.#cpus.get(number) ?? { last: 0 };
    this.#cpus.set(number, cpu);
    return cpu;
  }
}

/**
 * Whether a waiting task is moved by load balancing: CPUs pull tasks, also idle CPUs for one
 * another; they push only real-time tasks. Else the current task has set its affinity.
 */
const isPulled = ({ cpu, to, by, isRealTime }: Extract<SchedEvent, { type: 'migrate' }>): boolean =>
  to === cpu || by.pid === 0 || isRealTime;
