/** One step of a thread of a world: an access of a shared word, or of several at once. */

import type { Access } from '../engine/access.ts';
import type { Guard } from '../engine/guard.ts';

/** A word's place, from 1. */
export type Place = number;

/** The words of a world while one of its runs goes on, by whoever takes the step. */
export interface Memory {
  read(place: Place): number;
  write(place: Place, value: number): void;
}

/** A thread yields it, and is given what it has come to: a number. */
export interface Step {
  /** What it is to strategies and in a story. */
  readonly kind: Access;
  readonly place: Place;
  readonly text: string;
  /** It is no data: a mutex, a condition variable, another thread. */
  readonly isSync?: boolean;
  /** It is so many steps, one after the other; 1 if it is not said. */
  readonly times?: number;
  /** Who takes it gives way afterwards: what was tried was in vain. */
  readonly isVain?: boolean;
  /** It can be taken only while these words are such; always without. */
  readonly guard?: Guard | undefined;
  /** `thread`: who takes it, by number. */
  perform(memory: Memory, thread: number): number;
}

/** What a thread is, or a part of one, which is called by `yield*` and may return something. */
export type Steps<T = void> = Generator<Step, T, number>;
