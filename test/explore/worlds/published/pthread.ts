/**
 * Programs for POSIX threads as worlds, with the events seen by the tool of the published figures
 * (SURW: Zhao, Wolff, Mathur, Roychoudhury: Selectively Uniform Concurrency Testing, ASPLOS 2025).
 * Its events are more than accesses of shared words: each memory access of code compiled without
 * optimisation, so of variables on the stack, too; two to start a thread, and one each at its
 * beginning and end; one to try a mutex, and another to enter, since unlocking hands it to one of
 * the present waiters. Strategies see only accesses of words.
 *
 * So these worlds have thread-local events (`local`), as many as such code has, by count of its
 * statements; that is an estimate.
 */

import { Access } from '../../../../src/explore/engine/access.ts';
import type { Shared, ThreadHandle, Word } from '../../../../src/explore/worlds/shared.ts';
import type { Step, Steps } from '../../../../src/explore/worlds/step.ts';
import { type World, world } from '../../../../src/explore/worlds/world.ts';

/** In a row. */
const MOST_LOCAL = 30;

/** This many thread-local accesses. */
export type Local = (times: number) => Step;

/** Built once, since there are many of them; by place. */
const known: (readonly Step[])[] = [];

function localSteps(place: number): readonly Step[] {
  known[place] ??= Array.from({ length: MOST_LOCAL + 1 }, (_, times): Step => {
    const perform: Step['perform'] = (memory) => memory.read(place);
    return { kind: Access.Load, place, text: 'its own', times, perform };
  });
  return known[place];
}

export class Threads {
  readonly shared: Shared;

  constructor(shared: Shared) {
    this.shared = shared;
  }

  /** Code that reports its thread-local accesses by `local`. */
  #code(name: string, body: (local: Local) => Steps): () => Steps {
    const own = this.shared.word(`${name}'s`);
    const steps = localSteps(own.place);
    const local: Local = (times) => steps[times]!;
    return function* () {
      yield* body(local);
      yield local(1);
    };
  }

  thread(name: string, body: (local: Local) => Steps): ThreadHandle {
    return this.shared.thread(name, this.#code(name, body));
  }

  main(body: (local: Local) => Steps): { readonly threads: { readonly main: () => Steps } } {
    return { threads: { main: this.#code('main', body) } };
  }

  mutex(name: string): HandedMutex {
    return new HandedMutex(this.shared.word(name), this.shared.word(`${name}'s waiters`));
  }
}

export const program = (
  name: string,
  make: (threads: Threads) => ReturnType<Threads['main']> & { readonly atEnd?: () => void },
): World => world(name, (shared) => make(new Threads(shared)));

/** `pthread_create`. */
export function* create(handle: ThreadHandle, local: Local): Steps {
  yield handle.start();
  yield local(1);
}

/** A loop over an array of threads, with the checks of each result. */
export function* createAll(handles: readonly ThreadHandle[], local: Local): Steps {
  yield local(1);
  for (const handle of handles) {
    yield local(4);
    yield* create(handle, local);
    yield local(3);
  }
  yield local(2);
}

export function* joinAll(handles: readonly ThreadHandle[], local: Local): Steps {
  yield local(1);
  for (const handle of handles) {
    yield local(6);
    yield handle.join();
    yield local(3);
  }
  yield local(2);
}

const FREE = 0;
/** One of the threads that waited at the unlock takes it. */
const HANDED_OVER = -1;

/** A mutex that unlock hands to one of the waiters. */
export class HandedMutex {
  readonly #word: Word;
  readonly #waiters: Word;

  constructor(word: Word, waiters: Word) {
    this.#word = word;
    this.#waiters = waiters;
  }

  *lock(): Steps {
    const [{ place, name }, waiters] = [this.#word, this.#waiters];
    const me: number = yield {
      kind: Access.CompareExchange,
      isSync: true,
      place,
      text: `${name}.lock()`,
      perform(memory, thread) {
        if (memory.read(place) === FREE) {
          memory.write(place, thread + 1);
          return -1;
        }
        memory.write(waiters.place, memory.read(waiters.place) | (1 << thread));
        return thread;
      },
    };
    if (me < 0) return;
    // Later ones wait for the next time.
    yield {
      kind: Access.CompareExchange,
      isSync: true,
      place,
      text: `${name} is this one's`,
      guard: {
        words: [place, waiters.place],
        holds: ([found, all]) => found === HANDED_OVER && ((all! >>> me) & 1) === 1,
      },
      perform(memory, thread) {
        memory.write(place, thread + 1);
        memory.write(waiters.place, memory.read(waiters.place) & ~(1 << thread));
        return 0;
      },
    };
  }

  unlock(): Step {
    const [{ place, name }, waiters] = [this.#word, this.#waiters];
    return {
      kind: Access.Store,
      isSync: true,
      place,
      text: `${name}.unlock()`,
      perform(memory, thread) {
        if (memory.read(place) !== thread + 1) throw new Error(`${name} is not held`);
        memory.write(place, memory.read(waiters.place) === 0 ? FREE : HANDED_OVER);
        return 0;
      },
    };
  }
}

/** Throws with this message if it does not hold. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** `main`: threads started one after the other, and joined if it waits. */
export const starts = (threads: Threads, all: readonly ThreadHandle[], waits = true) =>
  threads.main(function* (local) {
    yield local(2);
    for (const handle of all) yield* create(handle, local);
    for (const handle of waits ? all : []) {
      yield local(2);
      yield handle.join();
    }
  });
