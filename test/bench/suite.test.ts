/** The lines of the suite, and selecting from them. */

import { expect, test } from 'vitest';
import { SWEEPS } from '../../bench/growth/sweeps.ts';
import { namesOf, selected } from '../../bench/selection.ts';
import { SUITE } from '../../bench/suite.ts';
import { FEWEST } from '../../src/report/statistics.ts';

const lines = SUITE.flatMap((part) => part.lines);

test('no two lines and no two sweeps share a name', () => {
  for (const named of [lines, SWEEPS]) {
    const names = named.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  }
});

test('a line with a fixed number of rounds has enough for an interval', () => {
  const rounds = lines.flatMap((line) => line.rounds ?? []);
  expect(rounds.length).toBeGreaterThan(5);
  expect(Math.min(...rounds)).toBeGreaterThanOrEqual(FEWEST);
});

test('a goal has a figure', () => {
  const goals = lines.flatMap(({ goal }) => goal ?? []);
  expect(goals.length).toBeGreaterThan(10);
  for (const { most, least } of goals) expect(most ?? least).toBeGreaterThan(0);
});

test('a sweep has at least four sizes, each a multiple of the one before', () => {
  for (const { sizes } of SWEEPS) {
    const steps = sizes.slice(1).map((size, i) => size / sizes[i]!);
    expect(new Set(steps).size).toBe(1);
    expect(steps[0]).toBeGreaterThanOrEqual(2);
    expect(sizes.length).toBeGreaterThanOrEqual(4);
  }
});

test('a filter matches names and their parts, in any case', () => {
  const { parts, sweeps, memory } = selected('tlb MISS');
  expect(parts.map(({ name }) => name)).toEqual(['MMU']);
  expect({ sweeps, memory }).toEqual({ sweeps: [], memory: false });
  expect(selected('growth:')).toMatchObject({ parts: [], sweeps: SWEEPS, memory: false });
  expect(selected('memory:')).toMatchObject({ parts: [], sweeps: [], memory: true });
  expect(selected('')).toMatchObject({ parts: SUITE, sweeps: SWEEPS, memory: true });
});

test('a filter that matches nothing lists the names there are', () => {
  expect(() => selected('no such thing')).toThrow(/nothing has 'no such thing' in its name/);
  expect(() => selected('no such thing')).toThrow(namesOf(selected('')).trimEnd());
});
