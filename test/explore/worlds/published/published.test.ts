/**
 * The strategies compared with published figures: schedules to the first bug of programs of
 * SCTBench. A few trials, and with UMBRA_SLOW all of docs/published.md, which it then writes.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { WORLD_STRATEGIES } from '../../../../src/explore/strategies/catalogue.ts';
import { WorldBoard } from '../../../../src/explore/worlds/board.ts';
import { SLOW } from '../../../slow.ts';
import { PROGRAMS, STRATEGIES } from './figures.ts';
import { safestack } from './lockfree.ts';
import { type Cell, cellOf, markdownOf, OURS, verdictOf } from './table.ts';

const FEW = { trials: 30, schedules: 2000 };
const MANY = { trials: 200, schedules: 2_000_000 };

/** Found within a few schedules each, so that a few trials are fast. */
const QUICK = Object.keys(PROGRAMS).filter((name) => name !== 'SafeStack');

describe('each program fails', () => {
  test.each(QUICK)('%s', (name) => {
    const { trials } = cellOf(name, 'surw', FEW);
    expect(trials.length).toBe(FEW.trials);
    expect(trials).not.toContain(null);
  });
});

/** The published mean lies within the interval, or the two agree given the number of its trials. */
const AGREE: readonly (readonly [string, string])[] = [
  ['reorder_3', 'surw'],
  ['reorder_3', 'pos'],
  ['reorder_4', 'surw'],
  ['reorder_5', 'surw'],
  ['reorder_10', 'surw'],
  ['reorder_20', 'surw'],
  ['twostage', 'random'],
  ['twostage', 'pos'],
  ['account', 'pos'],
  ['account', 'surw'],
  ['circular_buffer', 'pos'],
  ['WorkStealQueue', 'pos'],
];

test.each(AGREE)('%s by %s: about as soon as published', (name, strategy) => {
  expect(['within', 'agrees']).toContain(verdictOf(cellOf(name, strategy, FEW)));
});

test('a strategy worse than the published one is recognised', () => {
  const cell = cellOf('reorder_4', 'surw', FEW);
  expect(verdictOf({ ...cell, trials: cell.trials.map((n) => 3 * n!) })).toBe('differs');
  expect(verdictOf({ ...cell, strategy: 'pos' })).toBe('differs');
});

/** The seed of the first schedule, and the number of schedules from there. */
const found = (strategy: string, seed: number, most: number): number | undefined => {
  const board = new WorldBoard(safestack());
  const chosen = WORLD_STRATEGIES[strategy]!();
  for (let n = 0; n < most; n++) {
    const { ending } = board.run(chosen, seed + n);
    if (ending === 'violation') return n + 1;
    expect(ending).toBe('ok');
  }
  return undefined;
};

test.runIf(SLOW)('the strategy guided finds SafeStack', () => {
  const times = Array.from({ length: 9 }, (_, i) => {
    const start = process.cpuUsage();
    expect(found('guided', i * 10_000_000, 2_000_000)).toBeDefined();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  });
  process.stdout.write(`SafeStack: ${times.toSorted((a, b) => a - b).join(', ')} s\n`);
});

test.runIf(SLOW)('the table of the page', () => {
  const cells = QUICK.flatMap((name) =>
    [...STRATEGIES, ...OURS].map((strategy): Cell => cellOf(name, strategy, MANY)),
  );
  const page = readFileSync('docs/published.md', 'utf8');
  const [before, , after] = page.split(/(?<=begin -->\n)|(?=<!-- [^\n]*: end -->)/);
  writeFileSync('docs/published.md', `${before}\n${markdownOf(cells)}\n${after}`);
});
