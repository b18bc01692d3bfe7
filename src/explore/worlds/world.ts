/**
 * Worlds of the user's own: a few threads over shared words, explored as litmus tests are.
 *
 * A thread is a generator. Each access of shared memory is a step that it yields, and between two
 * of them nobody else goes on, so what it keeps in variables of its own is its own. The code that
 * makes a world is called for each run anew: nothing of one run is there in the next.
 */

import { UserError } from '../../errors.ts';
import { Shared } from './shared.ts';
import type { Steps } from './step.ts';

export interface WorldCode {
  /** By name: threads that run from the beginning. */
  readonly threads: Readonly<Record<string, () => Steps>>;
  /** Called when all threads have come to their end. What it throws is what is wrong. */
  readonly atEnd?: () => void;
}

export interface World {
  readonly name: string;
  readonly make: (shared: Shared) => WorldCode;
}

/** `make` has to do the same whenever it is called, and so has the code of threads. */
export function world(name: string, make: (shared: Shared) => WorldCode): World {
  return { name, make };
}

/** Of one run. Throws UserError for a world without threads, or with too many. */
export function made({ name, make }: World, now: (place: number) => number) {
  const shared = new Shared(now);
  const { threads, atEnd } = make(shared);
  // Those that run from the beginning have the first numbers.
  const later = shared.threads.splice(0);
  const first = Object.entries(threads);
  for (const [thread, code] of first) shared.add(thread, code);
  for (const { name: thread, code, state } of later) shared.add(thread, code, state);
  if (first.length === 0) throw new UserError(`world ${name}: found no threads, expected one`);
  return { shared, atEnd };
}
