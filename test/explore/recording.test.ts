/** Recording a run does not change it, and finds the source of each step. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sourceLine } from '../../src/explore/engine/source.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { locksOf, recordRun } from '../../src/explore/story/recording.ts';
import { RandomWalk } from '../../src/explore/strategies/random-walk.ts';
import { Subject } from '../../src/explore/subject.ts';

const R2 = 'litmus/1-fault/R2-cleared-entry-comes-back.yaml';

const subject = new Subject(R2, readLitmus(R2), {
  paging: 'pae',
  discipline: 'pgdir-lock',
  defects: [],
});
const { run } = subject.run(new RandomWalk(), 1);
const recording = recordRun(subject, run.decisions);
const { steps } = recording;

test('a recorded run takes the same steps', () => {
  expect(recording.run).toEqual(run);
  expect(steps.map(({ number }) => number)).toEqual(Array.from({ length: run.steps }, (_, i) => i));
});

test('recording restores the stack-trace limit', () => {
  const { stackTraceLimit } = Error;
  recordRun(subject, run.decisions);
  expect(Error.stackTraceLimit).toBe(stackTraceLimit);
});

describe('the place of a step', () => {
  test('is known for every step, with an existing line', () => {
    for (const { where } of steps) {
      expect(where.name).toMatch(/^\w+$/);
      expect(where.part).not.toBe('hardware');
      expect(sourceLine(where)).not.toBe('');
    }
  });

  test.each([
    ['i', 'tryDemandPage', 'lgcmpxchgEntry', /markGuestEntry\(cpu, gptePtr/],
    ['i', 'replaceSpte', 'compareExchangeEntry', /lg\.compareExchangeEntry\(spte/],
    ['i', 'tableBelow', 'compareExchangeEntry', /linkTable\(lg, at/],
    ['iii', 'doSetPte', 'countChange', /countChange\(\)/],
    ['iii', 'doSetPte', 'lockPgdir', /lockPgdir\(lg, idx/],
    ['vi', 'copyRoot', 'setEntry', /lg\.setEntry\(/],
    ['guest', 'storeEntry', '', /words\.store64\(toPtr\(at\), entry\)/],
    ['mmu', 'walkThreeLevels', '', /words\.read64\(/],
  ])('part %s: %s by way of %s', (part, name, through, text) => {
    const found = steps.filter(({ where }) => where.name === name && where.through === through);
    expect(found.length).toBeGreaterThan(0);
    expect(new Set(found.map(({ where }) => where.part))).toContain(part);
    for (const { where } of found.filter(({ where }) => where.part === part)) {
      const lines = readFileSync(where.file, 'utf8').split('\n');
      expect(lines[where.line - 1]).toContain(sourceLine(where));
    }
    expect(found.some(({ where }) => text.test(sourceLine(where)))).toBe(true);
  });
});

test('a lock is held from its acquire to its release, by one CPU', () => {
  const locks = locksOf(subject.board.host);
  const held = new Map<number, number>();
  const released: [at: number, lock: number][] = [];
  for (const step of steps) {
    for (const at of locks) {
      if (step.locks.includes(at)) held.set(at, step.cpu);
      else if (held.get(at) === step.cpu) {
        released.push([step.at, at]);
        held.delete(at);
      }
    }
    for (const at of step.locks) expect(held.get(at)).toBe(step.cpu);
  }
  expect(held.size).toBe(0);
  expect(released.length).toBeGreaterThan(0);
  for (const [at, lock] of released) expect(at).toBe(lock);
  expect(steps.some((step) => step.locks.length > 0)).toBe(true);
});

test('the events of a CPU are recorded once, in order', () => {
  for (const cpu of [0, 1]) {
    const numbers = steps
      .filter((step) => step.cpu === cpu)
      .flatMap(({ events }) => events.map(({ sequence }) => sequence));
    expect(numbers.length).toBeGreaterThan(5);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  }
});
