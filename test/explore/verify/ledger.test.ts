/** `umbra verify` keeps its results in a ledger, and resumes from it. */

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors.ts';
import type { Setting } from '../../../src/explore/setting.ts';
import { Subject } from '../../../src/explore/subject.ts';
import { VerifyLedger } from '../../../src/explore/verify/ledger.ts';
import { runBounded, runUnit } from '../../../src/explore/verify/unit.ts';
import { type Asked, type Entry, entriesOf } from '../../../src/explore/verify/verification.ts';
import { scratch } from '../../scratch.ts';

const folder = scratch('verify-ledger');
const at = (name: string): string => join(folder, name);

const R4 = 'litmus/1-fault/R4-both-allocate-the-table.yaml';
const R6 = 'litmus/5-flush/R6-no-shootdown.yaml';
const GIVEN: Partial<Setting> = { paging: 'nonpae', discipline: 'guest-lock', defects: ['R6'] };
const TWO: Asked = { bounds: { preemptions: 2, acts: 0 } };

const planned = (asked: Asked, paths: readonly string[] = [R4, R6], given = GIVEN): Entry[] =>
  entriesOf(paths, given, asked);

/** Everything that is known of it. */
const stateOf = ({ frontier, estimate }: Entry) => ({
  totals: frontier.totals,
  met: frontier.met,
  guess: frontier.guess,
  bound: frontier.bound,
  within: frontier.within,
  isDone: frontier.isDone,
  estimate,
});

const resultOf = (
  { classes }: Entry['frontier']['totals'],
  { met, ...state }: ReturnType<typeof stateOf>,
) => ({
  classes,
  bound: state.bound,
  within: state.within,
  met: met.map(({ decisions: _, message: __, ...one }) => one),
});

const subjects = new Map<string, Subject>();

function subjectOf({ path, litmus, setting }: Entry): Subject {
  const subject = subjects.get(path) ?? new Subject(path, litmus, setting);
  subjects.set(path, subject);
  return subject;
}

/** Units, three at a time, the first of which ends last; `most` of them, and the rest is lost. */
function work(entries: readonly Entry[], ledger: VerifyLedger, most: number, runs: number): void {
  const open: (() => void)[] = [];
  const next = (): boolean => {
    for (const entry of entries) {
      const due = entry.frontier.due();
      if (due === undefined) continue;
      const { part, place } = due;
      const subject = subjectOf(entry);
      open.push(() => {
        const result =
          'bounds' in part ? runBounded(subject, part, runs) : runUnit(subject, part.nodes, runs);
        due.add(result as never);
        ledger.record(entry, { place, result });
      });
      return true;
    }
    return false;
  };
  for (let done = 0; done < most; done++) {
    while (open.length < 3 && next());
    const end = open.pop();
    if (end === undefined) return;
    end();
  }
}

describe.each([
  ['without a bound', {}, 5],
  ['with one', TWO, 40],
] as const)('%s', (name, asked, runs) => {
  const whole = planned(asked);
  using once = new VerifyLedger(at(`${name} whole`), whole);
  work(whole, once, Number.POSITIVE_INFINITY, 3000);
  const results = whole.map((entry) => resultOf(entry.frontier.totals, stateOf(entry)));

  test('what was ended over and over, and resumed, is as of one go', () => {
    const path = at(`${name} often`);
    let entries = planned(asked);
    let before = entries.map(stateOf);
    let openings = 0;
    for (; !entries.every(({ frontier }) => frontier.isDone); openings++) {
      entries = planned(asked);
      using ledger = new VerifyLedger(path, entries);
      expect(entries.map(stateOf)).toEqual(before);
      work(entries, ledger, 7, runs);
      before = entries.map(stateOf);
    }
    expect(openings).toBeGreaterThan(4);
    const resumed = entries.map((entry) => resultOf(entry.frontier.totals, stateOf(entry)));
    expect(resumed).toEqual(results);
    expect(results[1]!.classes).toBeGreaterThan(50);
  });

  test('a ledger of all leaves nothing to do', () => {
    once.close();
    const again = planned(asked);
    new VerifyLedger(at(`${name} whole`), again).close();
    expect(again.map(({ frontier }) => frontier.due())).toEqual([undefined, undefined]);
    expect(again.map(stateOf)).toEqual(whole.map(stateOf));
  });
});

test('a unit is added to the file, and what was there stays as it is', () => {
  const path = at('added');
  new VerifyLedger(path, planned({}, [R6])).close();
  const changed: number[] = [];
  for (let i = 0; i < 12; i++) {
    const before = readFileSync(path);
    const entries = planned({}, [R6]);
    using ledger = new VerifyLedger(path, entries);
    work(entries, ledger, 1, 20);
    ledger.close();
    const after = readFileSync(path);
    let pages = 0;
    for (let page = 0; page < before.length; page += 4096) {
      const [one, other] = [before, after].map((file) => file.subarray(page, page + 4096));
      if (!one!.equals(other!)) pages++;
    }
    changed.push(pages);
  }
  // The head, the last page of the table and of its index, and where the tables begin.
  expect(Math.max(...changed)).toBeLessThan(8);
});

test('keeps an estimate, and that one was broken off', () => {
  for (const estimate of [null, 1234.5]) {
    const [entry] = planned({}, [R4]);
    using ledger = new VerifyLedger(at('estimated'), [entry!]);
    entry!.estimate = estimate;
    ledger.estimated(entry!);
    ledger.close();
    const [again] = planned({}, [R4]);
    new VerifyLedger(at('estimated'), [again!]).close();
    expect(again!.estimate).toBe(estimate);
  }
});

describe('refuses', () => {
  const path = at('begun');
  const begun = planned(TWO);
  using ledger = new VerifyLedger(path, begun);
  work(begun, ledger, 2, 20);
  ledger.close();

  const refused = (entries: readonly Entry[], words: RegExp, file = path): void => {
    expect(() => new VerifyLedger(file, entries)).toThrow(UserError);
    expect(() => new VerifyLedger(file, entries)).toThrow(words);
  };

  test.each<readonly [string, readonly Entry[], RegExp]>([
    [
      'another bound',
      planned({ bounds: { preemptions: 1, acts: 0 } }),
      /: preemptions 2 there, 1 here; give --out/,
    ],
    ['none', planned({}), /preemptions 2 there, any here/],
    ['more acts', planned({ bounds: { preemptions: 2, acts: 1 } }), /acts 0 there, 1 here/],
    [
      'other tests',
      planned(TWO, [R4]),
      /R6-no-shootdown.yaml \(guest-lock, nonpae, abridged, with R6\) is in it, and not/,
    ],
    [
      'more tests',
      planned(TWO, [R4, R6, R6.replace('R6-no-shootdown', 'R5-table-freed-before-unlinked')]),
      /R5-.* is not in it/,
    ],
    ['another order', planned(TWO, [R6, R4]), /in another order/],
    [
      'without the defect',
      planned(TWO, [R4, R6], { ...GIVEN, defects: [] }),
      /with R6\) is in it, and not/,
    ],
  ])('%s', (_, entries, words) => {
    refused(entries, words);
  });

  test('--or-preemptions of another bound', () => {
    const file = at('instead');
    new VerifyLedger(file, planned({ instead: { preemptions: 1, acts: 0 } })).close();
    const more = planned({ instead: { preemptions: 2, acts: 0 } });
    refused(more, /or preemptions 1 there, 2 here/, file);
    refused(planned({}), /or preemptions 1 there, none here/, file);
  });

  test('a test that has changed', () => {
    const copy = at('R4.yaml');
    cpSync(R4, copy);
    new VerifyLedger(at('changed'), planned(TWO, [copy])).close();
    writeFileSync(copy, readFileSync(copy, 'utf8').replace('load 0x00400000', 'load 0x00400004'));
    refused(planned(TWO, [copy]), /R4.yaml has changed since/, at('changed'));
  });

  const spoiled = (name: string, sql: string): string => {
    cpSync(path, at(name));
    const db = new DatabaseSync(at(name));
    db.exec(sql);
    db.close();
    return at(name);
  };

  test('that of other code', () => {
    const file = spoiled('other-code', "UPDATE entry SET first = 'x'");
    refused(planned(TWO), /the code .* has changed since .*-.*begins in another way/, file);
  });

  test('a damaged unit', () => {
    const file = spoiled('damaged', "UPDATE unit SET result = x'00ff'");
    refused(planned(TWO), /damaged: no ledger, or a damaged one/, file);
  });

  test('one in use', () => {
    using first = new VerifyLedger(path, planned(TWO));
    refused(planned(TWO), /another process uses this ledger/);
    first.close();
    new VerifyLedger(path, planned(TWO)).close();
  });

  test('the file of earlier versions', () => {
    const old = { kind: 'umbra verify', engine: 5, entries: [{ path: R4, frontier: {} }] };
    writeFileSync(at('old.json'), `${JSON.stringify(old)}\n`);
    refused(
      planned(TWO),
      /old.json is a ledger of umbra verify, in its earlier form: delete it/,
      at('old.json'),
    );
  });
});

test.each([{}, TWO])('a frontier that is left keeps all that is reported of it: %o', (asked) => {
  const [entry] = planned(asked, [R6]) as [Entry];
  using ledger = new VerifyLedger(at(`left ${'bounds' in asked}`), [entry]);
  work([entry], ledger, 6, 5);
  const before = structuredClone(stateOf(entry));
  entry.frontier.leave();
  expect(stateOf(entry)).toEqual(before);
  expect(before).toMatchObject({ isDone: false });
  expect(before.totals.classes).toBeGreaterThan(0);
});
