/** The search through all behaviours finds those that brute force finds, each once. */

import { describe, expect, test } from 'vitest';
import { SLOW } from '../../slow.ts';
import { type Drawn, drawnProgram } from './drawn.ts';
import {
  type Access,
  add,
  bruteForce,
  count,
  down,
  exchange,
  load,
  lock,
  MUTEX,
  store,
  type Task,
  unlock,
  up,
  verify,
  waitUntil,
  waitWhile,
} from './tasks.ts';

const plain = (...accesses: readonly Access[]): Task =>
  function* () {
    for (const access of accesses) yield access;
  };

function expectAll(program: readonly Task[]): ReturnType<typeof verify> {
  const verified = verify(program);
  const { traces } = verified;
  expect(new Set(traces).size).toBe(traces.length);
  expect(new Set(traces)).toEqual(bruteForce(program).traces);
  return verified;
}

/** Finds what brute force finds, each once. Returns the number of blocked runs. */
function expectAllOfDrawn(which: Drawn): number {
  const { several, counts, references } = which;
  let [behaviours, blocked, stuck, orders] = [0, 0, 0, 0];
  for (let seed = 0; seed < (SLOW ? 5000 : 600); seed++) {
    const program = drawnProgram(seed, which);
    const tied = several ? [1, 2, 3] : [];
    const verified = verify(program, { tied });
    const forced = bruteForce(program, tied);
    const found = new Set(verified.traces);
    const same =
      found.size === forced.traces.size && [...found].every((trace) => forced.traces.has(trace));
    if (!same || found.size !== verified.traces.length) {
      expect.fail(
        `seed ${seed}: ${verified.traces.length} runs, ${found.size} of them different, ` +
          `where there are ${forced.traces.size} behaviours`,
      );
    }
    expect(program.length === 2 ? verified.blocked : 0).toBe(0);
    behaviours += found.size;
    blocked += verified.blocked;
    orders += forced.orders;
    if (verified.isStuck) stuck++;
  }
  // The drawn programs have enough behaviours to be a test.
  expect(orders).toBeGreaterThan(5 * behaviours);
  expect(stuck).toBeGreaterThan(references ? 0 : counts ? 5 : 50);
  expect(blocked).toBeLessThan(behaviours / 50);
  return blocked;
}

test('drawn programs of two to four tasks with waits, locks, and accesses that depend on loads', () => {
  expect(expectAllOfDrawn({})).toBeGreaterThan(0);
});

test('the same with waits for one of two words, whose changes conflict', () => {
  expectAllOfDrawn({ several: true });
});

test('the same with adds whose result is not used, which commute', () => {
  expectAllOfDrawn({ counts: true });
  const [once, again] = [plain(count(1), count(1)), plain(count(1, 2), load(1))];
  expect(expectAll([once, once]).traces.length).toBe(1);
  expect(expectAll([once, again]).traces.length).toBe(3);
});

test('the same with references that are counted, and the last of which is seen', () => {
  expectAllOfDrawn({ references: true });
  const [gives, borrows] = [plain(down(1)), plain(up(1), down(1))];
  const from = (value: number) => plain(store(1, value), store(2, 1));
  const then = (task: Task): Task =>
    function* () {
      yield waitUntil(2, 1);
      yield* task();
    };
  const behaviours = (value: number, ...tasks: readonly Task[]): number =>
    expectAll([from(value), ...tasks.map(then)]).traces.length;
  // Either may put the last one; with a third, neither does.
  expect(behaviours(4, gives, gives)).toBe(2);
  expect(behaviours(6, gives, gives)).toBe(1);
  expect(behaviours(2, borrows, borrows)).toBe(1);
  expect(behaviours(2, borrows, gives)).toBe(3);
});

test('the same with references that are handed on, and put by another task', () => {
  expectAllOfDrawn({ references: true, handed: true, lengths: [6, 4, 2] });
  const takes = plain(store(1, 2), lock(MUTEX), up(1), unlock(MUTEX), store(2, 1));
  const puts = plain(waitUntil(2, 1), lock(MUTEX, 2), down(1), unlock(MUTEX));
  const borrows = plain(waitUntil(2, 1), up(1), down(1));
  expect(expectAll([takes, puts, borrows]).traces.length).toBe(1);
});

test('the same with steps that access a second word, also those that take a lock or wait', () => {
  expectAllOfDrawn({ more: true, lengths: [4, 2, 2] });
});

describe('a waiting task', () => {
  test('may have continued before the last change that allows it', () => {
    const { traces } = expectAll([
      plain(waitUntil(1, 0), store(2, 1)),
      plain(store(1, 1), store(1, 0), load(2)),
    ]);
    expect(traces.length).toBe(4);
  });

  test('that waits forever may have continued before', () => {
    const { traces, isStuck } = expectAll([plain(waitWhile(1, 2)), plain(store(1, 2))]);
    expect([traces.length, isStuck]).toEqual([2, true]);
  });

  test('for a lock may be the one that takes it first', () => {
    const critical = plain(lock(MUTEX), add(1), unlock(MUTEX));
    expect(expectAll([critical, critical]).traces.length).toBe(2);
  });

  test('may be woken by an earlier step of tasks that all sleep now', () => {
    const { blocked } = expectAll([
      plain(exchange(0, 0), lock(MUTEX), unlock(MUTEX)),
      plain(store(1, 0), waitWhile(1, 0)),
      plain(store(1, 2)),
      plain(waitWhile(1, 2), add(0)),
    ]);
    expect(blocked).toBeGreaterThan(0);
  });
});

describe('without the set of waiting tasks', () => {
  const [waiter, changer] = [plain(waitWhile(1, 2)), plain(store(1, 2))];

  test('at the end of a run, behaviours are missed', () => {
    expect(verify([changer, waiter], { atEnd: false }).traces.length).toBe(1);
  });

  test('steps are planned where they are not enabled', () => {
    const program = [plain(waitUntil(1, 1)), plain(store(1, 1))];
    expect(verify(program).traces.length).toBe(1);
    expect(() => verify(program, { ever: false })).toThrow('who is to go on can');
  });
});
