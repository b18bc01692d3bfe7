/**
 * A machine whose host CPUs all live in one thread, under control, to be run again and
 * again from the same beginning: each time by another schedule.
 */

import { PAGE_WORDS } from '../../shared/address.ts';
import { assert, HostOops } from '../../shared/errors.ts';
import { Host, type SharedMachine } from '../../shared/host.ts';
import { Dead } from '../../shared/lguest.ts';
import { HostCpuLoop } from '../host/host-cpu-loop.ts';
import type { Policy } from '../host/policy.ts';
import { GuestRunner, type SoftwareFor } from '../host/run-guest.ts';
import { Scheduler, type Scheduling } from '../host/scheduler.ts';
import { MOST_CPUS } from './actors.ts';
import { Hardware } from './hardware.ts';
import type { Strategy } from './strategy.ts';
import { LEAVE, Task } from './task.ts';
import { Deadlock, type Decisions, type MemoryModel, TooManySteps, Turn } from './turn.ts';
import { TurnState } from './turn-state.ts';
import { TurnWords } from './turn-words.ts';

/** How a run ended. */
export type Verdict =
  /** The guest ended by itself. */
  | 'ended'
  /** The guest died. */
  | 'killed'
  /** The host died. */
  | 'oops'
  /** Nobody could go on. */
  | 'deadlock'
  /** It did not end within the steps that were allowed. */
  | 'livelock';

export interface Run {
  readonly verdict: Verdict;
  /** Why, in the words of who says so; '' for `ended`. */
  readonly message: string;
  readonly steps: number;
  readonly decisions: Decisions;
  readonly digest: string;
}

/** All host CPUs in one thread: who passes the turn on leaves its piece of work. */
class ThrownTurn extends Turn {
  protected override pass(): never {
    throw LEAVE;
  }
}

export class Board {
  /** The main thread's view. */
  readonly host: Host;
  readonly turn: Turn;
  readonly #loops: readonly HostCpuLoop[];
  readonly #plain: Uint32Array;
  readonly #beginning: Uint32Array;
  /** The host's own records come first, and are written without the leaf, too. */
  readonly #records: number;
  readonly #mostSteps: number;

  /**
   * `host`: the machine as it is at the beginning, booted, its vCPUs not yet queued.
   * `mostSteps`: that a run may take.
   */
  constructor(
    shared: SharedMachine,
    host: Host,
    softwareFor: SoftwareFor,
    scheduling: Omit<Scheduling, 'policy'> & { policy: Scheduling['policy'] | Policy },
    { mostSteps, memory = 'sc' }: { readonly mostSteps: number; readonly memory?: MemoryModel },
  ) {
    const cpus = host.cpus.length;
    assert(cpus <= MOST_CPUS, `under control there are at most ${MOST_CPUS} host CPUs`);
    this.host = host;
    this.#mostSteps = mostSteps;
    this.#plain = host.words.plain;
    const words = new Uint32Array(TurnState.wordsFor(cpus, mostSteps));
    const state = new TurnState(words, cpus, mostSteps);
    this.turn = new ThrownTurn(state, this.#plain, new Hardware(host), memory);
    this.#records = shared.layout.firstFrame * PAGE_WORDS;
    const queues = new Scheduler(host, scheduling);
    for (const cpu of host.vcpus) queues.enqueue(cpu);
    this.#loops = host.cpus.map(({ index }) => {
      const task = new Task(this.turn, index, shared.layout, this.#plain);
      this.turn.tasks.push(task);
      const view = new Host(shared, index, (memory, at) => new TurnWords(memory, at, task));
      view.prandomU32 = () => (task.isAgain ? task.again() : task.keep(this.turn.draw()));
      const scheduler = new Scheduler(view, scheduling);
      const unpark = (lg: (typeof view.guests)[number]) => scheduler.unparkSiblings(lg);
      const cpu = view.cpus[index]!;
      return new HostCpuLoop(
        view,
        cpu,
        new GuestRunner(view, cpu, softwareFor, unpark, 1),
        scheduler,
      );
    });
    this.#beginning = this.#plain.slice();
  }

  /** Run once from the beginning. What it leaves is there until the next run. */
  run(strategy: Strategy, seed: number): Run {
    this.#reset();
    const { turn } = this;
    turn.state.reset();
    for (const task of turn.tasks) task.commit();
    turn.join(strategy, seed, this.#mostSteps);
    const [verdict, message] = this.#play();
    strategy.ended?.(turn.step);
    return { verdict, message, steps: turn.step, decisions: turn.decisions, digest: turn.digest };
  }

  #reset(): void {
    const { touched } = this.turn;
    this.#plain.set(this.#beginning.subarray(0, this.#records));
    for (let page = touched.indexOf(1); page >= 0; page = touched.indexOf(1, page + 1)) {
      const at = page * PAGE_WORDS;
      this.#plain.set(this.#beginning.subarray(at, at + PAGE_WORDS), at);
      touched[page] = 0;
    }
  }

  #play(): readonly [Verdict, string] {
    const { turn } = this;
    try {
      turn.decide();
      while (turn.tasks.some((task) => !task.finished)) this.#goOn();
    } catch (error) {
      if (error instanceof HostOops) return ['oops', error.message];
      if (error instanceof TooManySteps) return ['livelock', error.message];
      if (error instanceof Deadlock) return ['deadlock', error.message];
      throw error;
    }
    const killed = this.host.guests.find(({ dead }) => dead === Dead.Killed);
    return killed === undefined ? ['ended', ''] : ['killed', killed.reason];
  }

  /** The CPU whose turn it is, until the turn passes on. */
  #goOn(): void {
    const { turn } = this;
    const task = turn.tasks[turn.current]!;
    const loop = this.#loops[task.index]!;
    task.rewind();
    try {
      while (loop.step()) task.commit();
      turn.flush(task);
      task.finished = true;
    } catch (error) {
      if (error === LEAVE) return;
      throw error;
    }
    if (turn.tasks.some(({ finished }) => !finished)) turn.decide();
  }
}
