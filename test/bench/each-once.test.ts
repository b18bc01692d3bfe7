/** Each line and each sweep can be measured: a batch of every side, whose time is not asserted. */

import { describe, expect, test, vi } from 'vitest';
import { measureMemory } from '../../bench/growth/memory.ts';
import { SWEEPS } from '../../bench/growth/sweeps.ts';
import { noYardstick } from '../../bench/native/yardstick.ts';
import type { Batch, Side } from '../../bench/pair.ts';
import { SUITE } from '../../bench/suite.ts';
import { SLOW } from '../slow.ts';

// On a machine that is busy with others too.
if (SLOW) vi.setConfig({ testTimeout: 1_200_000 });

async function batchOf(side: Side): Promise<Batch> {
  try {
    return await side.batch();
  } finally {
    await side.end?.();
  }
}

const SOMETHING = { count: expect.toSatisfy((n) => n > 0), ns: expect.toSatisfy((n) => n > 0) };

/** Machines of seconds each. */
const isLong = (name: string): boolean =>
  /60 guests|(16|64) host CPUs$|^8 guests|in threads$|^stress/.test(name);

const some = <T extends { name: string }>(all: readonly T[]): readonly T[] =>
  all.filter(({ name }) => SLOW || !isLong(name));

describe('a line', () => {
  test.each(some(SUITE.flatMap(({ lines }) => lines)))(
    '$name',
    async ({ measured, baseline, native }) => {
      const makes = [
        measured,
        baseline,
        ...(noYardstick() === undefined && native ? [native] : []),
      ];
      for (const make of makes) expect(await batchOf(make()!)).toMatchObject(SOMETHING);
    },
  );
});

describe('a sweep, its smallest and its largest', () => {
  test.each(some(SWEEPS))('$name', async ({ sizes, make }) => {
    for (const size of [sizes[0]!, sizes.at(-1)!]) {
      expect(await batchOf(make(size))).toMatchObject(SOMETHING);
    }
  });
});

test.runIf(SLOW)('memory', async () => {
  const { each, largest } = await measureMemory(new AbortController().signal);
  expect(each.length * largest.length).toBeGreaterThan(0);
});
