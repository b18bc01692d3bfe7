/** All behaviours of litmus tests: each once, and none that sampling finds is missing. */

import { describe, expect, test } from 'vitest';
import type { DisciplineName } from '../../../shared/discipline.ts';
import type { DefectId } from '../../../src/defects.ts';
import { bootThreads } from '../../../src/explore/boot-threads.ts';
import type { MemoryModel } from '../../../src/explore/engine/run-mode.ts';
import type { Kept } from '../../../src/explore/litmus/kept.ts';
import { readLitmus } from '../../../src/explore/litmus/read.ts';
import type { Result } from '../../../src/explore/result.ts';
import { STRATEGIES } from '../../../src/explore/strategies/catalogue.ts';
import { Subject } from '../../../src/explore/subject.ts';
import { FIRST } from '../../../src/explore/verify/bounded.ts';
import { Blocked, Exhaustive } from '../../../src/explore/verify/exhaustive.ts';
import { runBounded } from '../../../src/explore/verify/unit.ts';
import { SLOW } from '../../slow.ts';

const subjectOf = (
  name: string,
  discipline: DisciplineName,
  defects: readonly DefectId[] = [],
  { kept, memory }: { readonly kept?: Kept; readonly memory?: MemoryModel } = {},
): Subject =>
  new Subject(
    name,
    readLitmus(name),
    { paging: 'nonpae', discipline, defects, abridged: true, memory },
    kept,
  );

interface All {
  readonly traces: readonly string[];
  readonly blocked: number;
  readonly failures: readonly Result[];
}

function all(subject: Subject): All {
  const search = new Exhaustive(subject.board);
  const traces: string[] = [];
  const failures: Result[] = [];
  while (search.goOn()) {
    try {
      const result = subject.run(search, 0);
      traces.push(result.run.trace);
      if (result.ending !== 'ok') failures.push(result);
    } catch (error) {
      if (!(error instanceof Blocked)) throw error;
    }
  }
  return { traces, blocked: search.dpor.blocked, failures };
}

describe('runs that are cut short are reported as such', () => {
  const litmus = readLitmus('R4-both-allocate-the-table');
  const setting = {
    paging: 'nonpae',
    discipline: 'guest-lock',
    defects: [],
    abridged: true,
  } as const;

  test.each(['sc', 'tso'] as const)('without a bound, %s', (memory) => {
    for (let mostSteps = 1; mostSteps < 120; mostSteps += 7) {
      const subject = new Subject('R4', litmus, { ...setting, memory }, undefined, mostSteps);
      const { traces, failures } = all(subject);
      expect(new Set(traces).size).toBe(traces.length);
      expect(failures.length).toBe(traces.length);
      for (const { ending, run } of failures) {
        expect([ending, run.steps]).toEqual(['livelock', mostSteps]);
      }
    }
  });

  test('with a bound', () => {
    const limited = { ...setting, betweenSteps: true };
    const subject = new Subject('R4', litmus, limited, undefined, 50);
    const part = {
      bounds: { preemptions: 1, acts: 0 },
      preemptions: 0,
      accessed: [],
      pending: [FIRST],
    };
    const { met } = runBounded(subject, part, 1000);
    expect(met.map(({ ending, message }) => [ending, message])).toEqual([
      ['livelock', 'after 50 steps'],
    ]);
  });
});

/** A count changes with the accesses of the code. If that was intended, update it. */
const COUNTS: readonly (readonly [string, DisciplineName, number])[] = [
  ['R1-two-faults-one-entry', 'guest-lock', 68],
  ['R1-two-faults-one-entry', 'pgdir-lock', 62],
  ['R4-both-allocate-the-table', 'guest-lock', 16],
  ['R4-both-allocate-the-table', 'lock-free', 50],
  ['copy-on-write-broken-by-two', 'guest-lock', 68],
  ['R15-two-faults-at-once', 'guest-lock', 34],
  // A vCPU that moves takes its references along.
  ['R13-last-host-cpu-overwritten', 'guest-lock', 7211],
];

const WITH_BUFFERS: typeof COUNTS = [
  // A lock drains them, so no store is delayed past it.
  ['R1-two-faults-one-entry', 'pgdir-lock', 62],
  ['copy-on-write-broken-by-two', 'guest-lock', 90],
  ['R15-two-faults-at-once', 'lock-free', 26],
];

/** An even seed has no acts of hardware. */
const SAMPLED = 200;

describe('each behaviour once, including all that sampling finds', () => {
  test.each(COUNTS)('%s, %s: %i', (name, discipline, count) => {
    expectEachOnce(subjectOf(name, discipline), count);
  });

  test.each(WITH_BUFFERS)('%s, %s, with store buffers: %i', (name, discipline, count) => {
    expectEachOnce(subjectOf(name, discipline, [], { memory: 'tso' }), count);
  });

  /** One page table for two vCPUs: the one without waits for one of several words to change. */
  test('where a vCPU waits for the page table of another', () => {
    const whole = (kept?: Kept): Subject =>
      subjectOf('R11-victim-in-use', 'pgdir-lock', [], kept && { kept });
    if (SLOW) expectEachOnce(whole(), 732);
    // Outcomes refer to the removed operations.
    else expectEachOnce(whole([[0], [0]]), 175, 175);
  });

  function expectEachOnce(subject: Subject, count: number, wrong = 0): void {
    const { traces, blocked, failures } = all(subject);
    const known = new Set(traces);
    expect([traces.length, known.size, blocked, failures.length]).toEqual([count, count, 0, wrong]);
    const met = new Set<string>();
    for (const strategy of ['random', 'pos', 'surw', 'pct-3']) {
      const made = STRATEGIES[strategy]!();
      for (let seed = 0; seed < SAMPLED; seed++) {
        met.add(subject.run(made, 2 * seed).run.trace);
      }
    }
    expect([...met].filter((trace) => !known.has(trace))).toEqual([]);
    expect(met.size).toBeGreaterThan(Math.min(50, count / 4));
  }
});

test('a defect is found, with the behaviours that show it', () => {
  const { failures, traces } = all(subjectOf('R6-no-shootdown', 'guest-lock', ['R6']));
  expect([failures.length, traces.length]).toEqual([117, 184]);
});

const ON_THREADS: readonly (readonly [string, DisciplineName, MemoryModel, number])[] = [
  ['R4-both-allocate-the-table', 'pgdir-lock', 'sc', 14],
  ['R1-two-faults-one-entry', 'pgdir-lock', 'tso', 62],
  ['R15-two-faults-at-once', 'lock-free', 'tso', 26],
  ['pushed-onto-a-store', 'pgdir-lock', 'tso', 8],
];

test.each(ON_THREADS)(
  '%s, %s, %s: worker threads find the same behaviours: %i',
  async (of, discipline, memory, count) => {
    const subject = subjectOf(of, discipline, [], { memory });
    const search = new Exhaustive(subject.board);
    const runs: Result['run'][] = [];
    while (search.goOn()) runs.push(subject.run(search, 0).run);
    const board = await bootThreads(subject);
    try {
      const there: string[] = [];
      for (const { decisions } of runs) there.push((await board.run(decisions, 0)).trace);
      expect(there).toEqual(runs.map(({ trace }) => trace));
      expect([there.length, new Set(there).size]).toEqual([count, count]);
    } finally {
      await board.close();
    }
  },
);
