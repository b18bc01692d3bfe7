/** One step of a thread of a world: an access of a shared word, or of several at once. */

import type { Access } from '../engine/access.ts';
import type { Guard } from '../engine/guard.ts';

/** A word's place, from 1. */
export type Place = number;

/** The words of a world during a run, as seen by the running thread. */
export interface Memory {
  read(place: Place): number;
  write(place: Place, value: number): void;
}

/** A thread yields it, and gets its result: a number. */
export interface Step {
  /** Its kind, for strategies and stories. */
  readonly kind: Access;
  readonly place: Place;
  readonly text: string;
  /** It is not data: a mutex, a condition variable, another thread. */
  readonly isSync?: boolean;
  /** It takes so many steps, one after the other; by default 1. */
  readonly times?: number;
  /** The thread yields afterwards: the attempt was in vain. */
  readonly isVain?: boolean;
  /** Its guard: the condition on words under which it is enabled; absent for always. */
  readonly guard?: Guard | undefined;
  /** `thread`: the number of the thread that takes it. */
  perform(memory: Memory, thread: number): number;
}

/** A thread, or a part of one, which is called by `yield*` and may return a value. */
export type Steps<T = void> = Generator<Step, T, number>;
