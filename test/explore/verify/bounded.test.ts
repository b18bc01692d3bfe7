/**
 * All behaviours within bounds: none that brute force finds is missing, and every defect is found.
 */

import { describe, expect, test } from 'vitest';
import type { DisciplineName } from '../../../shared/discipline.ts';
import type { DefectId } from '../../../src/defects.ts';
import { readLitmus } from '../../../src/explore/litmus/read.ts';
import type { Ending, Result } from '../../../src/explore/result.ts';
import { Subject } from '../../../src/explore/subject.ts';
import { BoundedFrontier } from '../../../src/explore/verify/bounded-frontier.ts';
import { runBounded } from '../../../src/explore/verify/unit.ts';
import { SLOW } from '../../slow.ts';
import { forced } from './forced.ts';
import { tracesWithin, within } from './within.ts';

function subjectOf(
  name: string,
  discipline: DisciplineName,
  defects: readonly DefectId[] = [],
): Subject {
  const litmus = readLitmus(name);
  const paging = litmus.paging.includes('nonpae') ? 'nonpae' : 'pae';
  return new Subject(name, litmus, { paging, discipline, defects, abridged: true });
}

const tracesOf = (results: Iterable<Result>): Set<string> =>
  new Set(Array.from(results, ({ run }) => run.trace));

const TESTS: readonly (readonly [string, DisciplineName, DefectId[]])[] = [
  ['R1-two-faults-one-entry', 'guest-lock', []],
  ['R6-no-shootdown', 'pgdir-lock', ['R6']],
  ['R8-acts-for-the-first-vcpu', 'guest-lock', ['R8']],
  ['R13-three-cpus', 'pgdir-lock', []],
  // Which page is a stack is seen without a step of its own.
  ['D4-stack-moved-while-told', 'guest-lock', []],
];

describe.each(TESTS)('%s, %s, %j', (name, discipline, defects) => {
  const subject = subjectOf(name, discipline, defects);

  test('one preemption: no behaviour found by brute force is missing', () => {
    const found = tracesWithin(subject, { preemptions: 1, acts: 0 });
    const brute = tracesOf(forced(subject, 1, false));
    expect(brute.size).toBeGreaterThan(5);
    expect([...brute].filter((trace) => !found.has(trace))).toEqual([]);
  });

  // Which takes three times as long for the first as for all others together.
  if (!SLOW && name === 'R1-two-faults-one-entry') return;
  test('nor with one act of hardware', () => {
    const found = tracesWithin(subject, { preemptions: 0, acts: 1 });
    const brute = tracesOf(forced(subject, 1, true));
    const without = tracesWithin(subject, { preemptions: 1, acts: 0 });
    const acted = [...brute].filter((trace) => !without.has(trace));
    expect(acted.length).toBeGreaterThan(5);
    expect(acted.filter((trace) => !found.has(trace))).toEqual([]);
  });
});

test('bounds above what a test can use give all of its behaviours', () => {
  const { totals, met, bound } = within(subjectOf('R4-both-allocate-the-table', 'guest-lock'), {
    preemptions: 30,
    acts: 0,
  });
  expect(bound).toBe(30);
  expect(totals.classes).toBe(16);
  expect(met.map(({ preemptions }) => preemptions)).toEqual([0]);
});

/** The fewest preemptions that show a defect, and the outcome. */
const DEFECTS: readonly (readonly [DefectId, string, DisciplineName, Ending, number])[] = [
  ['R1', 'R1-two-faults-one-entry', 'guest-lock', 'violation', 1],
  ['R2', 'R2-dirty-erased', 'lock-free', 'violation', 1],
  ['R3', 'R3-released-while-mapped', 'guest-lock', 'violation', 1],
  ['R4', 'R4-both-allocate-the-table', 'guest-lock', 'violation', 1],
  ['R5', 'R5-table-freed-before-unlinked', 'lock-free', 'oops', 1],
  ['R6', 'R6-no-shootdown', 'guest-lock', 'violation', 1],
  ['R7', 'R7-clear-all-repairs-one', 'guest-lock', 'oops', 0],
  ['R8', 'R8-acts-for-the-first-vcpu', 'guest-lock', 'killed', 0],
  ['R9', 'R9-same-cpu-another-vcpu', 'guest-lock', 'killed', 0],
  ['R10', 'R10-one-pgdir-two-cpus', 'guest-lock', 'oops', 1],
  ['R11', 'R11-victim-in-use', 'guest-lock', 'violation', 0],
  ['R12', 'R12-same-top-level-twice', 'guest-lock', 'violation', 1],
  ['R13', 'R13-last-host-cpu-overwritten', 'guest-lock', 'violation', 1],
  ['R14', 'R14-first-page-table', 'guest-lock', 'killed', 0],
  ['R15', 'R15-two-reasons-to-die', 'guest-lock', 'killed', 1],
  ['R16', 'R16-registers-of-a-sibling', 'guest-lock', 'violation', 0],
  ['R17', 'R17-told-of-another-table', 'guest-lock', 'violation', 1],
  ['D1', 'D1-table-not-counted-yet', 'lock-free', 'killed', 2],
  ['D2', 'D2-stricter-upper-entry', 'lock-free', 'violation', 1],
  ['D3', 'D3-started-by-two', 'pgdir-lock', 'violation', 1],
  ['D4', 'D4-stack-told-anew', 'guest-lock', 'killed', 1],
  ['D5', 'D5-read-only-and-compared', 'lock-free', 'violation', 2],
];

test.each(DEFECTS)(
  '%s is found by %s, %s: %s with %i',
  (defect, name, discipline, ending, most) => {
    const subject = subjectOf(name, discipline, [defect]);
    const isFound = ({ met }: BoundedFrontier): boolean => met.some((one) => one.ending === ending);
    const { met } = within(subject, { preemptions: most, acts: 0 }, { most: 20, until: isFound });
    expect(met.find((one) => one.ending === ending)?.preemptions).toBe(most);
  },
);

describe('in parts', () => {
  const bounds = { preemptions: 2, acts: 0 };
  const subject = (): Subject => subjectOf('R6-no-shootdown', 'guest-lock', ['R6']);
  const known = (frontier: BoundedFrontier) => ({
    bound: frontier.bound,
    classes: frontier.totals.classes,
    met: frontier.met.map(({ decisions: _, message: __, ...met }) => met),
  });
  const whole = known(within(subject(), bounds));

  test('units of any size find the same', () => {
    expect(whole.classes).toBeGreaterThan(50);
    for (const most of [40, 200]) expect(known(within(subject(), bounds, { most }))).toEqual(whole);
  });

  test('a unit returns the accesses beyond those that it was given', () => {
    const { part } = new BoundedFrontier(bounds).due()!;
    const { accessed } = runBounded(subject(), part, 1);
    expect(accessed.length).toBeGreaterThan(100);
    expect(runBounded(subject(), { ...part, accessed }, 1).accessed).toEqual([]);
  });

  test('how many have at most the bound that is done, and no more', () => {
    const until = ({ bound }: BoundedFrontier): boolean => bound === 1;
    const partly = within(subject(), bounds, { most: 20, until });
    const { totals } = within(subject(), { preemptions: 1, acts: 0 });
    expect(partly).toMatchObject({ bound: 1, isDone: false, within: totals.classes });
  });

  test('so do several units at a time that end in another order', () => {
    const one = subject();
    const frontier = new BoundedFrontier(bounds);
    const waiting: (() => void)[] = [];
    for (let turn = 0; !frontier.isDone; turn++) {
      const due = frontier.due();
      if (due !== undefined) waiting.push(() => due.add(runBounded(one, due.part, 60)));
      else if (waiting.length === 0) break;
      if (due === undefined || turn % 4 === 3) waiting.splice((turn * 7) % waiting.length, 1)[0]!();
    }
    expect(known(frontier)).toEqual(whole);
  });
});
