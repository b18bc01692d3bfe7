/** Runs compared by their cycles: the text for one run of each, and for six. */

import { expect, test } from 'vitest';
import { costTable } from '../../src/cost/model.ts';
import { byEvent } from '../../src/cost/table.ts';
import { compareCosts } from '../../src/report/cost-comparison.ts';
import { formatComparedCosts } from '../../src/report/cost-text.ts';
import { repeatedBy, repetitionsOf } from '../../src/report/repeated.ts';

const COSTS = costTable('core2', { access: 1 });

/** The part of a report that identifies its run. */
const reportOf = (configuration: { seed: number; policy: string }) => ({ configuration });

/** A number of accesses, and nothing else. */
const run = (policy: string, seed: number, accesses: number) => ({
  name: `${policy}-${seed}.json`,
  occurrences: byEvent((id) => (id === 'access' ? accesses : 0)),
  ...repeatedBy(reportOf({ seed, policy }), ''),
});

const six = (policy: string, least: number) =>
  [1, 2, 3, 4, 5, 6].map((seed) => run(policy, seed, least + seed));

const said = (...runs: ReturnType<typeof run>[]): string =>
  formatComparedCosts(compareCosts(runs, COSTS), COSTS);

test('one run of each names the one with fewer cycles, without a verdict', () => {
  const runs = [run('pinned', 1, 1000), run('random', 1, 1100)];
  expect(said(...runs)).toContain(
    'Not clear: pinned-1.json took fewer than random-1.json, which took 1.1 times as many. One run of ' +
      'each is too few: it takes 6 of each, with other seeds.',
  );
  const [conclusion] = compareCosts(runs, COSTS).conclusions;
  expect(conclusion).toMatchObject({ verdict: 'not clear', runs: { less: 1, more: 1 } });
  expect(conclusion).not.toHaveProperty('low');
});

test('five of each are too few, though they are far apart', () => {
  const runs = [...six('pinned', 1000).slice(1), ...six('random', 9000)];
  expect(said(...runs)).toMatch(/^Not clear: .* 5 and 6 runs are too few/m);
});

test('six of each are taken together, in any order', () => {
  const runs = [...six('random', 1100), ...six('pinned', 1000)].toSorted(
    (a, b) => a.seed! - b.seed!,
  );
  const { totals, conclusions } = compareCosts(runs, COSTS);
  expect(totals).toEqual([
    { name: 'random-1.json and 5 more', cycles: 1103.5 },
    { name: 'pinned-1.json and 5 more', cycles: 1003.5 },
  ]);
  expect(conclusions).toMatchObject([{ verdict: 'fewer', runs: { less: 6, more: 6 } }]);
  expect(said(...runs)).toMatch(
    /^pinned-1.json and 5 more takes fewer than random-1.json and 5 more, which takes 1\.100 \[1\.09\d, 1\.10\d\] times as many\.$/m,
  );
});

test('six of each whose interval contains zero are undecided', () => {
  const runs = [...six('random', 1000.5), ...six('pinned', 1000)];
  expect(said(...runs)).toMatch(
    /^Not clear: pinned.* took [\d.]+ \[0\.99\d+, 1\.0\d+\] times as many\.$/m,
  );
});

test('six of each that are always the same have an exact ratio', () => {
  const same = (policy: string, accesses: number) =>
    six(policy, 0).map(({ seed }) => run(policy, seed!, accesses));
  expect(said(...same('pinned', 100), ...same('random', 150))).toContain(
    'takes 1.500 exactly times',
  );
});

test('runs of the same seed are compared, and not taken for repetitions', () => {
  const [before, after] = [run('pinned', 1, 1000), run('pinned', 1, 1100)];
  expect(repetitionsOf([before, after])).toEqual([[before], [after]]);
  const both = [...six('pinned', 1000), ...six('pinned', 1100)];
  expect(repetitionsOf(both).map((group) => group.length)).toEqual([6, 6]);
});

test('reports without their options are listed singly', () => {
  const runs = ['a', 'b'].map((name) => ({ name, ...repeatedBy({}, name) }));
  expect(repetitionsOf(runs)).toHaveLength(2);
});
