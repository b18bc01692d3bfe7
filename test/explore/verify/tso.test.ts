/** With store buffers: all behaviours of brute force, each once, and the outcomes x86 allows. */

import { describe, expect, test } from 'vitest';
import { SLOW } from '../../slow.ts';
import { drawnPlain, drawnProgram } from './drawn.ts';
import {
  type Access,
  bruteForce,
  exchange,
  fence,
  load,
  store,
  type Task,
  verify,
} from './tasks.ts';

/** The number of ends that sequential consistency does not allow. */
function expectAll(programOf: (seed: number) => readonly Task[]): number {
  let [behaviours, orders, more] = [0, 0, 0];
  for (let seed = 0; seed < (SLOW ? 5000 : 500); seed++) {
    const program = programOf(seed);
    const verified = verify(program, { memory: 'tso' });
    const forced = bruteForce(program, [], 'tso');
    const found = new Set(verified.traces);
    if (
      found.size !== verified.traces.length ||
      found.symmetricDifference(forced.traces).size > 0
    ) {
      expect.fail(
        `seed ${seed}: ${verified.traces.length} runs, ${found.size} of them different, ` +
          `where there are ${forced.traces.size} behaviours`,
      );
    }
    expect(verified.ends).toEqual(forced.ends);
    behaviours += found.size;
    orders += forced.orders;
    if (!verify(program).ends.isSupersetOf(verified.ends)) more++;
  }
  // The drawn programs have enough behaviours to be a test.
  expect(orders).toBeGreaterThan(5 * behaviours);
  return more;
}

describe('drawn programs: all that brute force finds, each once', () => {
  test('of two and three tasks with waits, locks, and accesses that depend on loads', () => {
    expectAll((seed) => drawnProgram(seed, { lengths: [4, 2] }));
  });

  test('of two tasks that load and store, some with ends that only buffers allow', () => {
    expect(expectAll(drawnPlain)).toBeGreaterThan(5);
  });
});

const [x, y] = [1, 2];

/** Programs of herd's catalogue, with their numbers of outcomes under SC and under x86-TSO. */
const CATALOGUE: readonly (readonly [string, number, number, readonly (readonly Access[])[]])[] = [
  [
    'SB',
    3,
    4,
    [
      [store(x, 1), load(y)],
      [store(y, 1), load(x)],
    ],
  ],
  [
    'SB+mfences',
    3,
    3,
    [
      [store(x, 1), fence(), load(y)],
      [store(y, 1), fence(), load(x)],
    ],
  ],
  [
    'SB+xchgs',
    3,
    3,
    [
      [exchange(x, 1), load(y)],
      [exchange(y, 1), load(x)],
    ],
  ],
  [
    'SB+mfence+po',
    3,
    4,
    [
      [store(x, 1), fence(), load(y)],
      [store(y, 1), load(x)],
    ],
  ],
  [
    'SB+rfi-pos',
    3,
    4,
    [
      [store(x, 1), load(x), load(y)],
      [store(y, 1), load(y), load(x)],
    ],
  ],
  [
    'MP',
    3,
    3,
    [
      [store(x, 1), store(y, 1)],
      [load(y), load(x)],
    ],
  ],
  [
    'LB',
    3,
    3,
    [
      [load(y), store(x, 1)],
      [load(x), store(y, 1)],
    ],
  ],
  [
    'S',
    3,
    3,
    [
      [store(x, 2), store(y, 1)],
      [load(y), store(x, 1)],
    ],
  ],
  [
    'R',
    3,
    4,
    [
      [store(x, 1), store(y, 1)],
      [store(y, 2), load(x)],
    ],
  ],
  [
    '2+2W',
    3,
    3,
    [
      [store(x, 1), store(y, 2)],
      [store(y, 1), store(x, 2)],
    ],
  ],
  ['CoRR', 3, 3, [[store(x, 1)], [load(x), load(x)]]],
  ['CoWR', 3, 3, [[store(x, 1), load(x)], [store(x, 2)]]],
  ['IRIW', 15, 15, [[store(x, 1)], [load(x), load(y)], [load(y), load(x)], [store(y, 1)]]],
  ['WRC', 7, 7, [[store(x, 1)], [load(x), store(y, 1)], [load(y), load(x)]]],
  ['RWC', 7, 8, [[store(x, 1)], [load(x), load(y)], [store(y, 1), load(x)]]],
  // Sewell et al., x86-TSO (CACM 2010): a CPU sees its own store before memory has it.
  [
    'n6',
    4,
    5,
    [
      [store(x, 1), load(x), load(y)],
      [store(y, 2), store(x, 2)],
    ],
  ],
  [
    'n5',
    4,
    4,
    [
      [store(x, 1), load(x)],
      [store(x, 2), load(x)],
    ],
  ],
];

test.each(CATALOGUE)('%s has %i outcomes, and %i with store buffers', (_, sc, tso, columns) => {
  const program = columns.map(
    (accesses): Task =>
      function* () {
        yield* accesses;
      },
  );
  expect([verify(program).ends.size, verify(program, { memory: 'tso' }).ends.size]).toEqual([
    sc,
    tso,
  ]);
});
