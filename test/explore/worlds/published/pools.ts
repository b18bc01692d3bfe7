/**
 * Programs of SCTBench (Thomson, Donaldson, Betts: Concurrency Testing Using Controlled Schedulers,
 * TOPC 2016), written anew as worlds: two pools of threads, which main starts and joins.
 */

import type { ThreadHandle, Word } from '../../../../src/explore/worlds/shared.ts';
import type { Steps } from '../../../../src/explore/worlds/step.ts';
import type { World } from '../../../../src/explore/worlds/world.ts';
import {
  createAll,
  type HandedMutex,
  joinAll,
  type Local,
  must,
  program,
  type Threads,
} from './pthread.ts';

const times = <T>(n: number, make: (i: number) => T): T[] =>
  Array.from({ length: n }, (_, i) => make(i));

/** The statements for a thread array on the stack, of a length unknown at compile time. */
const ARRAYS = 24;

/**
 * `main`: two arrays of threads, all started one after the other, and joined. `pointers` hold the
 * addresses of locks: taking a lock loads one, as a word like others.
 */
const pools = (threads: Threads, pointers: readonly Word[], all: readonly ThreadHandle[]) =>
  threads.main(function* (local) {
    for (const pointer of pointers) {
      yield pointer.store(1);
      yield pointer.load();
      yield local(2);
    }
    yield local(ARRAYS);
    yield* createAll(all, local);
    yield* joinAll(all, local);
  });

/** Two writes that should be atomic, and a reader between them. */
export const reorder = (setters: number, checkers: number): World =>
  program('reorder', (threads) => {
    const [a, b] = [threads.shared.word('a'), threads.shared.word('b')];
    const set = function* (local: Local): Steps {
      yield local(1);
      yield a.store(1);
      yield b.store(-1);
    };
    const check = function* (local: Local): Steps {
      yield local(1);
      if ((yield a.load()) === 0 && (yield b.load()) === 0) return;
      must((yield a.load()) === 1 && (yield b.load()) === -1, 'one of the two');
    };
    return pools(
      threads,
      [],
      [
        ...times(setters, (i) => threads.thread(`set ${i}`, set)),
        ...times(checkers, (i) => threads.thread(`check ${i}`, check)),
      ],
    );
  });

/** A second value follows the first, under another lock. */
export const twostage = (writers: number, readers: number): World =>
  program('twostage', (threads) => {
    const [one, other] = [threads.shared.word('one'), threads.shared.word('other')];
    const [first, second] = [threads.mutex('first'), threads.mutex('second')];
    const [toFirst, toSecond] = [threads.shared.word('→ first'), threads.shared.word('→ second')];
    const write = function* (local: Local): Steps {
      yield local(1);
      yield toFirst.load();
      yield* first.lock();
      yield one.store(1);
      yield toFirst.load();
      yield first.unlock();
      yield toSecond.load();
      yield* second.lock();
      const found = yield one.load();
      yield other.store(found + 1);
      yield toSecond.load();
      yield second.unlock();
    };
    const read = function* (local: Local): Steps {
      yield local(3);
      yield toFirst.load();
      yield* first.lock();
      const isNone = (yield one.load()) === 0;
      if (isNone) {
        yield toFirst.load();
        yield first.unlock();
        return;
      }
      const was = yield one.load();
      yield local(1);
      yield toFirst.load();
      yield first.unlock();
      yield toSecond.load();
      yield* second.lock();
      const is = yield other.load();
      yield local(1);
      yield toSecond.load();
      yield second.unlock();
      yield local(2);
      must(is === was + 1, 'the second follows');
    };
    return pools(
      threads,
      [toFirst, toSecond],
      [
        ...times(writers, (i) => threads.thread(`write ${i}`, write)),
        ...times(readers, (i) => threads.thread(`read ${i}`, read)),
      ],
    );
  });

/** The thread that should count alone takes another lock than the others. */
export const wronglock = (others: number): World =>
  program('wronglock', (threads) => {
    const value = threads.shared.word('value');
    const [right, wrong] = [threads.mutex('right'), threads.mutex('wrong')];
    const [toRight, toWrong] = [threads.shared.word('→ right'), threads.shared.word('→ wrong')];
    const held = function* (mutex: HandedMutex, local: Local, body: () => Steps): Steps {
      const pointer = mutex === right ? toRight : toWrong;
      yield pointer.load();
      yield local(2);
      yield* mutex.lock();
      yield local(2);
      yield* body();
      yield pointer.load();
      yield local(2);
      yield mutex.unlock();
      yield local(2);
    };
    const alone = function* (local: Local): Steps {
      yield local(1);
      yield* held(right, local, function* () {
        const was = yield value.load();
        yield local(1);
        const found = yield value.load();
        yield value.store(found + 1);
        const is = yield value.load();
        yield local(1);
        must(is === was + 1, 'nobody else counts');
      });
    };
    const count = function* (local: Local): Steps {
      yield local(1);
      yield* held(wrong, local, function* () {
        const found = yield value.load();
        yield value.store(found + 1);
      });
    };
    return pools(
      threads,
      [toRight, toWrong],
      [
        threads.thread('alone', alone),
        ...times(others, (i) => threads.thread(`count ${i}`, count)),
      ],
    );
  });
