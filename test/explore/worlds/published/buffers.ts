/**
 * Programs of SCTBench (Thomson, Donaldson, Betts: Concurrency Testing Using Controlled Schedulers,
 * TOPC 2016), written anew as worlds: a producer and a consumer.
 */

import type { Steps } from '../../../../src/explore/worlds/step.ts';
import type { World } from '../../../../src/explore/worlds/world.ts';
import { type HandedMutex, type Local, must, program, starts } from './pthread.ts';

/** Rounds of a loop, each under one lock. */
const rounds = (m: HandedMutex, n: number, body: (i: number, local: Local) => Steps) =>
  function* (local: Local): Steps {
    yield local(2);
    for (let i = 0; i < n; i++) {
      yield local(1);
      yield* m.lock();
      yield* body(i, local);
      yield m.unlock();
      yield local(1);
    }
    yield local(1);
  };

/** The consumer counts the rounds, not the items. */
export const circularBuffer = (): World =>
  program('circular_buffer', (threads) => {
    const { shared } = threads;
    const [n, size] = [7, 10];
    const buffer = shared.array('buffer', size);
    const [first, next] = [shared.word('first'), shared.word('next')];
    const [send, receive] = [shared.word('send', 1), shared.word('receive')];
    const m = threads.mutex('m');
    const put = rounds(m, n, function* (i, local) {
      if ((yield send.load()) === 0) return;
      yield local(2);
      if ((yield next.load()) < size) {
        yield local(2);
        yield buffer[yield next.load()]!.store(i);
        const found = yield next.load();
        yield local(1);
        yield next.store((found + 1) % size);
        yield next.load();
        yield local(2);
      }
      yield send.store(0);
      yield receive.store(1);
    });
    const take = rounds(m, n, function* (i, local) {
      if ((yield receive.load()) === 0) return;
      let taken = -1;
      if ((yield next.load()) > 0 && (yield first.load()) < size) {
        yield local(1);
        const found = yield first.load();
        yield first.store(found + 1);
        taken = yield buffer[(yield first.load()) - 1]!.load();
      }
      yield local(1);
      must(taken === i, 'the next one');
      yield receive.store(0);
      yield send.store(1);
    });
    return starts(threads, [threads.thread('put', put), threads.thread('take', take)]);
  });

/** The flag that an item is there is never cleared. */
export const stack = (): World =>
  program('stack', (threads) => {
    const { shared } = threads;
    const size = 10;
    const elements = shared.array('elements', size);
    const [top, flag] = [shared.word('top'), shared.word('flag')];
    const m = threads.mutex('m');
    const push = rounds(m, size, function* (i, local) {
      yield local(3);
      must((yield top.load()) !== size, 'there is room');
      yield local(2);
      yield elements[yield top.load()]!.store(i);
      const found = yield top.load();
      yield top.store(found + 1);
      yield flag.store(1);
    });
    const pop = rounds(m, size, function* (_, local) {
      if ((yield flag.load()) === 0) return;
      yield local(1);
      must((yield top.load()) !== 0, 'something is there');
      const found = yield top.load();
      yield top.store(found - 1);
      yield local(1);
      yield elements[yield top.load()]!.load();
    });
    return starts(threads, [threads.thread('push', push), threads.thread('pop', pop)]);
  });

/** Like the stack, but the producer starts with one item in it. */
export const queue = (): World =>
  program('queue', (threads) => {
    const { shared } = threads;
    const size = 20;
    const elements = shared.array('elements', size + 1);
    const stored = shared.array('stored', size);
    const [head, tail, amount] = [shared.word('head'), shared.word('tail'), shared.word('amount')];
    const [canPut, canTake] = [shared.word('can put', 1), shared.word('can take')];
    const m = threads.mutex('m');
    const enqueue = function* (value: number, local: Local): Steps {
      yield local(5);
      yield elements[yield tail.load()]!.store(value);
      yield amount.store((yield amount.load()) + 1);
      const found = yield tail.load();
      yield local(1);
      yield tail.store(found === size ? 1 : found + 1);
    };
    const more = rounds(m, size - 1, function* (i, local) {
      if ((yield canPut.load()) === 0) return;
      yield local(1);
      yield* enqueue(i + 1, local);
      yield local(2);
      yield stored[i + 1]!.store(i + 1);
      yield canPut.store(0);
      yield canTake.store(1);
    });
    const put = function* (local: Local): Steps {
      yield* m.lock();
      yield* enqueue(0, local);
      yield stored[0]!.store(0);
      yield head.load();
      yield tail.load();
      yield m.unlock();
      yield* more(local);
    };
    const take = rounds(m, size, function* (i, local) {
      if ((yield canTake.load()) === 0) return;
      yield local(3);
      const taken = yield elements[yield head.load()]!.load();
      yield amount.store((yield amount.load()) - 1);
      const found = yield head.load();
      yield local(1);
      yield head.store(found === size ? 1 : found + 1);
      yield local(1);
      must(taken === (yield stored[i]!.load()), 'the next one');
      yield canTake.store(0);
      yield canPut.store(1);
    });
    return starts(threads, [threads.thread('put', put), threads.thread('take', take)]);
  });
