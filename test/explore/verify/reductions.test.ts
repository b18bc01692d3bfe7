/**
 * Abridged runs lose no outcome (docs/decisions/abridged-runs.md): compared with sampled whole runs,
 * and with all behaviours when one reduction is switched off.
 */

import { describe, expect, test } from 'vitest';
import type { DisciplineName } from '../../../shared/discipline.ts';
import { Lguest } from '../../../shared/lguest.ts';
import { guestEntries, wordOf } from '../../../src/check/guest-tables.ts';
import { shadowOf } from '../../../src/check/shadow.ts';
import type { DefectId } from '../../../src/defects.ts';
import { AbridgedWords } from '../../../src/explore/engine/abridged-words.ts';
import { ControlledWords } from '../../../src/explore/engine/controlled-words.ts';
import { GuestTables } from '../../../src/explore/litmus/guest.ts';
import { valueNow } from '../../../src/explore/litmus/judge.ts';
import { readLitmus } from '../../../src/explore/litmus/read.ts';
import { RegisterOf } from '../../../src/explore/litmus/software.ts';
import type { Result } from '../../../src/explore/result.ts';
import { STRATEGIES } from '../../../src/explore/strategies/catalogue.ts';
import { Subject } from '../../../src/explore/subject.ts';
import { Blocked, Exhaustive } from '../../../src/explore/verify/exhaustive.ts';
import { PAGE_OFFSET } from '../../../src/guest/kernel/layout.ts';
import { PAGE_WORDS, toGpa } from '../../../src/hardware/address.ts';
import { ptePfn } from '../../../src/hardware/entry.ts';
import { SLOW } from '../../slow.ts';

type Name = keyof typeof RegisterOf;

/**
 * Of the run that has just ended: its verdict, the registers, and of user addresses both tables and
 * the contents of pages.
 */
function outcomeOf({ litmus, board: { host } }: Subject, result: Result): string {
  const lg = host.guests[0]!;
  const tables = new GuestTables(litmus, lg.form);
  const registers = litmus.vcpus.flatMap((_, vcpu) =>
    (Object.keys(RegisterOf) as Name[]).map((name) =>
      valueNow(lg, { kind: 'register', vcpu, name }),
    ),
  );
  const entries: string[] = [];
  const pages = new Set<number>();
  for (const name of litmus.guest.tables.keys()) {
    for (const { vaddr, entry } of guestEntries(lg, tables.top(name))) {
      if (vaddr >= PAGE_OFFSET) continue;
      entries.push(`${name} ${vaddr} ${entry.low}`);
      if (ptePfn(entry) < lg.pfnLimit) pages.add(ptePfn(entry));
    }
  }
  const words: string[] = [];
  for (const page of pages) {
    for (let i = 0; i < PAGE_WORDS; i++) {
      const word = wordOf(lg, toGpa(page * PAGE_WORDS * 4 + i * 4));
      if (word !== 0) words.push(`${page}:${i} ${word}`);
    }
  }
  // Without its frame, which may differ.
  const shadow = shadowOf(lg).entries.flatMap(({ pgdir, vaddr, entry }) =>
    vaddr < PAGE_OFFSET ? [`${pgdir} ${vaddr} ${entry.low & 0xfff}`] : [],
  );
  const verdict = [result.ending, result.outcome, result.kind];
  return [verdict, registers, entries, words.sort(), shadow.sort()].join('; ');
}

const subjectOf = (
  name: string,
  discipline: DisciplineName,
  defects: readonly DefectId[],
  abridged = true,
): Subject =>
  new Subject(name, readLitmus(name), { paging: 'nonpae', discipline, defects, abridged });

/** The outcomes of all behaviours, how many these are, and whether they were all run. */
function verified(subject: Subject, most = Number.POSITIVE_INFINITY) {
  const outcomes = new Set<string>();
  const search = new Exhaustive(subject.board);
  let classes = 0;
  while (search.goOn()) {
    if (classes === most) return { outcomes, classes, complete: false };
    try {
      outcomes.add(outcomeOf(subject, subject.run(search, 0)));
      classes++;
    } catch (error) {
      if (!(error instanceof Blocked)) throw error;
    }
  }
  return { outcomes, classes, complete: true };
}

const TESTS: readonly (readonly [string, DisciplineName, DefectId[]])[] = [
  ['R15-two-faults-at-once', 'lock-free', []],
  ['R6-no-shootdown', 'guest-lock', ['R6']],
  ['R4-both-allocate-the-table', 'guest-lock', ['R4']],
  ['write-protected-without-telling', 'pgdir-lock', []],
  ['told-before-it-is-stored', 'pgdir-lock', []],
];

/** Whatever hardware does by itself is left out with an even seed. */
const SAMPLED = SLOW ? 10_000 : 80;

test.each(TESTS)('%s, %s, %j: whole runs have no other outcome', (name, discipline, defects) => {
  const { outcomes } = verified(subjectOf(name, discipline, defects));
  const whole = subjectOf(name, discipline, defects, false);
  const met = new Set<string>();
  for (const strategy of ['random', 'pos', 'surw', 'pct-3']) {
    const made = STRATEGIES[strategy]!();
    for (let seed = 0; seed < SAMPLED; seed++) {
      met.add(outcomeOf(whole, whole.run(made, 2 * seed)));
    }
  }
  expect([...met].filter((outcome) => !outcomes.has(outcome))).toEqual([]);
});

type Leaf = Record<string, unknown>;

/** Each reduction, and what it is in a whole run. */
const REDUCTIONS: Readonly<Record<string, Leaf>> = {
  'references on a held frame': { addIf: ControlledWords.prototype.addIf },
  'looks whether another CPU sleeps': { notifyIfAsked: ControlledWords.prototype.notifyIfAsked },
  'loads around a wait for a section': { waitForChange: ControlledWords.prototype.waitForChange },
  'adds whose result is not used': { addBlind: ControlledWords.prototype.addBlind },
  'whether a reference is the last': { countDown: ControlledWords.prototype.countDown },
  'whether a lock is held, as no step': { glance: ControlledWords.prototype.glance },
};

const MOST = SLOW ? 200_000 : 800;

describe.each(TESTS)('%s, %s, %j, without leaving out', (name, discipline, defects) => {
  const all = verified(subjectOf(name, discipline, defects));

  test.each(Object.keys(REDUCTIONS))('%s', (reduction) => {
    const putBack = replace(AbridgedWords.prototype as unknown as Leaf, REDUCTIONS[reduction]!);
    try {
      expectSame(verified(subjectOf(name, discipline, defects), MOST));
    } finally {
      putBack();
    }
  });

  test('siblings checked after each hypercall', () => {
    const always = { get: () => true, set: () => {}, configurable: true };
    Object.defineProperty(Lguest.prototype, 'hasWoken', always);
    try {
      expectSame(verified(subjectOf(name, discipline, defects), MOST));
    } finally {
      Reflect.deleteProperty(Lguest.prototype, 'hasWoken');
    }
  });

  function expectSame({ outcomes, classes, complete }: ReturnType<typeof verified>): void {
    expect([...outcomes].filter((outcome) => !all.outcomes.has(outcome))).toEqual([]);
    if (!complete) return;
    expect([...all.outcomes].filter((outcome) => !outcomes.has(outcome))).toEqual([]);
    expect(classes).toBeGreaterThanOrEqual(all.classes);
  }
});

/** By what loses something: loads of the processor's as no steps. */
test('a reduction that is wrong has fewer outcomes', () => {
  const [name, discipline, defects] = TESTS[3]!;
  const all = verified(subjectOf(name, discipline, defects));
  const putBack = replace(AbridgedWords.prototype as unknown as Leaf, {
    read: AbridgedWords.prototype.glance,
  });
  try {
    const { outcomes } = verified(subjectOf(name, discipline, defects));
    expect([outcomes.size, all.outcomes.size]).toEqual([2, 6]);
  } finally {
    putBack();
  }
});

/** Returns what puts the methods back. */
function replace(leaf: Leaf, methods: Leaf): () => void {
  const before = Object.entries(methods).map(([name, method]) => {
    const own = Object.getOwnPropertyDescriptor(leaf, name);
    leaf[name] = method;
    return [name, own] as const;
  });
  return () => {
    for (const [name, own] of before) {
      if (own === undefined) Reflect.deleteProperty(leaf, name);
      else Object.defineProperty(leaf, name, own);
    }
  };
}
