/**
 * Peeks and pokes are no accesses to the search, since the accesses around them order them: it
 * finds as many behaviours if each counts.
 */

import { afterEach, expect, test, vi } from 'vitest';
import type { DisciplineName } from '../../../shared/discipline.ts';
import { AbridgedWords } from '../../../src/explore/engine/abridged-words.ts';
import { ControlledWords } from '../../../src/explore/engine/controlled-words.ts';
import { Guards } from '../../../src/explore/engine/lockdep.ts';
import type { RecordingTrace } from '../../../src/explore/engine/recording-trace.ts';
import type { Subject } from '../../../src/explore/subject.ts';
import { Exhaustive } from '../../../src/explore/verify/exhaustive.ts';
import { runOnce } from '../../../src/explore/verify/unit.ts';
import { SLOW } from '../../slow.ts';
import { abridgedSubject } from '../litmus-rig.ts';

const TESTS: readonly (readonly [name: string, DisciplineName])[] = [
  ['D4-stack-moved-while-told', 'pgdir-lock'],
  ['R10-one-pgdir-two-cpus', 'lock-free'],
  ['R6-no-shootdown', 'pgdir-lock'],
  ['R11-victim-in-use', 'pgdir-lock'],
  ['R14-started-vcpu', 'guest-lock'],
  ...(SLOW
    ? ([
        ['D4-stack-compared', 'guest-lock'],
        ['R1-two-faults-one-entry', 'lock-free'],
        ['R5-table-freed-before-unlinked', 'pgdir-lock'],
        ['R13-last-host-cpu-overwritten', 'lock-free'],
        ['lru-victim', 'guest-lock'],
        ['R17-one-load', 'pgdir-lock'],
      ] as const)
    : []),
];

afterEach(() => {
  vi.restoreAllMocks();
});

function behavioursOf(subject: Subject): number {
  const search = new Exhaustive(subject.board);
  while (search.goOn()) runOnce(subject, search);
  expect(search.dpor.blocked).toBe(0);
  return search.dpor.classes;
}

/** All but tied words, each of which would conflict with all others, and the holders of locks. */
function tellAll({ board: { recording } }: Subject): void {
  const { areTied } = recording as RecordingTrace;
  vi.spyOn(Guards.prototype, 'isSeen').mockImplementation((at) => !areTied.call(recording, [at]));
  vi.spyOn(AbridgedWords.prototype, 'glance').mockImplementation(function (
    this: AbridgedWords,
    at,
  ) {
    return ControlledWords.prototype.peek.call(this, at);
  });
}

test.each(TESTS)('%s, %s', (name, discipline) => {
  const behaviours = behavioursOf(abridgedSubject(name, discipline));
  const told = abridgedSubject(name, discipline);
  tellAll(told);
  expect(behavioursOf(told)).toBe(behaviours);
});

test('it would have shown that another vCPU sees where a stack is', () => {
  const [name, discipline] = TESTS[0]!;
  const behaviours = behavioursOf(abridgedSubject(name, discipline));
  vi.spyOn(Guards.prototype, 'isSeen').mockReturnValue(false);
  expect(behavioursOf(abridgedSubject(name, discipline))).toBeLessThan(behaviours);
});
