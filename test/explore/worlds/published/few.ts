/**
 * Programs of SCTBench (Thomson, Donaldson, Betts: Concurrency Testing Using Controlled Schedulers,
 * TOPC 2016), written anew as worlds: a few threads, each with a different body.
 */

import type { Word } from '../../../../src/explore/worlds/shared.ts';
import type { Steps } from '../../../../src/explore/worlds/step.ts';
import type { World } from '../../../../src/explore/worlds/world.ts';
import { create, type HandedMutex, type Local, must, program, starts } from './pthread.ts';

/** The thread that is started first checks for the bug. */
export const account = (): World =>
  program('account', (threads) => {
    const { shared } = threads;
    const [balance, paid, drawn] = [
      shared.word('balance', 1),
      shared.word('paid'),
      shared.word('drawn'),
    ];
    const m = threads.mutex('m');
    const move = (amount: number, done: Word) =>
      function* (local: Local): Steps {
        yield local(1);
        yield* m.lock();
        const found = yield balance.load();
        yield local(1);
        yield balance.store(found + amount);
        yield done.store(1);
        yield m.unlock();
      };
    const check = threads.thread('check', function* (local) {
      yield local(1);
      yield* m.lock();
      if ((yield paid.load()) === 1 && (yield drawn.load()) === 1) {
        yield local(3);
        must((yield balance.load()) === -5, 'the balance');
      }
      yield m.unlock();
    });
    return starts(threads, [
      check,
      threads.thread('pay', move(2, paid)),
      threads.thread('draw', move(-4, drawn)),
    ]);
  });

/** A driver is stopped between the check of its state and the increment of its user count. */
export const bluetooth = (): World =>
  program('bluetooth', (threads) => {
    const { shared } = threads;
    const [users, isStopping] = [shared.word('users', 1), shared.word('is stopping')];
    const [nobody, stopped] = [shared.word('nobody'), shared.word('stopped')];
    const m = threads.mutex('atomic');
    const decrement = function* (local: Local): Steps {
      yield local(1);
      yield* m.lock();
      yield local(2);
      const found = yield users.load();
      yield users.store(found - 1);
      yield local(1);
      const now = yield users.load();
      yield local(1);
      yield m.unlock();
      yield local(1);
      if (now === 0) {
        yield local(1);
        yield nobody.store(1);
      }
    };
    const stop = threads.thread('stop', function* (local) {
      yield local(4);
      yield isStopping.store(1);
      yield local(1);
      yield* decrement(local);
      yield local(1);
      if ((yield nobody.load()) === 1) yield stopped.store(1);
    });
    return threads.main(function* (local) {
      yield local(4);
      yield* create(stop, local);
      yield local(4);
      let status = 0;
      if ((yield isStopping.load()) === 1) status = -1;
      else {
        yield* m.lock();
        yield local(2);
        const found = yield users.load();
        yield users.store(found + 1);
        yield m.unlock();
      }
      yield local(2);
      if (status === 0) must((yield stopped.load()) === 0, 'it goes on');
      yield local(1);
      yield* decrement(local);
      yield local(1);
      yield stop.join();
    });
  });

export const deadlock01 = (): World =>
  program('deadlock01', (threads) => {
    const [a, b] = [threads.mutex('a'), threads.mutex('b')];
    const counter = threads.shared.word('counter', 1);
    const both = (one: HandedMutex, other: HandedMutex, by: number) =>
      function* (local: Local): Steps {
        yield local(1);
        yield* one.lock();
        yield* other.lock();
        const found = yield counter.load();
        yield counter.store(found + by);
        yield other.unlock();
        yield one.unlock();
      };
    return starts(threads, [
      threads.thread('one', both(a, b, 1)),
      threads.thread('other', both(b, a, -1)),
    ]);
  });

/** The bug shows when the third of three threads runs last. */
export const lazy01 = (): World =>
  program('lazy01', (threads) => {
    const m = threads.mutex('m');
    const data = threads.shared.word('data');
    const held = (body: () => Steps) =>
      function* (local: Local): Steps {
        yield local(1);
        yield* m.lock();
        yield* body();
        yield m.unlock();
      };
    const add = (by: number) =>
      held(function* () {
        const found = yield data.load();
        yield data.store(found + by);
      });
    const look = held(function* () {
      must((yield data.load()) < 3, 'not both are done');
    });
    return starts(threads, [
      threads.thread('one', add(1)),
      threads.thread('two', add(2)),
      threads.thread('look', look),
    ]);
  });

/** Three threads pass a value on, and one checks whether all have the same. */
export const tokenRing = (): World =>
  program('token_ring', (threads) => {
    const { shared } = threads;
    const x = [shared.word('x1', 1), shared.word('x2', 2), shared.word('x3', 1)] as const;
    const done = shared.array('done', 3);
    const m = threads.mutex('atomic');
    const held = (body: (local: Local) => Steps) =>
      function* (local: Local): Steps {
        yield local(1);
        yield* m.lock();
        yield* body(local);
        yield m.unlock();
      };
    const hand = (to: number, from: number, by: number) =>
      held(function* () {
        const found = yield x[from]!.load();
        yield x[to]!.store((found + by) % 4);
        yield done[to]!.store(1);
      });
    const look = held(function* () {
      for (const word of done) if ((yield word.load()) === 0) return;
      const [a, b] = [yield x[0].load(), yield x[1].load()];
      must(a === b && (yield x[2].load()) === (yield x[1].load()), 'all the same');
    });
    return starts(
      threads,
      [
        threads.thread('one', hand(0, 2, 1)),
        threads.thread('two', hand(1, 0, 0)),
        threads.thread('three', hand(2, 1, 0)),
        threads.thread('look', look),
      ],
      false,
    );
  });

/** The first of each kind takes the second lock while it holds the first. */
export const carter01 = (): World =>
  program('carter01', (threads) => {
    const [m, l] = [threads.mutex('m'), threads.mutex('l')];
    const kind = (n: Word) =>
      function* (local: Local): Steps {
        yield local(1);
        yield* m.lock();
        yield n.store((yield n.load()) + 1);
        if ((yield n.load()) === 1) yield* l.lock();
        yield m.unlock();
        yield* m.lock();
        yield n.store((yield n.load()) - 1);
        if ((yield n.load()) === 0) yield l.unlock();
        yield m.unlock();
      };
    const nothing = function* (local: Local): Steps {
      yield local(1);
    };
    return starts(threads, [
      threads.thread('a', kind(threads.shared.word('as'))),
      threads.thread('b', kind(threads.shared.word('bs'))),
      threads.thread('c', nothing),
      threads.thread('d', nothing),
    ]);
  });

/** A buffer's length is read first, and that many characters later: not atomically. */
export const stringbuffer = (): World =>
  program('stringbuffer-jdk1.4', (threads) => {
    const { shared } = threads;
    const count = shared.word('count', 3);
    const characters = shared.array('characters', 3);
    const [buffer, mine] = [threads.mutex('buffer'), threads.mutex('mine')];
    const erase = threads.thread('erase', function* (local) {
      yield local(5);
      yield* buffer.lock();
      yield local(4);
      yield count.load();
      yield local(6);
      yield count.load();
      yield local(4);
      yield count.store((yield count.load()) - 3);
      yield local(1);
      yield buffer.unlock();
      yield local(6);
      yield* buffer.lock();
      yield local(8);
      yield count.load();
      yield local(4);
      for (const character of characters) yield character.store(1);
      yield local(2);
      yield count.store(3);
      yield buffer.unlock();
    });
    return threads.main(function* (local) {
      yield local(3);
      yield* create(erase, local);
      yield local(14);
      yield* mine.lock();
      yield local(3);
      yield* buffer.lock();
      yield local(1);
      const length = yield count.load();
      yield local(2);
      yield buffer.unlock();
      yield local(9);
      yield local(6);
      yield* buffer.lock();
      yield local(3);
      must(length <= (yield count.load()), 'so many are there');
      yield local(8);
      yield buffer.unlock();
      yield local(3);
      yield mine.unlock();
    });
  });
