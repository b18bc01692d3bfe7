/** Which actors are enabled, and which wait. */

import type { Ptr } from '../../hardware/address.ts';
import { bufferOf } from './actors.ts';
import { lies, SEVERAL, type Task } from './task.ts';

/** In place of the word: a task waits for several. */
const NOBODY = -1;

export class Waiting {
  readonly #tasks: readonly Task[];
  readonly #hasBuffers: boolean;
  readonly #plain: Uint32Array;
  /** The word that a task waits for: a write to it may enable the task. */
  #waitedFor = NOBODY;

  /** `plain`: the machine's memory. */
  constructor(tasks: readonly Task[], hasBuffers: boolean, plain: Uint32Array) {
    this.#tasks = tasks;
    this.#hasBuffers = hasBuffers;
    this.#plain = plain;
  }

  /** A bit for each actor that can take the next step. */
  get able(): number {
    const tasks = this.#tasks;
    let mask = 0;
    this.#waitedFor = NOBODY;
    for (const task of tasks) {
      if (this.#hasBuffers && task.stores.length > 0) {
        mask |= 1 << bufferOf(task.index, tasks.length);
      }
      if (task.finished || (task.waitsDrained && task.stores.length > 0)) continue;
      const { awaited } = task;
      if (awaited !== 0) {
        this.#waitedFor = this.#waitedFor === NOBODY ? awaited : SEVERAL;
        if (task.isStopped(this.#plain)) continue;
      }
      mask |= 1 << task.index;
    }
    return mask;
  }

  /** Whether a write of so many words may enable a task. */
  mayWake(at: Ptr, words: number): boolean {
    const waitedFor = this.#waitedFor;
    if (waitedFor === NOBODY) return false;
    return waitedFor === SEVERAL ? this.#isAwaited(at, words) : lies(waitedFor, at, words);
  }

  #isAwaited(at: Ptr, words: number): boolean {
    for (const task of this.#tasks) if (task.awaits(at, words)) return true;
    return false;
  }
}
