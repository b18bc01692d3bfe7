/**
 * All host CPUs in one thread, under control: results that must not depend on the order of steps.
 */

import { describe, expect, test } from 'vitest';
import { digestMemory } from '../../src/check/digest.ts';
import { checkAll } from '../../src/check/invariants.ts';
import type { Board } from '../../src/explore/engine/board.ts';
import { Pct } from '../../src/explore/strategies/pct.ts';
import { RandomWalk } from '../../src/explore/strategies/random-walk.ts';
import { Diverged, Recorded } from '../../src/explore/strategies/recorded.ts';
import { guestBoard } from './board.ts';

const memoryOf = ({ host }: Board): string => digestMemory(host, host.guests[0]!).user;

/** Memory as the program leaves it on one CPU. */
function alone(): string {
  const board = guestBoard({ paging: 'nonpae', discipline: 'guest-lock', cpus: 1, vcpus: 1 });
  expect(board.run(new RandomWalk(), 1).verdict).toBe('ended');
  return memoryOf(board);
}

describe('an ordinary guest', () => {
  const expected = alone();

  test.each([
    ['few switches', new Pct(3), 'guest-lock', 'pae'],
    ['few switches', new Pct(5), 'lock-free', 'nonpae'],
    ['a switch at every other step', new RandomWalk(), 'lock-free', 'pae'],
  ] as const)('%s: it ends as on one CPU', (_, strategy, discipline, paging) => {
    const board = guestBoard({ paging, discipline });
    const run = board.run(strategy, 7);
    expect([run.verdict, memoryOf(board), checkAll(board.host)]).toEqual(['ended', expected, []]);
  });
});

test('the same seed gives the same run, another seed another', () => {
  const runs = [3, 3, 4].map((seed) =>
    guestBoard({ paging: 'pae', discipline: 'lock-free' }).run(new Pct(5), seed),
  );
  expect(runs[1]).toEqual(runs[0]);
  expect(runs[2]!.digest).not.toBe(runs[0]!.digest);
});

test('a run replays from its decisions, and a wrong decision is reported', () => {
  const board = () => guestBoard({ paging: 'nonpae', discipline: 'lock-free', cpus: 3, vcpus: 4 });
  const run = board().run(new Pct(5), 11);
  const again = board().run(new Recorded(run.decisions), 0);
  expect(again).toEqual(run);
  const { turns, drawn } = run.decisions;
  expect(turns.length).toBeGreaterThan(20);
  const wrong = { turns: [...turns.slice(0, 8), turns[8]! + 1, ...turns.slice(9)], drawn };
  expect(() => board().run(new Recorded(wrong), 0)).toThrow(Diverged);
});

test('an endless run is ended', () => {
  const board = guestBoard({ paging: 'nonpae', discipline: 'guest-lock', mostSteps: 1000 });
  expect(board.run(new Pct(1), 1)).toMatchObject({ verdict: 'livelock', steps: 1000 });
});
