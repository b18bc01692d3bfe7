/** Conclusions that depend on a single cost. */

import { expect, test } from 'vitest';
import { costTable, type Occurrences } from '../../src/cost/model.ts';
import { sensitivity } from '../../src/cost/sensitivity.ts';
import { byEvent, type EventId } from '../../src/cost/table.ts';

const happened = (some: Partial<Record<EventId, number>>): Occurrences =>
  byEvent((id) => some[id] ?? 0);

const costs = costTable('core2', { shootdown: 100, lock: 10, access: 1 });

test('a conclusion flips when the cost it depends on is doubled', () => {
  const locking = { name: 'locking', occurrences: happened({ lock: 150 }) };
  const shooting = { name: 'shooting', occurrences: happened({ shootdown: 10 }) };
  const { totals, conclusions } = sensitivity([locking, shooting], costs);
  expect(totals).toEqual([
    { name: 'locking', cycles: 1_500 },
    { name: 'shooting', cycles: 1_000 },
  ]);
  expect(conclusions).toEqual([
    {
      less: 'shooting',
      more: 'locking',
      ratio: 1.5,
      turns: [
        { event: 'lock', factor: 0.5 },
        { event: 'shootdown', factor: 2 },
      ],
      draws: [
        { event: 'shootdown', factor: 1.5 },
        { event: 'lock', factor: 1 - 500 / 1_500 },
      ].toSorted((a, b) => Math.abs(Math.log(a.factor)) - Math.abs(Math.log(b.factor))),
    },
  ]);
});

test('no conclusion flips when the lead is too great, and the necessary factor is reported', () => {
  const locking = { name: 'locking', occurrences: happened({ lock: 1_000, access: 50 }) };
  const shooting = { name: 'shooting', occurrences: happened({ shootdown: 10, access: 50 }) };
  const [conclusion] = sensitivity([locking, shooting], costs).conclusions;
  expect(conclusion).toMatchObject({ less: 'shooting', turns: [] });
  // A cost that both pay equally decides nothing.
  expect(conclusion!.draws.map(({ event }) => event).toSorted()).toEqual(['lock', 'shootdown']);
  expect(conclusion!.draws.find(({ event }) => event === 'shootdown')!.factor).toBe(10);
  const [far] = sensitivity([locking, shooting], costs, 11).conclusions;
  expect(far!.turns.map(({ event }) => event)).toEqual(['lock', 'shootdown']);
});

test('of two equal totals the first is named first, and every pair is compared', () => {
  const same = ['a', 'b', 'c'].map((name) => ({ name, occurrences: happened({ lock: 1 }) }));
  const { conclusions } = sensitivity(same, costs);
  expect(conclusions.map(({ less, more, ratio }) => `${less} ${more} ${ratio}`)).toEqual([
    ...['a b 1', 'a c 1', 'b c 1'],
  ]);
  expect(conclusions.flatMap(({ turns, draws }) => [...turns, ...draws])).toEqual([]);
});
