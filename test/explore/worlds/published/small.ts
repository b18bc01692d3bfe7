/**
 * Programs of SCTBench (Thomson, Donaldson, Betts: Concurrency Testing Using Controlled Schedulers, TOPC
 * 2016), of its sets CS and CB, written anew as worlds.
 */

import type { ThreadHandle, Word } from '../../../../src/explore/worlds/shared.ts';
import type { Steps } from '../../../../src/explore/worlds/step.ts';
import type { World } from '../../../../src/explore/worlds/world.ts';
import {
  create,
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

/** The statements of an array of threads on the stack, whose length is not known. */
const ARRAYS = 24;

/**
 * `main`: two arrays of threads, all started one after the other, and waited for. `pointers` say where
 * locks are: who takes one looks there, and they are words like others.
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

/** Two writes that are to be seen together, and who looks between them. */
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

/** Who is to count alone has another lock than the others. */
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

/** `main`: some threads started one after the other, and, if it waits, waited for. */
const starts = (threads: Threads, all: readonly ThreadHandle[], waits = true) =>
  threads.main(function* (local) {
    yield local(2);
    for (const handle of all) yield* create(handle, local);
    for (const handle of waits ? all : []) {
      yield local(2);
      yield handle.join();
    }
  });

/** What is wrong is looked for by who is started first. */
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

/** A driver is stopped between a look at whether it is, and the count of who uses it. */
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

/** The last of three is not to be the last. */
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

/** Rounds of a loop, each of it under one lock. */
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

/** Who takes counts the rounds, and not what was put. */
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

/** What says that something is there is never taken back. */
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

/** As the stack, and who puts has one in it from the beginning. */
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

/** Three hand a value on, and one looks whether all have the same. */
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

/** A buffer is asked for its length, and then for so many characters: not in one. */
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
