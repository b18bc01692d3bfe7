/**
 * A machine whose host CPUs all live in one thread, under control. It runs again and again from the
 * same snapshot, each time by another schedule.
 */

import type { Host, SharedMachine } from '../../../shared/host.ts';
import { assert } from '../../errors.ts';
import type { SoftwareFor } from '../../host/run-guest.ts';
import { Scheduler, type Scheduling } from '../../host/scheduler.ts';
import type { Strategy } from '../strategies/strategy.ts';
import { MOST_CPUS } from './actors.ts';
import { Beginning } from './beginning.ts';
import { ControlState } from './control-state.ts';
import { ControlledCpu } from './controlled-cpu.ts';
import { NestedController } from './nested-controller.ts';
import { Past } from './past.ts';
import { RecordingTrace } from './recording-trace.ts';
import { type End, endOf, endOfGuests, type Run } from './run.ts';
import type { RunMode } from './run-mode.ts';
import { Task } from './task.ts';
import { Trace } from './trace.ts';

export interface Limits extends RunMode {
  /** The limit for a run. */
  readonly mostSteps: number;
}

export class Board {
  /** The main thread's view. */
  readonly host: Host;
  readonly controller: NestedController;
  readonly beginning: Beginning;
  /** Of abridged runs: the trace that records each access. */
  readonly recording: RecordingTrace | undefined;
  readonly past: Past | undefined;
  readonly #mostSteps: number;

  /** `host`: the machine as it is at the beginning, booted, its vCPUs not yet queued. */
  constructor(
    shared: SharedMachine,
    host: Host,
    softwareFor: SoftwareFor,
    scheduling: Scheduling,
    { mostSteps, ...mode }: Limits,
  ) {
    const cpus = host.cpus.length;
    assert(cpus <= MOST_CPUS, `under control there are at most ${MOST_CPUS} host CPUs`);
    this.host = host;
    this.#mostSteps = mostSteps;
    const queues = new Scheduler(host, scheduling);
    for (const cpu of host.vcpus) queues.enqueue(cpu);
    this.beginning = new Beginning(host);
    const words = new Uint32Array(ControlState.wordsFor(cpus, mostSteps));
    const { touched } = this.beginning;
    const { length } = host.words.plain;
    const versions = new Int32Array(Trace.memoryFor(length));
    if (mode.abridged) {
      this.recording = new RecordingTrace(versions, host.words.plain);
      // With as many pgdirs as vCPUs, none waits for one.
      if (host.guests.some(({ pgdirs, cpus: vcpus }) => pgdirs.length < vcpus.length)) {
        this.recording.tie(queues.tableWords);
      }
    }
    const trace = this.recording ?? new Trace(versions, length);
    const state = new ControlState(words, cpus, mostSteps, trace);
    this.controller = new NestedController(state, host, mode, touched);
    for (const { index } of host.cpus) {
      const task = new Task(this.controller, index, host);
      this.controller.tasks.push(task);
      this.controller.players.push(new ControlledCpu(shared, task, softwareFor, scheduling));
    }
    if (this.recording) this.past = new Past(this.controller, this.recording.journal);
  }

  /**
   * Run once from the beginning, or from the decision that the strategy goes back to. The final
   * memory stays until the next run.
   */
  run(strategy: Strategy, seed: number): Run {
    const { controller } = this;
    const { goesBackTo = 0 } = strategy;
    if (goesBackTo === 0) this.#putBack(strategy.goesBackTo !== undefined);
    controller.join(strategy, seed, this.#mostSteps);
    if (goesBackTo > 0) this.past!.goBack(goesBackTo);
    return controller.runOf(this.#play());
  }

  #putBack(keepsPast: boolean): void {
    this.beginning.putBack();
    this.controller.state.reset();
    for (const task of this.controller.tasks) task.begin();
    this.past?.begin(keepsPast);
  }

  #play(): End {
    const { controller } = this;
    try {
      controller.decide();
      controller.play();
    } catch (error) {
      return endOf(controller.oops ?? error);
    }
    return controller.oops === undefined ? endOfGuests(this.host) : endOf(controller.oops);
  }
}
