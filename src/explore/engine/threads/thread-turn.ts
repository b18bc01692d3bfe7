/**
 * The turn among host CPUs that are threads of their own: who has it decides, and who does
 * not sleeps. What is known of the run, and what the strategy keeps, go with it.
 */

import { availableParallelism } from 'node:os';
import { type Ptr, toPtr } from '../../../../shared/address.ts';
import type { Host } from '../../../../shared/host.ts';
import type { Words } from '../../../../shared/words.ts';
import type { Carry } from '../../strategies/strategy.ts';
import type { Task } from '../task.ts';
import { type MemoryModel, Turn } from '../turn.ts';
import { TaskWord, type TurnState } from '../turn-state.ts';

/** Thrown where the turn comes to who has nothing to do with it any more. */
export const OVER = Symbol('over');

/** Looks at a word before sleeping on it, if every CPU can have a core to itself. */
const SPINS = 2000;

/** A sleeper looks this often, even if nobody woke it. */
const PATIENCE_MS = 1000;

export class ThreadTurn extends Turn {
  readonly #words: Words;

  /** `words`: the leaf of the memory that the state is in. */
  constructor(
    state: TurnState,
    words: Words,
    host: Host,
    memory: MemoryModel,
    touched: Uint8Array,
  ) {
    super(state, host, memory, touched);
    this.#words = words;
  }

  /** `to` goes on. Only who has the turn may say so. */
  give(to: number): void {
    const kept = this.state.strategy;
    let i = 0;
    this.#carry((word) => {
      kept[i++] = word;
      return word;
    });
    const go = this.#go(to);
    this.#words.store(go, 1);
    this.#words.notify(go);
  }

  /** Sleep until the turn comes to CPU `index`. Throws OVER when the run has ended. */
  take(index: number): void {
    const words = this.#words;
    const go = this.#go(index);
    const spins = availableParallelism() >= this.cpus ? SPINS : 0;
    for (let i = 0; i < spins && words.load(go) === 0; i++);
    while (words.load(go) === 0) words.wait(go, 0, PATIENCE_MS);
    words.store(go, 0);
    if (this.state.over) throw OVER;
    const kept = new Int32Array(this.state.strategy);
    let i = 0;
    this.#carry(() => kept[i++]!);
  }

  /** Nobody goes on any more. */
  end(): void {
    this.state.over = true;
    for (const { index } of this.tasks) {
      this.#words.store(this.#go(index), 1);
      this.#words.notify(this.#go(index));
    }
  }

  protected override pass(task: Task, next: number): void {
    this.give(next);
    this.take(task.index);
    // Others have decided in between.
    this.askNext();
  }

  #carry(carry: Carry): void {
    this.strategy.carry!(carry);
  }

  #go(index: number): Ptr {
    return toPtr(this.state.taskAt(index) + TaskWord.Go);
  }
}
