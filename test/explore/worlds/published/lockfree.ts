/**
 * Programs of SCTBench, of its sets Chess and SafeStack: queues and stacks, written anew as worlds.
 */

import type { Word } from '../../../../src/explore/worlds/shared.ts';
import type { Steps } from '../../../../src/explore/worlds/step.ts';
import { type World, world } from '../../../../src/explore/worlds/world.ts';
import { create, joinAll, type Local, must, program, type Threads } from './pthread.ts';

const NOTHING = -1;

interface Lock {
  acquire(local: Local): Steps;
  release(local: Local): Steps;
}

function mutexOf(threads: Threads): Lock {
  const m = threads.mutex('m');
  return {
    *acquire(local) {
      yield local(3);
      yield* m.lock();
    },
    *release(local) {
      yield local(2);
      yield m.unlock();
    },
  };
}

/** A spinning thread yields here; there it sleeps, and continues. */
function spinOf(threads: Threads): Lock {
  const word = threads.shared.word('lock');
  return {
    *acquire(local) {
      yield local(4);
      while ((yield word.exchange(1)) !== 0) {
        yield local(5);
        yield threads.shared.relax();
      }
      yield local(3);
    },
    *release(local) {
      yield local(3);
      yield word.store(0);
    },
  };
}

/** The work-stealing queue: its owner takes at one end, thieves at the other, with a lock. */
class WorkQueue {
  readonly #head: Word;
  readonly #tail: Word;
  readonly #elements: Word[];
  readonly #mask: Word;
  readonly #lock: Lock;
  /** Where the elements are: they move when it grows. */
  readonly #base: Word;

  constructor({ shared }: Threads, lock: Lock) {
    this.#head = shared.word('head');
    this.#tail = shared.word('tail');
    this.#mask = shared.word('mask', 1);
    this.#base = shared.word('base');
    this.#elements = shared.array('elements', 8, NOTHING);
    this.#lock = lock;
  }

  *#read(word: Word, local: Local): Steps<number> {
    yield local(5);
    const found = yield word.update((n) => n);
    yield local(3);
    return found;
  }

  *#write(word: Word, value: number, local: Local): Steps {
    yield local(4);
    yield word.exchange(value);
    yield local(2);
  }

  *#at(index: number, local: Local): Steps<Word> {
    yield local(2);
    const base = yield this.#base.load();
    const mask = yield this.#mask.load();
    return this.#elements[base + (index & mask)]!;
  }

  *steal(local: Local): Steps<number> {
    let found = NOTHING;
    yield* this.#lock.acquire(local);
    const head = yield* this.#read(this.#head, local);
    yield* this.#write(this.#head, head + 1, local);
    if (head < (yield* this.#read(this.#tail, local))) {
      const at = yield* this.#at(head, local);
      found = yield at.load();
      yield local(3);
    } else yield* this.#write(this.#head, head, local);
    yield* this.#lock.release(local);
    return found;
  }

  *pop(local: Local): Steps<number> {
    const tail = (yield* this.#read(this.#tail, local)) - 1;
    yield* this.#write(this.#tail, tail, local);
    if ((yield* this.#read(this.#head, local)) <= tail) {
      const at = yield* this.#at(tail, local);
      const found = yield at.load();
      yield local(2);
      return found;
    }
    yield* this.#write(this.#tail, tail + 1, local);
    return yield* this.#popAlone(local);
  }

  *#popAlone(local: Local): Steps<number> {
    let found = NOTHING;
    yield* this.#lock.acquire(local);
    const tail = (yield* this.#read(this.#tail, local)) - 1;
    yield* this.#write(this.#tail, tail, local);
    if ((yield* this.#read(this.#head, local)) <= tail) {
      const at = yield* this.#at(tail, local);
      found = yield at.load();
      yield local(3);
    } else yield* this.#write(this.#tail, tail + 1, local);
    if ((yield* this.#read(this.#head, local)) > tail) {
      yield* this.#write(this.#head, 0, local);
      yield* this.#write(this.#tail, 0, local);
      found = NOTHING;
    }
    yield* this.#lock.release(local);
    return found;
  }

  /** The bug: it takes one more than fits. */
  *push(value: number, local: Local): Steps {
    const tail = yield* this.#read(this.#tail, local);
    const head = yield* this.#read(this.#head, local);
    yield local(2);
    if (tail < head + (yield this.#mask.load()) + 1) {
      const at = yield* this.#at(tail, local);
      yield at.store(value);
      yield* this.#write(this.#tail, tail + 1, local);
    } else yield* this.#pushAlone(value, local);
  }

  *#pushAlone(value: number, local: Local): Steps {
    yield* this.#lock.acquire(local);
    const oldHead = yield* this.#read(this.#head, local);
    const count = (yield* this.#read(this.#tail, local)) - oldHead;
    const mask = yield this.#mask.load();
    const head = oldHead & mask;
    yield* this.#write(this.#head, head, local);
    yield* this.#write(this.#tail, head + count, local);
    if (count >= mask) {
      const [from, to] = [yield this.#base.load(), mask === 1 ? 2 : 4];
      for (let i = 0; i < count; i++) {
        yield local(6);
        const found = yield this.#elements[from + ((head + i) & mask)]!.load();
        yield this.#elements[(to + i) % 8]!.store(found);
      }
      yield this.#base.store(to % 8);
      yield this.#mask.store(2 * (mask + 1) - 1);
      yield* this.#write(this.#head, 0, local);
      yield* this.#write(this.#tail, count, local);
    }
    must(count < (yield this.#mask.load()), 'it has grown');
    const tail = yield* this.#read(this.#tail, local);
    const at = yield* this.#at(tail, local);
    yield at.store(value);
    yield* this.#write(this.#tail, tail + 1, local);
    yield* this.#lock.release(local);
  }
}

/** A thief, and the owner, which puts four items in and takes the rest: each is taken once. */
export const workSteal = (name: string, spins: boolean): World =>
  program(name, (threads) => {
    const lock = spins ? spinOf(threads) : mutexOf(threads);
    const items = threads.shared.array('items', 4);
    const work = new WorkQueue(threads, lock);
    const take = function* (item: number, local: Local): Steps {
      yield local(2);
      if (item === NOTHING) return;
      yield local(2);
      const found = yield items[item]!.load();
      yield items[item]!.store(found + 1);
    };
    const thief = threads.thread('thief', function* (local) {
      yield local(4);
      for (let i = 0; i < 2; i++) yield* take(yield* work.steal(local), local);
    });
    return threads.main(function* (local) {
      yield local(30);
      yield* create(thief, local);
      for (let i = 0; i < 2; i++) {
        yield local(4);
        yield* work.push(2 * i, local);
        yield local(3);
        yield* work.push(2 * i + 1, local);
        yield* take(yield* work.pop(local), local);
      }
      for (let i = 0; i < 2; i++) yield* take(yield* work.pop(local), local);
      yield* joinAll([thief], local);
      for (const item of items) must((yield item.load()) === 1, 'each is taken once');
    });
  });

/**
 * A stack of indices without a lock, by three threads: after five preemptions two have the same
 * one. Without thread-local steps: it is only to be found, not compared with figures.
 */
export const safestack = (): World =>
  world('safestack', (shared) => {
    const [head, count] = [shared.word('head'), shared.word('count', 3)];
    const next = [1, 2, NOTHING].map((to, i) => shared.word(`next ${i}`, to));
    const values = shared.array('values', 3);
    const pop = function* (): Steps<number> {
      while ((yield count.load()) > 1) {
        const first = yield head.load();
        const second = yield next[first]!.exchange(NOTHING);
        if (second < 0) {
          yield shared.relax();
          continue;
        }
        if ((yield head.compareExchange(first, second)) === first) {
          yield count.add(-1);
          return first;
        }
        yield next[first]!.exchange(second);
      }
      return NOTHING;
    };
    const push = function* (index: number): Steps {
      let first = yield head.load();
      for (;;) {
        yield next[index]!.store(first);
        const found = yield head.compareExchange(first, index);
        if (found === first) break;
        first = found;
      }
      yield count.add(1);
    };
    const thread = (id: number) =>
      function* (): Steps {
        for (let i = 0; i < 2; i++) {
          let index = yield* pop();
          for (; index < 0; index = yield* pop()) yield shared.relax();
          yield values[index]!.store(id);
          must((yield values[index]!.load()) === id, 'it is held by one alone');
          yield* push(index);
        }
      };
    return { threads: { a: thread(0), b: thread(1), c: thread(2) } };
  });
