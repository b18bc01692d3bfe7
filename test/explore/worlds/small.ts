/** Small worlds, for tests. */

import { expect } from 'vitest';
import { type Mutex, type Shared, type Steps, type World, world } from '../../../src/index.ts';

/** A counter that two threads increment, by two steps or by one. */
export const counter = (isAtomic: boolean): World =>
  world('counter', (shared) => {
    const count = shared.word('count');
    const add = function* (): Steps {
      if (isAtomic) yield count.add(1);
      else yield count.store((yield count.load()) + 1);
    };
    return { threads: { a: add, b: add }, atEnd: () => expect(count.value).toBe(2) };
  });

export const pair = (name: string, make: (shared: Shared) => (() => Steps)[]): World =>
  world(name, (shared) => ({
    threads: Object.fromEntries(make(shared).map((code, i) => [`t${i}`, code])),
  }));

export const deadlocks = pair('deadlock', (shared) => {
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
