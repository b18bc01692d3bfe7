/**
 * The controller of host CPUs that are threads of their own: the running thread decides, the
 * others sleep. The state of the run and of the strategy is in shared memory.
 */

import type { Host } from '../../../../shared/host.ts';
import type { Words } from '../../../../shared/words.ts';
import { UserError } from '../../../errors.ts';
import { type Ptr, toPtr } from '../../../hardware/address.ts';
import type { Carry, Strategy } from '../../strategies/strategy.ts';
import { type ControlState, TaskWord } from '../control-state.ts';
import { Controller } from '../controller.ts';
import type { RunMode } from '../run-mode.ts';
import type { Task } from '../task.ts';

/** Thrown where control comes to a thread for another run than the one it is in. */
export const OVER = Symbol('over');

/**
 * Polls of a word before sleeping on it, if every CPU has a core to itself: some 30 µs. More
 * make a short schedule faster on idle cores, and several times as slow on busy ones.
 */
const SPINS = 1000;

/** A sleeping thread checks its word this often, even if it is not woken. */
const PATIENCE_MS = 1000;

/** A run without a step for so many checks is stuck. */
const MOST_LOOKS = 30;

export class ThreadController extends Controller {
  readonly #words: Words;
  readonly #spins: number;
  /** The run that this thread takes part in. */
  #run = 0;

  /**
   * `words`: the leaf of the memory that the state is in; `coreEach`: every CPU has a core to
   * itself.
   */
  constructor(
    state: ControlState,
    words: Words,
    coreEach: boolean,
    host: Host,
    mode: RunMode,
    touched: Uint8Array,
  ) {
    super(state, host, mode, touched);
    this.#words = words;
    this.#spins = coreEach ? SPINS : 0;
  }

  override join(strategy: Strategy, seed: number, mostSteps: number): void {
    this.#run = this.state.run;
    super.join(strategy, seed, mostSteps);
  }

  /** Pass control to CPU `to`. The caller must be the running CPU. */
  give(to: number): void {
    const kept = this.state.strategy;
    let i = 0;
    this.#carry((word) => {
      kept[i++] = word;
      return word;
    });
    this.#wake(to);
  }

  /** Sleep until control comes to CPU `index`. Throws OVER when it comes for another run. */
  take(index: number): void {
    this.sleep(index);
    if (this.state.over || this.state.run !== this.#run) throw OVER;
    this.receive();
  }

  /** Sleep until control comes to CPU `index`, in any run. CPU 0 checks for progress. */
  sleep(index: number): void {
    const words = this.#words;
    const go = this.#go(index);
    words.spin(go, 0, this.#spins);
    let last = -1;
    for (let looks = 0; words.load(go) === 0; looks++) {
      if (this.state.stepHandedOver !== last) looks = 0;
      last = this.state.stepHandedOver;
      if (index === 0 && looks === MOST_LOOKS) {
        throw new Error(`the run stands still at step ${last}`);
      }
      words.wait(go, 0, PATIENCE_MS);
    }
    words.store(go, 0);
    this.state.takeOver();
  }

  /** Load the state of the strategy. */
  receive(): void {
    const kept = this.state.strategy;
    let i = 0;
    this.#carry(() => kept[i++]! | 0);
  }

  /** The run is over: wake the thread that begins runs. */
  end(): void {
    this.state.over = true;
    this.#wake(0);
  }

  /** No more runs follow: wake every CPU but the first. */
  dismiss(): void {
    this.state.run = 0;
    for (const { index } of this.tasks) if (index !== 0) this.#wake(index);
  }

  /** Throws UserError: the other threads would not know of it. */
  override waitUntil(): never {
    throw new UserError(
      'an abridged run in which a vCPU waits for a pgdir needs one thread: omit --engine',
    );
  }

  protected override pass(task: Task, next: number): void {
    this.give(next);
    this.take(task.index);
    // Others have decided in between.
    this.askNext();
  }

  #wake(index: number): void {
    const go = this.#go(index);
    this.state.handOver();
    this.#words.store(go, 1);
    this.#words.notify(go);
  }

  #carry(carry: Carry): void {
    this.strategy.carry!(carry);
  }

  #go(index: number): Ptr {
    return toPtr(this.state.taskAt(index) + TaskWord.Go);
  }
}
