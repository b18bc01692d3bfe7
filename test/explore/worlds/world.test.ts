/** Worlds of the user's own: threads over shared words, explored, verified, replayed and shrunk. */

import { describe, expect, test } from 'vitest';
import {
  explore,
  type Mutex,
  replay,
  type Shared,
  type Step,
  type Steps,
  shrink,
  UserError,
  verify,
  type Word,
  type World,
  type WorldCode,
  world,
  worldStrategies,
} from '../../../src/index.ts';

/** A counter that two threads increment, by two steps or by one. */
const counter = (isAtomic: boolean): World =>
  world('counter', (shared) => {
    const count = shared.word('count');
    const add = function* (): Steps {
      if (isAtomic) yield count.add(1);
      else yield count.store((yield count.load()) + 1);
    };
    return { threads: { a: add, b: add }, atEnd: () => expect(count.value).toBe(2) };
  });

const pair = (name: string, make: (shared: Shared) => (() => Steps)[]): World =>
  world(name, (shared) => ({
    threads: Object.fromEntries(make(shared).map((code, i) => [`t${i}`, code])),
  }));

const deadlocks = pair('deadlock', (shared) => {
  const [a, b] = [shared.mutex('a'), shared.mutex('b')];
  const both = (one: Mutex, other: Mutex) =>
    function* (): Steps {
      yield one.lock();
      yield other.lock();
      yield other.unlock();
      yield one.unlock();
    };
  return [both(a, b), both(b, a)];
});

describe('a lost update', () => {
  // It takes a preemption.
  test.each(worldStrategies.filter((name) => name !== 'pct-1'))(
    'is found by %s, and the same each time',
    async (strategy) => {
      const found = await explore(counter(false), { strategy });
      expect(found.failure).toMatchObject({ ending: 'violation' });
      expect(found.failure!.message).toContain('expected 1 to be 2');
      expect(await explore(counter(false), { strategy })).toEqual(found);
    },
  );

  test('is in no schedule of the one-step counter', async () => {
    const { failure, schedules, different } = await explore(counter(true), { schedules: 300 });
    expect([failure, schedules, different]).toEqual([undefined, 300, 2]);
  });

  test('replays, with its steps explained', async () => {
    const { failure } = await explore(counter(false));
    const again = replay(failure!.token, { test: counter(false) });
    expect(again).toEqual({
      ending: 'violation',
      message: failure!.message,
      steps: 4,
      story: failure!.story,
    });
    expect(again.story.filter((line) => / count\.store\(1\)/.test(line)).length).toBe(2);
  });

  test('is refused by a world with other steps', async () => {
    const { failure } = await explore(counter(false));
    const { token } = failure!;
    expect(() => replay(token, { test: counter(true) })).toThrow(/the run diverges/);
    expect(() => replay(token, { test: deadlocks })).toThrow(UserError);
    expect(() => replay(`${token}x`, { test: counter(false) })).toThrow(/damaged/);
    expect(() => replay('umbra5.x', { test: counter(false) })).toThrow(/umbraworld1/);
  });

  test('is shrunk to the one preemption that it takes', async () => {
    const { failure } = await explore(counter(false), { strategy: 'random', seed: 3 });
    const shrunk = await shrink(failure!.token, { test: counter(false) });
    expect(shrunk).toMatchObject({ ending: 'violation', preemptions: 1, proven: true });
    const { message } = replay(shrunk.token, { test: counter(false) });
    expect(message).toBe(shrunk.message);
  });

  test('is in half of the behaviours, and the search is complete', async () => {
    const { outcomes, ...verdict } = await verify(counter(false));
    expect(verdict).toMatchObject({ classes: 4, blocked: 0, complete: true });
    expect(verdict.failure!.message).toContain('expected 1 to be 2');
    expect(outcomes.map(({ ending, classes }) => [ending, classes])).toEqual([
      ['ok', 2],
      ['violation', 2],
    ]);
    for (const { token, ending } of outcomes) {
      expect(replay(token, { test: counter(false) }).ending).toBe(ending);
    }
  });
});

describe('failures', () => {
  test('two mutexes in two orders: names the waiting threads and their mutexes', async () => {
    const { failure } = await explore(deadlocks);
    expect(failure).toMatchObject({
      ending: 'deadlock',
      message: 't0 waits for b.lock(); t1 waits for a.lock()',
    });
    const { classes, outcomes } = await verify(deadlocks);
    expect([classes, outcomes.map(({ ending }) => ending)]).toEqual([3, ['ok', 'deadlock']]);
  });

  test('an endless loop', async () => {
    const spins = pair('spins', (shared) => {
      const flag = shared.word('flag');
      return [
        function* () {
          while ((yield flag.load()) === 0) yield shared.relax();
        },
      ];
    });
    const { failure } = await explore(spins, { mostSteps: 100 });
    expect(failure).toMatchObject({ ending: 'livelock', message: 'after 100 steps' });
    await expect(verify(spins)).rejects.toThrow(/infinitely many behaviours/);
  });

  test('verify has not run all behaviours of a loop that only the limit ends', async () => {
    const spins = pair('spins', (shared) => {
      const flag = shared.word('flag');
      return [
        function* () {
          while ((yield flag.load()) === 0);
        },
        function* () {
          yield flag.store(1);
        },
      ];
    });
    await expect(verify(spins)).rejects.toThrow(/after 10000 steps.* infinitely many behaviours/);
  });

  test.each<[string, (word: Word) => Generator<unknown>, RegExp]>([
    [
      'a step that is not yielded',
      function* (word) {
        yield word.load();
        word.store(1);
      },
      /^t0: found 1 step made and not yielded, expected a yield/,
    ],
    [
      'what is no step',
      function* () {
        yield 5;
      },
      /^t0: found 5 yielded, expected a step/,
    ],
    [
      'another generator',
      function* (word) {
        yield (function* () {
          yield word.load();
        })();
      },
      /^t0: found \[object Generator\] yielded, .* yield\*$/,
    ],
  ])('%s is a failure that says so', async (_, code, says) => {
    const wrong = pair('wrong', (shared) => {
      const word = shared.word('word');
      return [() => code(word) as Steps];
    });
    const { failure } = await explore(wrong);
    expect(failure!.message).toMatch(says);
    expect(replay(failure!.token, { test: wrong }).message).toBe(failure!.message);
  });

  test('steps made before they are yielded, or yielded again, are none', async () => {
    const early = pair('early', (shared) => {
      const [a, b] = [shared.word('a'), shared.word('b')];
      return [
        function* () {
          const [first, then] = [a.add(1), b.add(1)];
          for (const step of [first, then, first]) yield step;
        },
      ];
    });
    expect((await explore(early)).failure).toBeUndefined();
  });

  test('code that is no world, or no generator, is refused', async () => {
    const none = (make: unknown) => explore(world('none', make as World['make']));
    await expect(none(() => 3)).rejects.toThrow(/^world none: found no threads, expected/);
    await expect(none(async () => ({ threads: {} }))).rejects.toThrow(/found no threads/);
    const thread = (code: unknown) => none(() => ({ threads: { a: code } }));
    for (const code of [5, () => {}, async function* () {}]) {
      await expect(thread(code)).rejects.toThrow(/^thread a: found no generator, expected one/);
    }
    const late = { threads: { *a() {} }, atEnd: () => Promise.reject(new Error('late')) };
    expect((await none(() => late)).failure!.message).toMatch(/^atEnd: found a promise/);
  });

  test('a search that is aborted says so', async () => {
    const of = async (signal?: AbortSignal) =>
      (await explore(counter(true), { ...(signal && { signal }), schedules: 3 })).interrupted;
    expect(await of()).toBe(false);
    expect(await of(AbortSignal.abort())).toBe(true);
  });

  test('unlocking a mutex that is not held', async () => {
    const wrong = pair('wrong', (shared) => {
      const mutex = shared.mutex('mutex');
      return [
        function* () {
          yield mutex.unlock();
        },
      ];
    });
    const { failure } = await explore(wrong);
    expect(failure!.message).toBe('mutex.unlock(): found it not held by this thread');
  });

  test('after one thread throws, the steps of the others are part of the behaviours', async () => {
    const throws = pair('throws', (shared) => {
      const x = shared.word('x');
      return [
        function* () {
          yield x.store(1);
          throw new Error('always');
        },
        function* () {
          yield x.load();
        },
      ];
    });
    const { classes, outcomes } = await verify(throws);
    expect([classes, outcomes.length]).toEqual([2, 1]);
  });
});

test('a loop that waits for another thread ends under every strategy', async () => {
  const waits = pair('waits', (shared) => {
    const flag = shared.word('flag');
    return [
      function* () {
        while ((yield flag.load()) === 0) yield shared.relax();
      },
      function* () {
        yield flag.store(1);
      },
    ];
  });
  for (const strategy of worldStrategies) {
    const { failure } = await explore(waits, { strategy, schedules: 100, mostSteps: 60 });
    expect(failure, strategy).toBeUndefined();
  }
});

describe('a condition variable', () => {
  /** One item; a consumer checks again after it is woken, or does not. */
  const queue = (looksAgain: boolean, broadcasts = false): World =>
    world('queue', (shared): WorldCode => {
      const items = shared.word('items');
      const [mutex, filled] = [shared.mutex('mutex'), shared.condition('filled')];
      const put = function* (): Steps {
        yield mutex.lock();
        yield items.add(1);
        yield broadcasts ? filled.broadcast() : filled.signal();
        yield mutex.unlock();
      };
      const take = function* (): Steps {
        yield mutex.lock();
        if (looksAgain) while ((yield items.load()) === 0) yield* filled.wait(mutex);
        else if ((yield items.load()) === 0) yield* filled.wait(mutex);
        if ((yield items.add(-1)) === 0) throw new Error('nothing there');
        yield mutex.unlock();
      };
      return { threads: { put, putMore: put, take, takeMore: take } };
    });

  test('whose waiters check again is correct in all behaviours', async () => {
    const { complete, failure, classes } = await verify(queue(true));
    expect([complete, failure]).toEqual([true, undefined]);
    expect(classes).toBeGreaterThan(20);
  });

  test("whose waiters do not check again lets one take the other's item", async () => {
    const { failure } = await verify(queue(false));
    expect(failure!.message).toBe('nothing there');
    expect((await explore(queue(false), { schedules: 5000 })).failure).toBeDefined();
  });

  test('signal wakes one of the waiters, broadcast all', async () => {
    const called = (does: 'signal' | 'broadcast'): World =>
      pair(does, (shared) => {
        const [mutex, go] = [shared.mutex('mutex'), shared.condition('go')];
        const waiting = shared.word('waiting');
        const wait = function* (): Steps {
          yield mutex.lock();
          yield waiting.add(1);
          yield* go.wait(mutex);
          yield mutex.unlock();
        };
        const call = function* (): Steps {
          yield waiting.until((n) => n === 2);
          yield mutex.lock();
          yield go[does]();
          yield mutex.unlock();
        };
        return [wait, wait, call];
      });
    const { outcomes } = await verify(called('signal'));
    expect(new Set(outcomes.map(({ ending }) => ending))).toEqual(new Set(['deadlock']));
    // Either of them.
    expect(outcomes.length).toBe(2);
    expect((await verify(called('broadcast'))).outcomes.map(({ ending }) => ending)).toEqual([
      'ok',
    ]);
  });
});

describe('threads started by others', () => {
  test('run from there on, and are joined', async () => {
    const spawns = pair('spawns', (shared) => {
      const x = shared.word('x');
      const add = function* (): Steps {
        yield x.add(1);
      };
      const [one, other] = [shared.thread('one', add), shared.thread('other', add)];
      return [
        function* () {
          yield one.start();
          yield other.start();
          yield one.join();
          yield other.join();
          if ((yield x.load()) !== 2) throw new Error('not both');
        },
      ];
    });
    expect(await verify(spawns)).toMatchObject({ classes: 2, complete: true, failure: undefined });
    expect((await explore(spawns)).failure).toBeUndefined();
  });
});

test('a wait for several words ends by any of them, and none is missed', async () => {
  const either = (shared: Shared): [Word, Word] => [shared.word('x'), shared.word('y')];
  const waits = pair('either', (shared) => {
    const [x, y] = either(shared);
    return [
      function* () {
        yield x.store(1);
      },
      function* () {
        yield y.store(1);
      },
      function* () {
        yield shared.until([x, y], (a, b) => a + b > 0);
      },
    ];
  });
  // For each order of the two stores: after the first of them, or after both.
  expect((await verify(waits)).classes).toBe(4);
});

test('reports invalid options and worlds', async () => {
  const none = world('none', () => ({ threads: {} }));
  await expect(explore(none)).rejects.toThrow('world none: found no threads, expected one');
  await expect(explore(counter(true), { schedules: 0 })).rejects.toThrow(
    'schedules: found 0, expected a whole number of at least 1',
  );
  const sweep = { strategy: 'sweep' } as object;
  await expect(explore(counter(true), sweep)).rejects.toThrow(/^strategy: found "sweep", /);
  const many = pair('many', () => Array<() => Steps>(32).fill(function* () {}));
  await expect(explore(many)).rejects.toThrow('a world has at most 31 threads');
});

test('a number that does not fit a word is a failure, with its place', async () => {
  const wordOf = (step: (word: Word) => Step, initial = 0) =>
    explore(
      world('one', (shared) => {
        const word = shared.word('x', initial);
        const only = function* (): Steps {
          yield step(word);
        };
        return { threads: { only } };
      }),
      { schedules: 1 },
    );
  const range = 'expected a whole number from -2147483648 to 2147483647';
  const wrong: readonly (readonly [string, (word: Word) => Step, number])[] = [
    ['store(1099511627776)', (word) => word.store(2 ** 40), 2 ** 40],
    ['store(2147483648)', (word) => word.store(2 ** 31), 2 ** 31],
    ['exchange(0.5)', (word) => word.exchange(0.5), 0.5],
    ['compareExchange(0, NaN)', (word) => word.compareExchange(0, Number.NaN), Number.NaN],
    ['add(4294967296)', (word) => word.add(2 ** 32), 2 ** 32],
    ['update(…)', (word) => word.update((found) => found + 2 ** 31), 2 ** 31],
    [
      'until(…)',
      (word) =>
        word.until(
          () => true,
          () => -(2 ** 32),
        ),
      -(2 ** 32),
    ],
  ];
  for (const [does, step, value] of wrong) {
    const { failure } = await wordOf(step);
    expect(failure).toMatchObject({
      ending: 'violation',
      message: `x.${does}: found ${value}, ${range}`,
    });
  }
  await expect(wordOf((word) => word.load(), 2 ** 31)).rejects.toThrow(
    `word x: found 2147483648, ${range}`,
  );
  // A sum wraps around, as the processor's does.
  expect((await wordOf((word) => word.add(1), 2 ** 31 - 1)).failure).toBeUndefined();
});

test('an aborted search returns its result so far', async () => {
  const { schedules } = await explore(counter(true), { signal: AbortSignal.abort() });
  expect(schedules).toBe(0);
  expect((await verify(counter(true), { schedules: 1 })).complete).toBe(false);
});
