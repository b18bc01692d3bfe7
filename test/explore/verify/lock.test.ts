/** The lock itself (shared/lock.ts), under every order of its accesses, each once. */

import { describe, expect, test } from 'vitest';
import { Lock } from '../../../shared/lock.ts';
import type { Words } from '../../../shared/words.ts';
import { toPtr } from '../../../src/hardware/address.ts';
import { SLOW } from '../../slow.ts';
import {
  type Access,
  bruteForce,
  cas,
  exchange,
  load,
  store,
  type Task,
  verify,
  waitWhile,
} from './tasks.ts';

const [COUNT, LOCK, INSIDE] = [0, 1, 2];

/** Thrown where a body makes its next new access. */
class Pending {
  readonly access: Access;
  constructor(access: Access) {
    this.access = access;
  }
}

/** Ordinary code as a task: left by a throw at each access, repeated with the results so far. */
function taskOf(body: (words: Words) => void): Task {
  return function* () {
    const log: number[] = [];
    for (;;) {
      const pending = attempt(body, log);
      if (pending === undefined) return;
      log.push(yield pending);
    }
  };
}

function attempt(body: (words: Words) => void, log: readonly number[]): Access | undefined {
  let next = 0;
  const make = (access: Access): number => {
    if (next === log.length) throw new Pending(access);
    return log[next++]!;
  };
  // Words of the tasks are signed, those of the machine are not.
  const words = {
    load: (at: number) => make(load(at)) >>> 0,
    store: (at: number, value: number) => void make(store(at, value | 0)),
    exchange: (at: number, value: number) => make(exchange(at, value | 0)) >>> 0,
    compareExchange: (at: number, expected: number, value: number) =>
      make(cas(at, expected | 0, value | 0)) >>> 0,
    tryLock: (at: number, free: number, mine: number) =>
      make(cas(at, free, mine | 0)) >>> 0 === free,
    glance: (at: number) => make(load(at)) >>> 0,
    wait: (at: number, expected: number) => void make(waitWhile(at, expected | 0)),
    notify: () => {},
  };
  try {
    body(words as unknown as Words);
    return undefined;
  } catch (error) {
    if (error instanceof Pending) return error.access;
    throw error;
  }
}

type Locking = Pick<Lock, 'acquire' | 'release'>;

/**
 * Tasks that enter the critical section this many times each, and count there by load and store.
 */
const counting = (tasks: number, times: number, lockOver: (words: Words) => Locking): Task[] =>
  Array.from({ length: tasks }, (_, holder) =>
    taskOf((words) => {
      const lock = lockOver(words);
      for (let i = 0; i < times; i++) {
        lock.acquire(holder);
        words.store(toPtr(INSIDE), holder + 1);
        words.store(toPtr(COUNT), words.load(toPtr(COUNT)) + 1);
        lock.release(holder);
      }
    }),
  );

const ours = (words: Words): Locking => new Lock(words, toPtr(LOCK), () => false);

/** Possible final memories: the count, and the lock. */
const endsOf = ({ ends }: ReturnType<typeof verify>): string[] =>
  [
    ...new Set(
      [...ends].map((end) =>
        end
          .split(',')
          .slice(COUNT, LOCK + 1)
          .join(),
      ),
    ),
  ].toSorted();

describe('the lock excludes others, lets every task in, and is free at the end', () => {
  const sizes: [number, number][] = [
    [2, 1],
    [2, 2],
    [3, 1],
  ];
  if (SLOW) sizes.push([2, 3]);

  test.each(sizes)('%i tasks, %i times each', (tasks, times) => {
    const verified = verify(counting(tasks, times, ours));
    expect(endsOf(verified)).toEqual([`${tasks * times},0`]);
    expect(verified.isStuck).toBe(false);
    expect(new Set(verified.traces).size).toBe(verified.traces.length);
    expect(verified.traces.length).toBeGreaterThan(1);
  });

  test('over all interleavings', () => {
    const program = counting(2, 1, ours);
    expect(new Set(verify(program).traces)).toEqual(bruteForce(program).traces);
  });
});

describe('a broken lock is found', () => {
  test('that checks, and then takes', () => {
    const broken = (words: Words): Locking => ({
      acquire: () => {
        while (words.load(toPtr(LOCK)) !== 0) words.wait(toPtr(LOCK), 1, 0);
        words.store(toPtr(LOCK), 1);
        return false;
      },
      release: () => words.store(toPtr(LOCK), 0),
    });
    expect(endsOf(verify(counting(2, 1, broken)))).toContain('1,0');
  });

  test('that is not released', () => {
    const broken = (words: Words): Locking => ({
      acquire: (holder) => ours(words).acquire(holder),
      release: () => {},
    });
    expect(verify(counting(2, 1, broken)).isStuck).toBe(true);
  });
});
