/**
 * Invariants between steps: a temporary violation is seen, and no moment between steps is missed.
 */

import { expect, test } from 'vitest';
import type { DisciplineName } from '../../../shared/discipline.ts';
import type { DefectId } from '../../../src/defects.ts';
import { readLitmus } from '../../../src/explore/litmus/read.ts';
import { replayToken, tokenOf } from '../../../src/explore/replay.ts';
import { Recorded } from '../../../src/explore/strategies/recorded.ts';
import { Subject } from '../../../src/explore/subject.ts';
import { decodeToken } from '../../../src/explore/token.ts';

import { SLOW } from '../../slow.ts';
import { forced } from './forced.ts';
import { within } from './within.ts';

const BOUNDS = { preemptions: 1, acts: 0 };

const subjectOf = (
  name: string,
  discipline: DisciplineName,
  { defects = [], betweenSteps = true }: { defects?: DefectId[]; betweenSteps?: boolean } = {},
): Subject => {
  const setting = { paging: 'nonpae', discipline, defects, abridged: true, betweenSteps } as const;
  return new Subject(name, readLitmus(name), setting);
};

const all = (subject: Subject) => within(subject, BOUNDS);

/** A CPU that exits the guest flushes its TLB, so at the end no entry is stale. */
test('an unused stale translation is seen only while it exists', () => {
  const given = { defects: ['R6'] as DefectId[], betweenSteps: false };
  const atEnds = all(subjectOf('R2-cleared-entry-comes-back', 'guest-lock', given));
  expect(atEnds.met.map(({ ending }) => ending)).not.toContain('violation');
  const subject = subjectOf('R2-cleared-entry-comes-back', 'guest-lock', { defects: ['R6'] });
  const broken = all(subject).met.find(({ ending }) => ending === 'violation')!;
  expect(broken.message).toMatch(/^between two steps: a stale TLB entry, .*expected nothing/);
  const token = decodeToken(tokenOf(subject, subject.run(new Recorded(broken.decisions), 0)));
  expect(token.betweenSteps).toBe(true);
  expect(replayToken(subject, token)).toMatchObject({
    ending: 'violation',
    message: broken.message,
  });
});

const TESTS: readonly (readonly [string, DisciplineName])[] = [
  ['R1-two-faults-one-entry', 'guest-lock'],
  ['R3-released-while-mapped', 'pgdir-lock'],
  ['dirty-cleared-without-telling', 'lock-free'],
  ...(SLOW ? ([['R13-three-cpus', 'guest-lock']] as const) : []),
];

test.each(TESTS)('%s, %s: no moment found by brute force is missed', (name, discipline) => {
  const brute = subjectOf(name, discipline);
  const endings = new Set(Array.from(forced(brute, 1, false), ({ ending }) => ending));
  const subject = subjectOf(name, discipline);
  const { met } = all(subject);
  expect([...endings, ...met.map(({ ending }) => ending)]).not.toContain('violation');
  const missed = [...brute.between!.looked].filter(
    (moment) => !subject.between!.looked.has(moment),
  );
  expect(missed).toEqual([]);
  expect(brute.between!.looked.size).toBeGreaterThan(50);
});
