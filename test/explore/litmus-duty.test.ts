/** Duties that a test leaves to its guest, and those that stay the host's. */

import { describe, expect, test } from 'vitest';
import type { DefectId } from '../../src/defects.ts';
import { type Litmus, parseLitmus } from '../../src/explore/litmus/litmus.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import type { Result } from '../../src/explore/result.ts';
import { type Setting, settingsOf } from '../../src/explore/setting.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { Subject } from '../../src/explore/subject.ts';
import { someOf } from '../slow.ts';
import { LITMUS_FILES } from './litmus-rig.ts';

const FILES = LITMUS_FILES.map((path) => ({ path, litmus: readLitmus(path) })).filter(
  ({ litmus }) => litmus.guestDuty.length > 0,
);

const RUNS = 40;

/** Schedules in each setting, or in every second. */
function results(path: string, litmus: Litmus, given: Partial<Setting> = {}): Result[] {
  return someOf(settingsOf(litmus, given), 2).flatMap((setting) => {
    const subject = new Subject(path, litmus, setting);
    const strategy = STRATEGIES.portfolio!();
    return Array.from({ length: RUNS }, (_, i) => subject.run(strategy, i + 1));
  });
}

const kindsOf = (all: readonly Result[]): string[] => [
  ...new Set(all.filter(({ ending }) => ending !== 'ok').map(({ kind }) => kind)),
];

describe.each(FILES)('$path', ({ path, litmus }) => {
  test('passes although the guest neglects its duties', () => {
    const all = results(path, litmus);
    expect(kindsOf(all)).toEqual([]);
    const neglected = new Set(all.flatMap((result) => [...(result.neglected ?? [])]));
    expect(neglected).toEqual(new Set(litmus.guestDuty.map(({ duty }) => duty)));
  });

  test('fails without any one of its duties', () => {
    for (const left of litmus.guestDuty) {
      const guestDuty = litmus.guestDuty.filter((other) => other !== left);
      expect(kindsOf(results(path, { ...litmus, guestDuty }))).toEqual([
        expect.stringMatching(/^invariant [145]: /),
      ]);
    }
  });

  test('a duty for other pages does not excuse it', () => {
    const guestDuty = litmus.guestDuty.map((left) => ({ ...left, pages: [0x0070_0000 as never] }));
    expect(kindsOf(results(path, { ...litmus, guestDuty }))).not.toEqual([]);
  });

  test.each([
    ['R10', 'fault in the Switcher in nothing usable at N'],
    ['R13', 'invariant 3: the last host CPU is another one'],
    ['R16', 'invariant 1: a translation leads where it must not'],
  ] as const)('the host still owes what %s breaks', (defect: DefectId, kind) => {
    expect(kindsOf(results(path, litmus, { defects: [defect] }))).toContain(kind);
  });
});

test('references are the host’s, too', () => {
  const path = 'litmus/3-set/older-told-last.yaml';
  const kinds = kindsOf(results(path, readLitmus(path), { defects: ['R1'] }));
  expect(kinds).toContain('invariant 2: a wrong count of references');
});

/** vCPU 0 stores an entry without a hypercall, while vCPU 1 has the page mapped. */
const silently = (entry: string, duty: string): Litmus =>
  parseLitmus(
    `
name: a guest that tells nobody
about: of a change
guest:
  tables:
    A: { 0x00400000: page 0x20 rw user accessed dirty }
vcpus:
  - on: A
    ops: [load 0x00400000, pte A 0x00400000 = ${entry}]
guest_duty: ${duty}
outcomes:
  - { when: alive, is: allowed, because: it harms itself at most }
`,
    'mine.yaml',
  );

test.each([
  ['none', '[stale]', 'invariant 4: a stale shadow entry'],
  ['page 0x21 rw user accessed dirty', '[stale]', 'invariant 4: a stale shadow entry'],
  ['page 0xfffff rw user accessed dirty', '[stale]', 'invariant 1: a page outside the guest'],
  ['page 0x20 user accessed dirty', '[rights]', 'invariant 1: more rights than the guest gives'],
  ['page 0x20 rw accessed dirty', '[rights]', 'invariant 1: more rights than the guest gives'],
  ['page 0x20 rw user accessed', '[accessed_dirty]', 'invariant 5: DIRTY is lost'],
  ['page 0x20 rw user dirty', '[accessed_dirty]', 'invariant 5: ACCESSED is lost'],
])("%s, no hypercall: %s is the guest's, if the test says so", (entry, duty, kind) => {
  // The path that a token would name.
  const path = FILES[0]!.path;
  expect(kindsOf(results(path, silently(entry, duty)))).toEqual([]);
  expect(kindsOf(results(path, silently(entry, '[]')))).toEqual([kind]);
});

test('a guest that may be killed is checked nevertheless', () => {
  const [path] = LITMUS_FILES.filter((file) => file.endsWith('/killed-for-an-entry.yaml'));
  const litmus = readLitmus(path!);
  expect(kindsOf(results(path!, litmus))).toEqual([]);
  expect(kindsOf(results(path!, litmus, { defects: ['U5'] }))).toEqual([
    'invariant 2: a wrong count of references',
  ]);
});
