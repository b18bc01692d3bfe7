/** Two runs have the same trace exactly when their conflicting accesses come in the same order. */

import { afterEach, describe, expect, test } from 'vitest';
import { Trace } from '../../src/explore/engine/trace.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import type { Setting } from '../../src/explore/setting.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { Dice } from '../../src/explore/strategies/dice.ts';
import { Subject } from '../../src/explore/subject.ts';
import { PAGE_WORDS } from '../../src/hardware/address.ts';

interface Accessed {
  readonly actor: number;
  /** By adding to one word, or by storing. */
  readonly changes: boolean | 'add';
  readonly at: number;
  readonly words: number;
}

/** For each word: which actors changed it, those that added in any order, and what each read. */
function orderOf(accesses: readonly Accessed[]): string {
  const words = new Map<number, { done: string; adders: number[]; readers: string[] }>();
  for (const { actor, changes, at, words: count } of accesses) {
    for (let i = at; i < at + count; i++) {
      const word = words.get(i) ?? { done: '', adders: [], readers: [] };
      words.set(i, word);
      const found = `${word.done}${word.adders.toSorted().join('+')}`;
      if (changes === 'add') word.adders.push(actor);
      else if (changes) Object.assign(word, { done: `${found}>${actor};`, adders: [] });
      else word.readers.push(`${actor} ${found}`);
    }
  }
  return [...words]
    .map(([at, { done, adders, readers }]) => [at, done, adders.toSorted(), readers.toSorted()])
    .map((word) => word.join(' | '))
    .toSorted()
    .join('\n');
}

/** Every interleaving of several actors' accesses. */
function* orders(programs: readonly (readonly Accessed[])[]): Generator<Accessed[]> {
  if (programs.every(({ length }) => length === 0)) yield [];
  for (const [i, [first, ...rest]] of programs.entries()) {
    if (first === undefined) continue;
    for (const order of orders(programs.with(i, rest))) yield [first, ...order];
  }
}

const WORDS = 4 * PAGE_WORDS;
const newTrace = (): Trace => new Trace(new Int32Array(Trace.memoryFor(WORDS)), WORDS);

function play(trace: Trace, accesses: readonly Accessed[]): string {
  trace.begin();
  for (const { actor, changes, at, words } of accesses) {
    if (changes === 'add') trace.add(actor, at, 0, 1);
    else if (words > 1)
      changes ? trace.writeMany(actor, at, words) : trace.readMany(actor, at, words);
    else changes ? trace.write(actor, at, 0, 1) : trace.read(actor, at);
  }
  return trace.digest;
}

/** Asserts a one-to-one correspondence of the two sides. */
function expectSamePartition(pairs: Iterable<readonly [string, string]>): number {
  const [there, back] = [new Map<string, string>(), new Map<string, string>()];
  for (const [a, b] of pairs) {
    expect(there.get(a) ?? b).toBe(b);
    expect(back.get(b) ?? a).toBe(a);
    there.set(a, b);
    back.set(b, a);
  }
  return there.size;
}

/** Three words beside one another: sums of what is read are not to cancel out. */
test.each([
  ['of words, stretches and whole pages', false],
  ['also of adds whose result is not used', true],
])('all interleavings of small programs, %s', (_, adds) => {
  const dice = new Dice();
  dice.seed(17);
  const trace = newTrace();
  let most = 0;
  for (let round = 0; round < (adds ? 120 : 60); round++) {
    const programs = Array.from({ length: 2 + dice.below(2) }, (_, actor) =>
      Array.from({ length: 1 + dice.below(3) }, (): Accessed => {
        const changes = dice.below(2) === 0;
        const page = 1 + dice.below(adds ? 1 : 2);
        const kind = dice.below(6);
        if (kind === 0) return { actor, changes, at: page * PAGE_WORDS, words: PAGE_WORDS };
        const at = page * PAGE_WORDS + 7 + dice.below(adds ? 3 : 2);
        if (adds && kind > 1) return { actor, changes: changes && 'add', at, words: 1 };
        return { actor, changes, at, words: kind === 1 ? 3 : 1 };
      }),
    );
    const pairs = [...orders(programs)].map(
      (order) => [orderOf(order), play(trace, order)] as const,
    );
    most = Math.max(most, expectSamePartition(pairs));
  }
  expect(most).toBeGreaterThan(50);
});

test('a store of the present value is a load', () => {
  const trace = newTrace();
  const played = (...steps: readonly (readonly [actor: number, after: number])[]): string => {
    trace.begin();
    let before = 5;
    for (const [actor, after] of steps) {
      trace.write(actor, 9, before, after);
      before = after;
    }
    return trace.digest;
  };
  expect(played([0, 5], [1, 5])).toBe(played([1, 5], [0, 5]));
  expect(played([0, 5], [1, 6])).not.toBe(played([1, 6], [0, 5]));
});

test('reset forgets the run before', () => {
  const trace = newTrace();
  const page = { actor: 1, changes: true, at: PAGE_WORDS, words: PAGE_WORDS };
  const word = { actor: 0, changes: true, at: PAGE_WORDS + 3, words: 1 };
  const first = play(trace, [word, page]);
  expect(play(trace, [page, word])).not.toBe(first);
  expect(play(trace, [word, page])).toBe(first);
});

describe('schedules of litmus tests', () => {
  const { read, write, readMany, writeMany } = Trace.prototype;
  afterEach(() => {
    Object.assign(Trace.prototype, { read, write, readMany, writeMany });
  });

  test.each<[string, Setting]>([
    ['1-fault/message-passing', { paging: 'nonpae', discipline: 'guest-lock', defects: [] }],
    ['5-flush/R6-no-shootdown', { paging: 'pae', discipline: 'lock-free', defects: [] }],
    ['6-switcher/R13-three-cpus', { paging: 'nonpae', discipline: 'pgdir-lock', defects: [] }],
  ])('%s', (name, setting) => {
    const path = `litmus/${name}.yaml`;
    const subject = new Subject(path, readLitmus(path), setting);
    let accesses: Accessed[] = [];
    const note = (actor: number, changes: boolean, at: number, words: number): void => {
      accesses.push({ actor, changes, at, words });
    };
    // Without the accesses that the trace splits off itself.
    let within = false;
    const outermost = (work: () => void, tell: () => void): void => {
      if (within) return work();
      within = true;
      tell();
      work();
      within = false;
    };
    Trace.prototype.read = function (actor, at) {
      outermost(
        () => read.call(this, actor, at),
        () => note(actor, false, at, 1),
      );
    };
    Trace.prototype.write = function (actor, at, before, after) {
      outermost(
        () => write.call(this, actor, at, before, after),
        () => note(actor, before !== after, at, 1),
      );
    };
    Trace.prototype.readMany = function (actor, at, words) {
      outermost(
        () => readMany.call(this, actor, at, words),
        () => note(actor, false, at, words),
      );
    };
    Trace.prototype.writeMany = function (actor, at, words) {
      outermost(
        () => writeMany.call(this, actor, at, words),
        () => note(actor, true, at, words),
      );
    };
    const pairs: [string, string][] = [];
    for (const strategy of ['pct-1', 'pct-2', 'pct-3', 'random', 'fewest']) {
      const made = STRATEGIES[strategy]!();
      // Even seeds: no acts of hardware.
      for (let seed = 0; seed < 80; seed += 2) {
        accesses = [];
        const { trace } = subject.board.run(made, seed);
        pairs.push([orderOf(accesses), trace]);
      }
    }
    const classes = expectSamePartition(pairs);
    expect(classes).toBeGreaterThan(60);
    expect(classes).toBeLessThan(pairs.length);
  });
});
