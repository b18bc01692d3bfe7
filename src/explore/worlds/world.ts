/**
 * Worlds of the user's own: a few threads over shared words, explored as litmus tests are.
 *
 * A thread is a generator. Each access of shared memory is a step that it yields, and no other
 * thread runs between two of them, so its local variables are private. The code that makes a world
 * is called again for each run, so no state carries over.
 */

import { UserError } from '../../errors.ts';
import { Shared } from './shared.ts';
import type { Steps } from './step.ts';

export interface WorldCode {
  /** By name: threads that run from the beginning. */
  readonly threads: Readonly<Record<string, () => Steps>>;
  /** Called when all threads have ended. It throws if something is wrong. */
  readonly atEnd?: () => void;
}

export interface World {
  readonly name: string;
  readonly make: (shared: Shared) => WorldCode;
}

/** `make` and the code of threads must be deterministic. */
export function world(name: string, make: (shared: Shared) => WorldCode): World {
  return { name, make };
}

/** Of one run. Throws UserError for a world without threads, or with too many. */
export function made({ name, make }: World, now: (place: number) => number) {
  const shared = new Shared(now);
  const { threads, atEnd }: Partial<WorldCode> = make(shared) ?? {};
  if (typeof threads !== 'object') {
    throw new UserError(`world ${name}: found no threads, expected { threads: { … }, atEnd }`);
  }
  shared.made = 0;
  // Threads that run from the beginning have the first numbers.
  const later = shared.threads.splice(0);
  const first = Object.entries(threads);
  for (const [thread, code] of first) shared.add(thread, code);
  for (const { name: thread, code, state } of later) shared.add(thread, code, state);
  if (first.length === 0) throw new UserError(`world ${name}: found no threads, expected one`);
  return { shared, atEnd };
}
