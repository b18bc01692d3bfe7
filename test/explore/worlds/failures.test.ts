/** Failures of worlds, and mistakes in them, are reported. */

import { describe, expect, test } from 'vitest';
import {
  explore,
  replay,
  type Shared,
  type Step,
  type Steps,
  shrink,
  verify,
  type Word,
  type World,
  world,
} from '../../../src/index.ts';
import { counter, deadlocks, pair } from './small.ts';

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
    const endless = { ending: 'livelock', message: 'after 100 steps' };
    expect(failure).toMatchObject(endless);
    expect(await shrink(failure!.token, { test: spins })).toMatchObject(endless);
    await expect(verify(spins)).rejects.toThrow(/infinitely many behaviours/);
  });

  const throws = (): never => {
    throw new Error('no');
  };

  test.each<[string, (shared: Shared, word: Word) => readonly (() => Steps)[]]>([
    [
      'a mutex that is not held',
      (shared, word) => {
        const mutex = shared.mutex('m');
        return [
          function* () {
            if ((yield mutex.tryLock()) === 1) yield word.store(1);
            yield mutex.unlock();
          },
          function* () {
            yield mutex.lock();
            yield word.load();
            yield mutex.unlock();
          },
        ];
      },
    ],
    [
      'a change',
      (_, word) => [
        function* () {
          yield word.store(1);
          yield word.update(throws);
        },
        function* () {
          yield word.load();
          yield word.load();
        },
      ],
    ],
    [
      'a change after a wait',
      (_, word) => [
        function* () {
          yield word.until((found) => found === 1, throws);
        },
        function* () {
          yield word.store(1);
        },
      ],
    ],
    [
      'a condition',
      (_, word) => [
        function* () {
          yield word.until((found) => found === 3 || (found === 2 && throws()));
        },
        function* () {
          for (const value of [1, 2, 3]) yield word.store(value);
        },
      ],
    ],
    [
      'a condition on several words',
      (shared, word) => {
        const other = shared.word('other');
        return [
          function* () {
            yield shared.until([word, other], (a, b) => a === 2 || (b === 1 && throws()));
          },
          function* () {
            yield other.store(1);
            yield word.store(2);
          },
        ];
      },
    ],
    [
      'a condition variable whose mutex is not held',
      (shared, word) => {
        const [mutex, condition] = [shared.mutex('m'), shared.condition('c')];
        return [
          function* () {
            yield* condition.wait(mutex);
          },
          function* () {
            yield mutex.lock();
            yield word.store(1);
            yield condition.signal();
            yield mutex.unlock();
          },
        ];
      },
    ],
    [
      'a thread that is started twice',
      (shared, word) => {
        const thread = shared.thread('t', function* () {
          yield word.store(1);
        });
        const starts = function* (): Steps {
          yield thread.start();
        };
        return [starts, starts];
      },
    ],
  ])('%s that throws: replayed, shrunk and verified', async (_name, threads) => {
    const test = pair('throws', (shared) => [...threads(shared, shared.word('x'))]);
    const { failure } = await explore(test);
    const { ending, message } = failure!;
    expect(ending).toBe('violation');
    expect(await replay(failure!.token, { test })).toMatchObject({ ending, message });
    expect(await shrink(failure!.token, { test })).toMatchObject({ ending, message });
    const { complete, outcomes } = await verify(test);
    expect(complete).toBe(true);
    expect(outcomes.map((outcome) => outcome.message)).toContain(message);
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

test('a world that is not deterministic is refused', async () => {
  let runs = 0;
  const kept = pair('kept', (shared) => {
    const x = shared.word('x');
    const add = function* (): Steps {
      for (let i = 0; i <= runs; i++) yield x.add(1);
    };
    runs++;
    return [add, add];
  });
  await expect(explore(kept)).rejects.toThrow(/^world kept: found other steps in the second run/);
});

test('reports invalid options and worlds', async () => {
  const none = world('none', () => ({ threads: {} }));
  await expect(explore(none)).rejects.toThrow('world none: found no threads, expected one');
  await expect(explore(counter(true), { schedules: 0 })).rejects.toThrow(
    'schedules: found 0, expected a whole number of at least 1',
  );
  const twice = pair('twice', (shared) =>
    [shared.word('x'), shared.word('x')].map(() => function* () {}),
  );
  await expect(explore(twice)).rejects.toThrow(
    "found a second word called 'x', expected a name of its own",
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
