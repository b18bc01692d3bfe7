/**
 * Published programs, and their number of executions under sequential consistency as GenMC 0.11
 * counts them (Kokologiannakis, Vafeiadis: GenMC, CAV 2021; in its tests/correct,
 * `expected.sc.mo.in`): executions that differ in reads-from, or in the coherence order of a word's
 * stores, hence in the order of conflicting accesses.
 *
 * Each is written anew here. Where one of them stores the present value, it stores another here:
 * storing the present value is no change for umbra, and a store for GenMC.
 */

import { SLOW } from '../../slow.ts';
import { add, cas, load, lock, store, type Task, unlock } from './tasks.ts';

type Accesses = readonly ReturnType<typeof load>[];

/** A task whose accesses do not depend on its loads. */
const plain = (...accesses: Accesses): Task =>
  function* () {
    for (const access of accesses) yield access;
  };

const times = (n: number, task: (i: number) => Task): Task[] =>
  Array.from({ length: n }, (_, i) => task(i));

const [x, y, z, w] = [1, 2, 3, 4] as const;

/** The value stored where a program leaves it open, or stores the present one. */
const distinct = (i: number): number => 100 + i;

export const LITMUS: Readonly<Record<string, readonly [number, readonly Task[]]>> = {
  SB: [3, [plain(store(x, 1), load(y)), plain(store(y, 1), load(x))]],
  MP: [3, [plain(store(x, 1), store(y, 1)), plain(load(y), load(x))]],
  LB: [3, [plain(load(y), store(x, 1)), plain(load(x), store(y, 1))]],
  S: [3, [plain(store(x, 2), store(y, 1)), plain(load(y), store(x, 1))]],
  '2+2W': [3, [plain(store(x, 1), store(y, 2)), plain(store(y, 1), store(x, 2))]],
  LB3: [7, [plain(load(x), store(y, 1)), plain(load(y), store(z, 1)), plain(load(z), store(x, 1))]],
  CoRR: [6, [plain(store(x, 1), store(x, 2)), plain(load(x), load(x))]],
  CoRR0: [4, [plain(store(x, 1)), plain(load(x)), plain(load(x))]],
  CoRR1: [36, [plain(store(x, 1)), plain(store(x, 2)), plain(load(x), load(x)), plain(load(x))]],
  CoRR2: [
    72,
    [plain(store(x, 1)), plain(store(x, 2)), plain(load(x), load(x)), plain(load(x), load(x))],
  ],
  CoRW: [3, [plain(load(x), store(x, 1)), plain(store(x, 2))]],
  CoWR: [3, [plain(store(x, 1), load(x)), plain(store(x, 2))]],
  '2CoWR': [4, [plain(load(y)), plain(load(x)), plain(store(x, 1)), plain(store(y, 1))]],
  'IRIW-acq-sc': [
    15,
    [plain(store(x, 1)), plain(load(x), load(y)), plain(load(y), load(x)), plain(store(y, 1))],
  ],
  IRIWish: [
    27,
    [
      plain(store(x, 1)),
      function* () {
        const found = yield load(x);
        yield store(y, distinct(found));
      },
      plain(load(x), load(y)),
      plain(load(y), load(x)),
    ],
  ],
  'W+RWC': [
    7,
    [plain(store(x, 1), store(z, 1)), plain(load(z), load(y)), plain(store(y, 1), load(x))],
  ],
  WWmerge1: [
    15,
    [plain(load(x), load(y)), plain(store(x, 1), store(x, 2)), plain(store(y, 1), load(x))],
  ],
  WWmerge2: [7, [plain(load(x), load(y)), plain(store(x, 2)), plain(store(y, 1), load(x))]],
  'W+RRR+W': [20, [plain(store(x, 1)), plain(load(x), load(x), load(x)), plain(store(x, 2))]],
  'fr+w+w+w+reads': [
    210,
    [...times(3, (i) => plain(store(x, i + 1))), plain(load(x), load(x), load(x), load(x))],
  ],
  'inc+inc+RR+W+RR': [
    600,
    [
      ...times(2, () => plain(add(x))),
      plain(load(x), load(x)),
      plain(store(x, 42)),
      plain(load(x), load(x)),
    ],
  ],
  'viktor-relseq': [
    180,
    [plain(add(x), add(x)), plain(add(x), add(x)), plain(add(x)), plain(add(x))],
  ],
  inc2w: [6, [plain(add(x, 1)), plain(store(x, 4)), plain(add(x, 2))]],
  small0: [9, [plain(load(x)), plain(load(x), store(x, 1)), plain(store(x, 2))]],
  small1: [
    8,
    [plain(load(y), load(z), load(x)), plain(store(x, 1)), plain(store(y, 1), store(z, 1))],
  ],
  'MPU+rel+acq': [
    6,
    [
      plain(store(x, 1), store(y, 5)),
      plain(add(y)),
      function* () {
        if ((yield load(y)) > 5) yield store(x, 2);
      },
    ],
  ],
  'MP+incMP': [
    7,
    [plain(load(y), add(z)), plain(add(z), load(x)), plain(store(x, 1), store(y, 1))],
  ],
  'LB+incMPs': [
    15,
    [
      ...[plain(load(x), add(z)), plain(add(z), store(y, 1))],
      ...[plain(load(y), add(w)), plain(add(w), store(x, 1))],
    ],
  ],
  'Z6.U': [
    18,
    [plain(store(x, 1), store(y, 1)), plain(add(y, 7), load(y)), plain(store(y, 3), load(x))],
  ],
  ccr: [2, [plain(cas(x, 0, 42)), plain(cas(x, 0, 17), load(x))]],
  cii: [6, [plain(cas(x, 1, 2)), plain(add(x)), plain(add(x))]],
  rii: [3, [plain(load(x), add(x)), plain(add(x))]],
  riwi: [3, [plain(load(y), add(x)), plain(add(x), store(y, 1))]],
  wcii: [24, [plain(store(x, 5)), plain(cas(x, 1, 2)), plain(add(x)), plain(add(x))]],
  detour: [
    9,
    [
      plain(store(x, 1)),
      function* () {
        yield load(z);
        yield store(x, distinct(1));
        yield load(x);
        yield store(y, distinct(2));
      },
      plain(load(y), store(z, distinct(3))),
    ],
  ],
  JLT: [8, [plain(store(x, 1), load(y), load(x)), plain(store(x, 2), load(x)), plain(store(y, 3))]],
  isa2: [
    7,
    [plain(store(x, 1), store(y, 1)), plain(load(y), store(z, 1)), plain(load(z), load(x))],
  ],
  peterZ: [
    7,
    [plain(store(x, 1), load(y)), plain(store(y, 1), store(z, 1)), plain(load(z), load(x))],
  ],
};

/** Words of an array, apart from the others. */
const array = (i: number): number => 16 + i;

/** Programs of any size, and the sizes with published counts. */
export const SIZED: Readonly<
  Record<string, { counts: Readonly<Record<number, number>>; of: (n: number) => readonly Task[] }>
> = {
  ainc: {
    counts: { 2: 2, 3: 6, 4: 24, 5: 120, 6: 720, 7: 5040 },
    of: (n) => times(n, () => plain(add(x))),
  },
  binc: { counts: { 2: 4, 3: 36, 4: 576 }, of: (n) => times(n, () => plain(add(x), add(y))) },
  cinc: {
    counts: { 2: 8, 3: 216, 4: 13824 },
    of: (n) => times(n, () => plain(add(x), add(y), add(z))),
  },
  inc: {
    counts: { 2: 4, 3: 36, 4: 576 },
    of: (n) =>
      times(n, (i) => {
        return function* () {
          const found = yield load(x);
          yield store(x, found + (1 << i));
        };
      }),
  },
  rw: {
    counts: { 2: 4, 3: 36, 4: 576 },
    of: (n) => times(n, (i) => plain(load(x), store(x, distinct(i)))),
  },
  wainc: {
    counts: { 2: 6, 3: 24, 4: 120 },
    of: (n) => [plain(store(x, 42)), ...times(n, () => plain(add(x)))],
  },
  wrw: {
    counts: { 2: 22, 3: 300, 4: 6576 },
    of: (n) => [plain(store(x, 1)), ...times(n, (i) => plain(load(x), store(x, distinct(i))))],
  },
  casrot: {
    counts: { 2: 2, 3: 5, 4: 14, 5: 43, 6: 144, 7: 523, 8: 2048 },
    of: (n) => times(n, (i) => plain(cas(x, i, i + 1))),
  },
  casw: {
    counts: { 2: 6, 3: 66, 4: 1200 },
    of: (n) => times(n, (i) => plain(cas(x, 0, 1), store(x, distinct(i)))),
  },
  wcas: {
    counts: { 2: 5, 3: 13, 4: 33, 5: 81, 6: 193, 7: 449, 8: 1025, 9: 2305 },
    of: (n) => [plain(store(x, 2)), ...times(n, () => plain(cas(x, 2, 3)))],
  },
  CoA: {
    counts: { 1: 4, 2: 15, 3: 130, 4: 2028 },
    of: (n) => [
      plain(store(x, 1), load(y), load(x)),
      plain(store(x, 2), load(z), load(x)),
      ...times(n - 1, (i) => plain(store(y, distinct(i)), store(z, distinct(i)))),
    ],
  },
  readers: {
    counts: { 2: 4, 8: 256, 13: 8192 },
    of: (n) => [plain(store(x, 42)), ...times(n, () => plain(load(x)))],
  },
  lastzero: {
    counts: { 5: 64, 10: 3328 },
    of: (n) => [
      function* () {
        for (let i = n; (yield load(array(i))) !== 0; ) i--;
      },
      ...times(n, (i) => {
        return function* () {
          const found = yield load(array(i));
          yield store(array(i + 1), found + 1);
        };
      }),
    ],
  },
  indexer: {
    counts: { 12: 8, 15: 4096 },
    of: (n) =>
      times(n, (i) => {
        return function* () {
          for (let j = 0; j < 4; j++) {
            const value = j * 11 + i;
            let hash = (value * 7) % 128;
            // Its value 0, of task 0, would be no change.
            while ((yield cas(array(hash), 0, value || distinct(0))) !== 0) hash = (hash + 1) % 128;
          }
        };
      }),
  },
  'N-writers': {
    counts: { 4: 720 },
    of: (n) => [plain(load(x)), ...times(n + 1, (i) => plain(store(x, distinct(i))))],
  },
  lockinc: {
    counts: { 2: 2, 3: 6, 4: 24, 5: 120, 6: 720 },
    of: (n) =>
      times(n, () => {
        return function* () {
          yield lock(w);
          const found = yield load(x);
          yield store(x, found + 1);
          yield unlock(w);
        };
      }),
  },
  lock2inc: {
    counts: { 2: 2, 3: 6, 4: 24, 5: 120, 6: 720 },
    of: (n) =>
      times(n, () => {
        return function* () {
          yield lock(w);
          for (const at of [x, y]) {
            const found = yield load(at);
            yield store(at, found + 1);
          }
          yield unlock(w);
        };
      }),
  },
  publish: {
    counts: { 40: 42 },
    of: (n) => [
      plain(store(x, 42), store(y, 1)),
      function* () {
        for (let i = 0; (yield load(y)) !== 1; i++) if (i === n) return;
        yield load(x);
      },
    ],
  },
  // Counts of the first two sizes by Nidhugg, of the last by GenMC.
  fib_bench: {
    counts: { 1: 11, 2: 140, ...(SLOW && { 5: 218_243 }) },
    of: (n) => [
      ...[x, y].map((mine): Task => {
        return function* () {
          for (let i = 0; i < n; i++) {
            // There both start at 1.
            const a = yield load(x);
            const b = yield load(y);
            yield store(mine, a + b + 1);
          }
        };
      }),
      plain(load(x), load(y)),
    ],
  },
  eratosthenes: {
    counts: { 5: 398 },
    of: (n) =>
      times(2, (i) => {
        return function* () {
          let stored = 1000 * i;
          for (let j = 0; j < n; j++) {
            if ((yield load(array(j))) !== 0) continue;
            yield store(array(j), distinct(stored++));
            for (let k = 2 * j + 2; k < n; k += j + 2) yield store(array(k), distinct(stored++));
          }
        };
      }),
  },
  'dekker2-fixed': {
    counts: { 2: 6, 3: 6, 4: 6 },
    of: (n) => [
      ...[
        [y, x, z],
        [x, y, w],
      ].map(([mine, other, flag]) => {
        return function* () {
          yield store(mine!, 1);
          if ((yield load(other!)) === 0) yield store(flag!, 1);
        } satisfies Task;
      }),
      ...times(2, (i) => {
        return function* () {
          if ((yield load(z)) === 0 || (yield load(w)) === 0) return;
          for (let j = 0; j < n; j++) yield i === 0 ? store(x, distinct(j)) : load(x);
        };
      }),
    ],
  },
};

export const BIG0: readonly Task[] = [
  plain(load(x), load(y), load(z), load(w), load(x), load(y), load(z)),
  plain(load(x), load(y), load(z)),
  plain(store(x, 1), store(y, 1), store(x, 2), store(y, 2), store(x, 3), store(y, 3)),
  plain(store(z, 1), store(w, 1), store(z, 2), store(w, 2), store(z, 3), store(w, 3)),
];
