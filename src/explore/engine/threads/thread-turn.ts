/**
 * The turn among host CPUs that are threads of their own: who has it decides, and who does
 * not sleeps. What is known of the run, and what the strategy keeps, go with it.
 */

import type { Host } from '../../../../shared/host.ts';
import type { Words } from '../../../../shared/words.ts';
import { UserError } from '../../../errors.ts';
import { type Ptr, toPtr } from '../../../hardware/address.ts';
import type { Carry, Strategy } from '../../strategies/strategy.ts';
import type { RunMode } from '../run-mode.ts';
import type { Task } from '../task.ts';
import { Turn } from '../turn.ts';
import { TaskWord, type TurnState } from '../turn-state.ts';

/** Thrown where the turn comes to who has nothing to do with its run any more. */
export const OVER = Symbol('over');

/**
 * Looks at a word before sleeping on it, if every CPU has a core to itself: some 30 µs. More
 * make a short schedule shorter where nobody else wants the cores, and several times as long where
 * somebody does.
 */
const SPINS = 1000;

/** A sleeper looks this often, even if nobody woke it. */
const PATIENCE_MS = 1000;

/** A run whose steps stand still for so many looks is stuck. */
const MOST_LOOKS = 30;

export class ThreadTurn extends Turn {
  readonly #words: Words;
  readonly #spins: number;
  /** That this thread takes part in. */
  #run = 0;

  /** `words`: the leaf of the memory that the state is in; `coreEach`: every CPU has a core to itself. */
  constructor(
    state: TurnState,
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

  /** `to` goes on. Only who has the turn may say so. */
  give(to: number): void {
    const kept = this.state.strategy;
    let i = 0;
    this.#carry((word) => {
      kept[i++] = word;
      return word;
    });
    this.#wake(to);
  }

  /** Sleep until the turn comes to CPU `index`. Throws OVER when it comes for another run. */
  take(index: number): void {
    this.sleep(index);
    if (this.state.over || this.state.run !== this.#run) throw OVER;
    this.receive();
  }

  /** Until the turn comes to CPU `index`, in whatever run. CPU 0 looks whether this one gets on. */
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

  /** What the strategy has to know comes with the turn. */
  receive(): void {
    const kept = this.state.strategy;
    let i = 0;
    this.#carry(() => kept[i++]! | 0);
  }

  /** Nobody goes on any more: the thread that begins runs is told. */
  end(): void {
    this.state.over = true;
    this.#wake(0);
  }

  /** No more runs are to come: every CPU but the first is told. */
  dismiss(): void {
    this.state.run = 0;
    for (const { index } of this.tasks) if (index !== 0) this.#wake(index);
  }

  /** Throws UserError: the other threads would not know of it. */
  override waitUntil(): never {
    throw new UserError(
      'an abridged run in which a vCPU waits for a pgdir goes in one thread: leave --engine out',
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
