/** The effects of a move, from events. */

import { expect, test } from 'vitest';
import { EventKind, PutDownFor } from '../../shared/events.ts';
import { costTable } from '../../src/cost/model.ts';
import { differenceOf, movesOf } from '../../src/report/page/migrations.ts';
import type { TracedEvent } from '../../src/trace/recorder.ts';

type Row = readonly [hostCpu: number, kind: EventKind, a?: number, b?: number, c?: number];

/** Of one vCPU, a microsecond apart. */
const events = (rows: readonly Row[]): TracedEvent[] =>
  rows.map(([hostCpu, kind, a = 0, b = 0, c = 0], i) => ({
    ...{ hostCpu, kind, a, b, c, at: 1000 * i, vcpu: 0, lost: 0 },
  }));

const { Entry, Counted, Migration, PutDown, FaultFixed } = EventKind;

/** On each CPU, operations, walks and remaps continue from its last stretch there. */
const MOVED = events([
  [0, Entry],
  [0, Counted, 600, 10],
  [0, Entry],
  [0, Counted, 1200, 14],
  [0, Entry],
  [0, Counted, 1800, 18],
  [0, PutDown, PutDownFor.Interrupt],
  [1, Migration, 0],
  [1, Entry],
  [1, Counted, 600, 100],
  [1, FaultFixed],
  [1, Entry],
  [1, Counted, 1200, 130, 1],
  [1, PutDown, PutDownFor.Preemption],
  [0, Migration, 1],
  [0, Entry],
  [0, Counted, 1900, 20],
]);

test('a move has its source, its destination, and the reason for it', () => {
  const moves = movesOf(MOVED, 2, [0], costTable());
  expect(moves.map(({ from, to, cause }) => [from, to, cause])).toEqual([
    [0, 1, 'it waited for an interrupt'],
    [1, 0, 'its slice was over'],
  ]);
});

test('counts after are of whole stays, and those before of as many operations', () => {
  const [first] = movesOf(MOVED, 2, [0], costTable());
  // 600 and 600 operations before with 4 and 4 walks.
  expect(first!.before).toMatchObject({ entries: 2, walks: 8, faults: 0, remaps: 0 });
  // After it 600 and 600 with 100 and 30 walks, a fault and a remap.
  expect(first!.after).toMatchObject({ entries: 2, walks: 130, faults: 1, remaps: 1 });
  expect(first!.after!.cycles).toBeGreaterThan(first!.before!.cycles);
});

test('the increase does not depend on the length of the stays', () => {
  const increaseOf = (operations: number): unknown => {
    const rows: Row[] = [];
    for (let stay = 1; stay <= 3; stay++)
      rows.push([0, Entry], [0, Counted, stay * operations, stay]);
    rows.push([1, Migration, 0], [1, Entry], [1, Counted, operations, 40]);
    return differenceOf(movesOf(events(rows), 2, [0], costTable()));
  };
  expect(increaseOf(8000)).toEqual(increaseOf(1000));
  expect(increaseOf(8000)).toMatchObject({ entries: { value: 0 }, walks: { value: 39 } });
});

test('too few operations are not compared, and few moves have no interval', () => {
  const moves = movesOf(MOVED, 2, [0], costTable());
  expect(moves[1]!.after).toBeUndefined();
  const difference = differenceOf(moves)!;
  expect(difference.walks.value).toBeCloseTo(122);
  expect(difference.walks.low).toBeUndefined();
  expect(differenceOf(moves.slice(1))).toBeUndefined();
});
