/** The strategies by themselves, on programs that are nothing but steps. */

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

describe('PCT meets a bug as often as the paper promises', () => {
  /** Steps of a run in all: no fewer than Pct takes a run to have before it has seen one. */
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

  test('depth 3: and control comes back in time', () => {
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

test('random walk misses what takes one thread far ahead of the other, and PCT does not', () => {
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

describe('who tries in vain lets everybody else get on', () => {
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
  // Whoever is above the other: the one that spins lets it go on.
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
  /**
   * What each order costs, up to `bound`: one for each preemption, and for each forced switch
   * that does not go to the next thread that can go on.
   */
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
      // The first is the current one, if that can go on.
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

  test('two threads without a bound that matters: every order there is', () => {
    // 8 steps, 4 of them of the first thread.
    expect(byForce(plainProgram(4, 4), 8).size).toBe(70);
  });
});

describe.each(Object.keys(STRATEGIES))('%s', (name) => {
  /** Words in common, locks that are tried in vain, and threads that sleep. */
  const program: Program = [
    [{ at: 1 }, { at: 2, kind: Access.Read }, { at: 2 }, { at: 3 }, { at: 1 }],
    [{ at: 2 }, { at: 1, spinsUntil: [0, 2] }, { at: 2 }, { at: 3, kind: Access.Load }],
    [{ at: 3, sleepsUntil: [1, 1] }, { at: 1 }, { at: 2, spinsUntil: [1, 3] }, { at: 3 }],
  ];

  // play() throws if a thread is chosen that cannot go on.
  test('chooses those that can go on, and the same for the same seed', () => {
    const orders = () => {
      const strategy = STRATEGIES[name]!();
      return seeds(200).map((seed) => play(program, strategy, seed));
    };
    const played = orders();
    expect(orders()).toEqual(played);
    const different = new Set(played.map(({ order }) => order.join(''))).size;
    expect(different).toBeGreaterThan(name.startsWith('pct') ? 1 : 10);
  });

  test('what it decided can be decided again', () => {
    const strategy = STRATEGIES[name]!();
    for (const seed of seeds(20)) {
      const played = play(program, strategy, seed);
      expect(play(program, new Recorded(played.decisions), 0)).toEqual(played);
    }
  });
});

describe('a record that does not fit is told', () => {
  const again = (switches: readonly number[], drawn: readonly number[] = [7]) =>
    play(plainProgram(2, 3), new Recorded({ turns: switches, drawn }), 0);

  test('as it is', () => {
    expect(again([1, 1, 4, 0])).toMatchObject({ order: [0, 1, 1, 1, 0] });
  });

  test.each([
    ['it goes to one that is at its end', [2, 1, 4, 0, 5, 1], [7], /step 4: CPU 0 /],
    ['it stays with one that is at its end', [1, 1], [7], /step 4: CPU 1 /],
    ['more is drawn', [1, 1, 4, 0], [], /more numbers/],
  ])('%s', (_, switches, drawn, words) => {
    expect(() => again(switches, drawn)).toThrow(Diverged);
    expect(() => again(switches, drawn)).toThrow(words);
  });
});
