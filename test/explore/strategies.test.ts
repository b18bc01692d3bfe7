/** The strategies by themselves, on programs that are only steps. */

import { describe, expect, test } from 'vitest';
import { Access } from '../../src/explore/engine/access.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { FewestSwitches } from '../../src/explore/strategies/fewest-switches.ts';
import { Pct } from '../../src/explore/strategies/pct.ts';
import { RandomWalk } from '../../src/explore/strategies/random-walk.ts';
import { Diverged, Recorded } from '../../src/explore/strategies/recorded.ts';
import type { Strategy } from '../../src/explore/strategies/strategy.ts';
import { inThisOrder, type Program, plainProgram, play, type Reached } from './program.ts';

const seeds = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

describe('PCT finds a bug as often as the paper promises', () => {
  /** Total steps of a run: at least the number Pct assumes before its first run. */
  const STEPS = 300;

  /** In how many of the runs the steps come in this order. */
  function hits(depth: number, threads: number, order: readonly Reached[], runs: number): number {
    const program = plainProgram(...Array<number>(threads).fill(STEPS / threads));
    const strategy = new Pct(depth);
    return seeds(runs).filter((seed) => inThisOrder(play(program, strategy, seed).order, order))
      .length;
  }

  /** No less than `chance`, give or take three standard deviations. */
  const atLeast = (chance: number, runs: number): number =>
    runs * chance - 3 * Math.sqrt(runs * chance * (1 - chance));

  test('depth 1: one of two threads is first', () => {
    expect(
      hits(
        1,
        2,
        [
          [1, 149],
          [0, 0],
        ],
        200,
      ),
    ).toBeGreaterThan(atLeast(1 / 2, 200));
  });

  test.each([2, 3])('depth 2, %i threads: a step comes between two others', (threads) => {
    // Any of 60 scheduling points, each with the promised 1 / (n · k).
    const order: Reached[] = [
      [0, 20],
      [1, 50],
      [0, 80],
    ];
    const chance = 60 / (threads * STEPS);
    expect(hits(2, threads, order, 1500)).toBeGreaterThan(atLeast(chance, 1500));
    expect(hits(1, threads, order, 100)).toBe(0);
  });

  test('depth 3: a switch away and back in time', () => {
    const order: Reached[] = [
      [0, 20],
      [1, 20],
      [0, 80],
      [1, 80],
    ];
    const chance = 60 ** 2 / (2 * STEPS ** 2);
    expect(hits(3, 2, order, 1500)).toBeGreaterThan(atLeast(chance, 1500));
    expect(hits(2, 2, order, 300)).toBe(0);
  });
});

test('PCT finds, and random walk misses, a bug that needs one thread far ahead of the other', () => {
  // Burckhardt et al., section 2: its chance halves with every step; PCT's is 1/2 at depth 1.
  const program = plainProgram(30, 30);
  const aheads = (strategy: Strategy): number =>
    seeds(1000).filter((seed) => {
      const { order } = play(program, strategy, seed);
      return inThisOrder(order, [
        [1, 29],
        [0, 0],
      ]);
    }).length;
  expect(aheads(new Pct(1))).toBeGreaterThan(400);
  expect(aheads(new RandomWalk())).toBe(0);
});

describe('threads that poll in vain let every other thread finish', () => {
  const waitsForLast = { at: 1, spinsUntil: [2, 30] as const };
  const program: Program = [[waitsForLast], [waitsForLast], ...plainProgram(30)];

  test.each(Object.keys(STRATEGIES))('%s', (name) => {
    const strategy = STRATEGIES[name]!();
    for (const seed of seeds(100)) {
      const { order } = play(program, strategy, seed);
      expect(order.filter((thread) => thread === 2)).toHaveLength(30);
    }
  });
});

test('PCT switches away from a thread that spins in vain', () => {
  // Either priority order: the spinning thread lets the other run.
  const program: Program = [
    [{ at: 1 }, { at: 1, spinsUntil: [1, 3] }],
    [{ at: 2 }, { at: 2, spinsUntil: [0, 1] }, { at: 2 }],
  ];
  for (const seed of seeds(50)) {
    const { order } = play(program, new Pct(1), seed);
    expect([
      [0, 0, 1, 1, 1, 0],
      [1, 1, 0, 0, 1, 1, 0],
    ]).toContainEqual(order);
  }
});

describe('fewest switches first', () => {
  /** The cost of each order, up to `bound`: its preemptions, and forced switches out of order. */
  function byForce(program: Program, bound: number): ReadonlyMap<string, number> {
    const all = new Map<string, number>();
    const steps = program.flat().length;
    const goOn = (order: number[], taken: number[], current: number, left: number): void => {
      const can = (cpu: number): boolean => {
        const [thread, reached] = program[cpu]![taken[cpu]!]?.sleepsUntil ?? [0, 0];
        return taken[cpu]! < program[cpu]!.length && taken[thread]! >= reached;
      };
      if (order.length === steps) return void all.set(order.join(''), bound - left);
      const cpus = program.map((_, i) => (current + i) % program.length).filter(can);
      // The first is the current one, if it is runnable.
      for (const [i, cpu] of cpus.entries()) {
        const cost = i === 0 ? 0 : 1;
        if (cost > left) continue;
        goOn([...order, cpu], taken.with(cpu, taken[cpu]! + 1), cpu, left - cost);
      }
    };
    goOn(
      [],
      program.map(() => 0),
      0,
      bound,
    );
    return all;
  }

  const waiting: Program = [
    [{}, { sleepsUntil: [1, 2] }, {}],
    [{}, {}, {}, { sleepsUntil: [0, 2] }],
    [{}, {}],
  ];

  test.each([
    ['two threads', plainProgram(4, 4), 0],
    ['two threads', plainProgram(4, 4), 1],
    ['two threads', plainProgram(4, 4), 3],
    ['three threads', plainProgram(3, 2, 3), 2],
    ['threads that wait', waiting, 2],
  ])('%s, all schedules up to a bound, each once: %#', (_, program, bound) => {
    const strategy = new FewestSwitches(bound);
    const orders: string[] = [];
    for (;;) {
      const { order } = play(program, strategy, 0);
      if (strategy.exhausted) break;
      orders.push(order.join(''));
    }
    const costs = byForce(program, bound);
    expect(orders.toSorted()).toEqual([...costs.keys()].toSorted());
    expect(new Set(orders).size).toBe(orders.length);
    const paid = orders.map((order) => costs.get(order)!);
    expect(paid).toEqual(paid.toSorted((a, b) => a - b));
  });

  test('two threads with a bound above their preemptions: every order', () => {
    // 8 steps, 4 of them of the first thread.
    expect(byForce(plainProgram(4, 4), 8).size).toBe(70);
  });
});

describe.each(Object.keys(STRATEGIES))('%s', (name) => {
  /** Shared words, locks that are tried in vain, and threads that sleep. */
  const program: Program = [
    [{ at: 1 }, { at: 2, kind: Access.Read }, { at: 2 }, { at: 3 }, { at: 1 }],
    [{ at: 2 }, { at: 1, spinsUntil: [0, 2] }, { at: 2 }, { at: 3, kind: Access.Load }],
    [{ at: 3, sleepsUntil: [1, 1] }, { at: 1 }, { at: 2, spinsUntil: [1, 3] }, { at: 3 }],
  ];

  // play() throws if a strategy chooses a thread that is not runnable.
  test('chooses runnable threads, the same ones for the same seed', () => {
    const orders = () => {
      const strategy = STRATEGIES[name]!();
      return seeds(200).map((seed) => play(program, strategy, seed));
    };
    const played = orders();
    expect(orders()).toEqual(played);
    const different = new Set(played.map(({ order }) => order.join(''))).size;
    expect(different).toBeGreaterThan(name.startsWith('pct') ? 1 : 10);
  });

  test('its decisions replay', () => {
    const strategy = STRATEGIES[name]!();
    for (const seed of seeds(20)) {
      const played = play(program, strategy, seed);
      expect(play(program, new Recorded(played.decisions), 0)).toEqual(played);
    }
  });
});

describe('a record that does not fit is reported', () => {
  const again = (switches: readonly number[], drawn: readonly number[] = [7]) =>
    play(plainProgram(2, 3), new Recorded({ turns: switches, drawn }), 0);

  test('replays when it fits', () => {
    expect(again([1, 1, 4, 0])).toMatchObject({ order: [0, 1, 1, 1, 0] });
  });

  test.each([
    ['a switch to an ended thread', [2, 1, 4, 0, 5, 1], [7], /step 4: CPU 0 /],
    ['a step of an ended thread', [1, 1], [7], /step 4: CPU 1 /],
    ['more draws', [1, 1, 4, 0], [], /more numbers/],
  ])('%s', (_, switches, drawn, words) => {
    expect(() => again(switches, drawn)).toThrow(Diverged);
    expect(() => again(switches, drawn)).toThrow(words);
  });
});
