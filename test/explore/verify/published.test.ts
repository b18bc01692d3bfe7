/**
 * The search finds as many behaviours of published programs as GenMC counts (genmc-programs.ts).
 */

import { describe, expect, test } from 'vitest';
import {
  verify as libraryVerify,
  type Step,
  type Steps,
  type Word,
  type World,
  world,
} from '../../../src/index.ts';
import { BIG0, LITMUS, SIZED } from './genmc-programs.ts';
import { type load, type Task, verify } from './tasks.ts';

/** Each behaviour once: no trace occurs twice. */
function counted(program: readonly Task[]): number {
  const { traces } = verify(program);
  expect(new Set(traces).size).toBe(traces.length);
  return traces.length;
}

describe('litmus tests', () => {
  test.each(Object.entries(LITMUS))('%s', (_, [count, program]) => {
    expect(counted(program)).toBe(count);
  });
});

describe('programs of several sizes', () => {
  const all = Object.entries(SIZED).flatMap(([name, { counts, of }]) =>
    Object.entries(counts).map(([n, count]) => [name, Number(n), count, of(Number(n))] as const),
  );

  test.each(all)('%s %i: %i', (_name, _n, count, program) => {
    expect(counted(program)).toBe(count);
  });

  test('big0', () => {
    expect(counted(BIG0)).toBe(69_112);
  });
});

/** One larger size takes long enough. */
const MOST_AS_WORLDS = 800;

describe('the same as worlds of the library', () => {
  const all = [
    ...Object.entries(LITMUS).map(([name, [count, program]]) => [name, count, program] as const),
    ...Object.entries(SIZED).flatMap(([name, { counts, of }]) =>
      Object.entries(counts).map(([n, count]) => [`${name} ${n}`, count, of(Number(n))] as const),
    ),
  ].filter(([, count]) => count <= MOST_AS_WORLDS);

  test('more than 30 programs', () => {
    expect(all.length).toBeGreaterThan(60);
  });

  test.each(all)('%s: %i', async (name, count, program) => {
    const { classes, complete, outcomes } = await libraryVerify(worldOf(name, program));
    expect([classes, complete]).toEqual([count, true]);
    expect(outcomes.map(({ ending }) => ending)).toEqual(['ok']);
  });
});

/** All words of the programs lie below it. */
const WORDS = 160;

const worldOf = (name: string, program: readonly Task[]): World =>
  world(name, (shared) => {
    const words = shared.array('word', WORDS);
    const threads = program.map((task, i): [string, () => Steps] => [
      `task ${i}`,
      function* () {
        const accesses = task();
        for (let found = 0; ; ) {
          const { value: access, done } = accesses.next(found);
          if (done === true) return;
          found = yield stepOf(words[access.at]!, access);
        }
      },
    ]);
    return { threads: Object.fromEntries(threads) };
  });

function stepOf(word: Word, access: ReturnType<typeof load>): Step {
  switch (access.kind) {
    case 'load':
      return word.load();
    case 'store':
      return word.store(access.value);
    case 'exchange':
      return word.exchange(access.value);
    case 'cas':
      return word.compareExchange(access.expected, access.value);
    case 'add':
      return word.add(access.value);
    case 'lock':
      return word.until(
        (found) => found === 0,
        () => access.value,
      );
    case 'wait':
      return word.until((found) => (found === access.value) === access.until);
    case 'any':
    case 'fence':
    case 'count':
    case 'up':
    case 'down':
      throw new Error('none of them waits for one of two words, has a fence, or counts');
  }
}
