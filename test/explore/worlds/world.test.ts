/** Worlds of the user's own: threads over shared words, explored, verified, replayed and shrunk. */

import { describe, expect, test } from 'vitest';
import {
  explore,
  replay,
  type Shared,
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
import { counter, deadlocks, pair } from './small.ts';

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

test('an aborted search returns its result so far', async () => {
  const aborted = await explore(counter(true), { signal: AbortSignal.abort() });
  expect(aborted).toMatchObject({ schedules: 0, interrupted: true });
  expect((await explore(counter(true), { schedules: 3 })).interrupted).toBe(false);
  expect((await verify(counter(true), { schedules: 1 })).complete).toBe(false);
});
