/**
 * A machine whose host CPUs all live in one thread, under control, to be run again and
 * again from the same beginning: each time by another schedule.
 */

import type { Host, SharedMachine } from '../../../shared/host.ts';
import { assert } from '../../errors.ts';
import type { SoftwareFor } from '../../host/run-guest.ts';
import { Scheduler, type Scheduling } from '../../host/scheduler.ts';
import type { Strategy } from '../strategies/strategy.ts';
import { MOST_CPUS } from './actors.ts';
import { Beginning } from './beginning.ts';
import { ControlledCpu } from './controlled-cpu.ts';
import { NestedTurn } from './nested-turn.ts';
import { Past } from './past.ts';
import { RecordingTrace } from './recording-trace.ts';
import { type End, endOf, endOfGuests, type Run } from './run.ts';
import type { RunMode } from './run-mode.ts';
import { Task } from './task.ts';
import { Trace } from './trace.ts';
import { TurnState } from './turn-state.ts';

export interface Limits extends RunMode {
  /** That a run may take. */
  readonly mostSteps: number;
}

export class Board {
  /** The main thread's view. */
  readonly host: Host;
  readonly turn: NestedTurn;
  readonly beginning: Beginning;
  /** Of abridged runs: who is told of each access. */
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
    const words = new Uint32Array(TurnState.wordsFor(cpus, mostSteps));
    const { touched } = this.beginning;
    const { length } = host.words.plain;
    const versions = new Int32Array(Trace.memoryFor(length));
    if (mode.abridged) {
      this.recording = new RecordingTrace(versions, host.words.plain);
      // With as many as there are vCPUs nobody waits for one.
      if (host.guests.some(({ pgdirs, cpus: vcpus }) => pgdirs.length < vcpus.length)) {
        this.recording.tie(queues.tableWords);
      }
    }
    const trace = this.recording ?? new Trace(versions, length);
    const state = new TurnState(words, cpus, mostSteps, trace);
    this.turn = new NestedTurn(state, host, mode, touched);
    for (const { index } of host.cpus) {
      const task = new Task(this.turn, index, host);
      this.turn.tasks.push(task);
      this.turn.players.push(new ControlledCpu(shared, task, softwareFor, scheduling));
    }
    if (this.recording) this.past = new Past(this.turn, this.recording.journal);
  }

  /**
   * Run once from the beginning, or from where the strategy would go back to. What it leaves is
   * there until the next run.
   */
  run(strategy: Strategy, seed: number): Run {
    const { turn } = this;
    const { goesBackTo = 0 } = strategy;
    if (goesBackTo === 0) this.#putBack(strategy.goesBackTo !== undefined);
    turn.join(strategy, seed, this.#mostSteps);
    if (goesBackTo > 0) this.past!.goBack(goesBackTo);
    const end = this.#play();
    strategy.ended?.(turn.step, turn.digests.trace);
    return { ...end, steps: turn.step, decisions: turn.decisions, ...turn.digests };
  }

  #putBack(keepsPast: boolean): void {
    this.beginning.putBack();
    this.turn.state.reset();
    for (const task of this.turn.tasks) task.begin();
    this.past?.begin(keepsPast);
  }

  #play(): End {
    const { turn } = this;
    try {
      turn.decide();
      turn.play();
    } catch (error) {
      return endOf(turn.oops ?? error);
    }
    return turn.oops === undefined ? endOfGuests(this.host) : endOf(turn.oops);
  }
}
