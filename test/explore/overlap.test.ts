/** Which operations overlapped, and the tally over many schedules. */

import { describe, expect, test } from 'vitest';
import { overlapped, Timeline } from '../../src/explore/litmus/overlap.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { Tally } from '../../src/explore/litmus/tally.ts';
import type { Result } from '../../src/explore/result.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { Lenient } from '../../src/explore/strategies/lenient.ts';
import type { Strategy } from '../../src/explore/strategies/strategy.ts';
import { Subject } from '../../src/explore/subject.ts';

describe('spans of operations', () => {
  /** Two CPUs; each number is the actor of the step, 2 is hardware. */
  const spansOf = (
    order: readonly number[],
    reached: readonly [vcpu: number, place: number, step: number][],
  ) => {
    const switches = order.flatMap((actor, step) =>
      actor === (order[step - 1] ?? 0) ? [] : [step, actor],
    );
    const timeline = new Timeline();
    for (const [vcpu, place, step] of reached)
      timeline.begins(vcpu, place, { step, current: vcpu });
    return timeline.spans(switches, order.length, 2);
  };

  const a = { vcpu: 0, place: 0 };
  const b = { vcpu: 1, place: 0 };

  test('one after the other', () => {
    const spans = spansOf(
      [0, 0, 0, 1, 1, 1],
      [
        [0, 0, 0],
        [0, 1, 2],
        [1, 0, 3],
        [1, 1, 5],
      ],
    );
    expect([spans[0]![0], spans[1]![0]]).toEqual([
      [0, 1],
      [3, 4],
    ]);
    expect(overlapped(spans, { a, b })).toBe(false);
  });

  test('one within the other', () => {
    const spans = spansOf(
      [0, 1, 1, 0, 0],
      [
        [0, 0, 0],
        [1, 0, 1],
        [1, 1, 3],
        [0, 1, 4],
      ],
    );
    expect([spans[0]![0], spans[1]![0]]).toEqual([
      [0, 3],
      [1, 2],
    ]);
    expect(overlapped(spans, { a, b })).toBe(true);
  });

  test('one about to begin has not begun', () => {
    // CPU 0 is before its first step when the other continues.
    const spans = spansOf(
      [1, 1, 1, 0, 0],
      [
        [0, 0, 0],
        [1, 0, 0],
        [1, 1, 3],
      ],
    );
    expect([spans[0]![0], spans[1]![0]]).toEqual([
      [3, 4],
      [0, 2],
    ]);
    expect(overlapped(spans, { a, b })).toBe(false);
  });

  test('an operation reached twice counts once, and steps of hardware belong to none', () => {
    const order = [0, 2, 0, 1, 1];
    // An act of hardware is no switch: after it the same CPU continues.
    const timeline = new Timeline();
    timeline.begins(0, 0, { step: 0, current: 0 });
    timeline.begins(0, 0, { step: 2, current: 0 });
    timeline.begins(1, 0, { step: 3, current: 1 });
    const spans = timeline.spans([1, 2, 3, 1], order.length, 2);
    expect(spans).toEqual([[[0, 2]], [[3, 4]]]);
  });

  test('a finished operation has ended, though the next one has not begun', () => {
    const timeline = new Timeline();
    timeline.begins(0, 0, { step: 0, current: 0 });
    timeline.ends(0, 0, { step: 2, current: 0 });
    timeline.begins(1, 0, { step: 2, current: 1 });
    timeline.begins(0, 1, { step: 5, current: 0 });
    expect(timeline.spans([2, 1, 4, 0], 6, 2)[0]![0]).toEqual([0, 1]);
  });

  test('one without a step overlaps none', () => {
    const spans = spansOf(
      [0, 1, 1, 0],
      [
        [0, 0, 1],
        [0, 1, 1],
        [1, 0, 1],
      ],
    );
    expect(spans[0]![0]).toBe(undefined);
    expect(overlapped(spans, { a, b })).toBe(false);
  });
});

describe('a tally', () => {
  const path = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';
  const litmus = readLitmus(path);
  const setting = { paging: 'nonpae', discipline: 'guest-lock', defects: [] } as const;

  function tallyOf(strategy: Strategy, runs: number): Tally {
    const subject = new Subject(path, litmus, setting);
    const tally = new Tally(litmus);
    for (let seed = 1; seed <= runs; seed++) tally.add(subject, subject.run(strategy, seed));
    return tally;
  }

  test('one vCPU after the other: nothing overlaps, and the other allowed outcomes do not occur', () => {
    const tally = tallyOf(new Lenient([{ who: 0, until: 1 }]), 2);
    expect(tally.overlapping).toBe(0);
    expect(tally.apart).toHaveLength(tally.pairs.length);
    const allowed = tally.lines.filter(({ is }) => is === 'allowed');
    expect(allowed.map(({ isMet }) => isMet).toSorted()).toEqual([false, true]);
    // A forbidden outcome is not listed as missing.
    expect(tally.lines.filter(({ is }) => is === 'forbidden').every(({ isMet }) => isMet)).toBe(
      true,
    );
  });

  test('over many schedules all allowed outcomes occur, and every pair overlaps', () => {
    const tally = tallyOf(STRATEGIES.random!(), 50);
    expect(tally.overlapping).toBeGreaterThan(25);
    expect(tally.apart).toEqual([]);
    expect(tally.lines.every(({ isMet }) => isMet)).toBe(true);
    expect(tally.pairs.every(({ count }) => count <= tally.overlapping)).toBe(true);
  });

  test.each(['livelock', 'deadlock', 'oops'] as const)(
    'a run that ends by %s is no outcome',
    (verdict) => {
      const subject = new Subject(path, litmus, setting);
      const { run } = subject.run(new Lenient([]), 0);
      const ended: Result = subject.judged(run);
      expect(ended.outcome).not.toBe(undefined);
      const cut = subject.judged({ ...run, verdict, message: 'after 20000 steps' });
      expect(cut).toMatchObject({ ending: verdict, outcome: undefined, kind: 'after N steps' });
      const tally = new Tally(litmus);
      tally.add(subject, cut);
      expect(tally.outcomes.every((n) => n === 0)).toBe(true);
      expect(tally.lines.at(-1)).toEqual({
        is: verdict,
        count: 1,
        text: 'cut short, and so no outcome',
        isMet: true,
      });
    },
  );

  test('an undeclared end has a line', () => {
    const undeclared = { ...litmus, outcomes: litmus.outcomes.slice(0, 1) };
    const subject = new Subject(path, undeclared, setting);
    const tally = new Tally(undeclared);
    tally.add(subject, subject.run(new Lenient([]), 0));
    expect(tally.lines.at(-1)).toMatchObject({ is: 'not declared', count: 1 });
  });
});

test('operations that a sweep runs one after the other do not overlap', () => {
  const path = 'litmus/1-fault/store-buffering.yaml';
  const litmus = readLitmus(path);
  const subject = new Subject(path, litmus, {
    paging: 'nonpae',
    discipline: 'guest-lock',
    defects: [],
  });
  const sweep = STRATEGIES.sweep!();
  const tally = new Tally(litmus);
  const run = (times: number): void => {
    for (let i = 0; i < times; i++) tally.add(subject, subject.run(sweep, i));
  };
  run(5);
  expect(tally.overlapping).toBe(0);
  // Now it preempts them.
  run(20);
  expect(tally.overlapping).toBeGreaterThan(10);
});
