/** Shrinking a failure: the same failure, nothing superfluous, and a passing schedule beside it. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { subjectOf } from '../../src/explore/find-subject.ts';
import { type Kept, keep, keepAll } from '../../src/explore/litmus/kept.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { replayToken, tokenOf } from '../../src/explore/replay.ts';
import type { Result } from '../../src/explore/result.ts';
import type { Setting } from '../../src/explore/setting.ts';
import { without } from '../../src/explore/shrink/plans.ts';
import { preemptionsOf, type Shrunk, shrink, sizeOf } from '../../src/explore/shrink/shrink.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { Lenient, Noted } from '../../src/explore/strategies/lenient.ts';
import { RandomWalk } from '../../src/explore/strategies/random-walk.ts';
import { Subject } from '../../src/explore/subject.ts';
import { decodeToken } from '../../src/explore/token.ts';
import { scratch } from '../scratch.ts';

interface Case {
  readonly file: string;
  readonly setting: Setting;
  readonly strategy: string;
  readonly ending: Result['ending'];
  readonly kind: string;
  readonly operations: number;
  readonly preemptions: number;
  readonly mayPass: boolean;
}

const setting = (
  discipline: Setting['discipline'],
  paging: Setting['paging'],
  ...defects: Setting['defects']
): Setting => ({ discipline, paging, defects });

const CASES: readonly Case[] = [
  {
    file: 'litmus/1-fault/R2-cleared-entry-comes-back.yaml',
    setting: setting('lock-free', 'nonpae', 'R2'),
    strategy: 'surw',
    ending: 'violation',
    kind: 'outcome 1',
    operations: 2,
    preemptions: 1,
    mayPass: true,
  },
  {
    file: 'litmus/1-fault/R1-two-faults-one-entry.yaml',
    setting: setting('pgdir-lock', 'pae', 'R1'),
    strategy: 'random',
    ending: 'violation',
    kind: 'invariant 2: a wrong count of references',
    operations: 2,
    preemptions: 1,
    mayPass: true,
  },
  {
    file: 'litmus/6-switcher/R9-same-cpu-another-vcpu.yaml',
    setting: setting('guest-lock', 'nonpae', 'R9'),
    strategy: 'random',
    ending: 'killed',
    kind: 'unhandled trap N at N (N)',
    // One host CPU: without preemption there is but one schedule.
    operations: 4,
    preemptions: 0,
    mayPass: false,
  },
  {
    file: 'litmus/6-switcher/R10-one-pgdir-two-cpus.yaml',
    setting: setting('guest-lock', 'nonpae', 'R10'),
    strategy: 'portfolio',
    ending: 'oops',
    kind: 'fault in the Switcher in nothing usable at N',
    operations: 2,
    preemptions: 1,
    mayPass: true,
  },
];

const MOST_RUNS = 300;

const subjectFor = ({ file, setting: given }: Pick<Case, 'file' | 'setting'>): Subject =>
  new Subject(file, readLitmus(file), given);

/** The first failing schedule. */
function failureOf(subject: Subject, name: string): Result {
  const strategy = STRATEGIES[name]!();
  for (let seed = 1; seed <= MOST_RUNS; seed++) {
    const result = subject.run(strategy, seed);
    if (result.ending !== 'ok') return result;
  }
  throw new Error(`nothing goes wrong in ${MOST_RUNS} schedules`);
}

const keptIn = ({ subject }: Shrunk): Kept => subject.kept ?? keepAll(subject.litmus);

/** Whether a test passes on the machine without defects, one CPU after the other. */
const saysSomething = (subject: Subject, kept: Kept): boolean =>
  subject.changed({ kept, setting: { ...subject.setting, defects: [] } }).run(new Lenient([]), 0)
    .ending === 'ok';

describe.each(CASES)('$file, shrunk', (given) => {
  let found: Result;
  let shrunk: Shrunk;
  beforeAll(async () => {
    const subject = subjectFor(given);
    found = failureOf(subject, given.strategy);
    shrunk = await shrink(subject, found);
  });

  const isSame = ({ ending, kind }: Result): boolean =>
    ending === given.ending && kind === given.kind;

  /** Whether a test with something removed is valid, and still fails in the same way. */
  function showsTheSame(whole: Subject, kept: Kept): boolean {
    if (!saysSomething(whole, kept)) return false;
    const subject = whole.changed({ kept });
    const strategies = [new RandomWalk(), STRATEGIES.pos!(), STRATEGIES['pct-3']!()];
    const seeds = Array.from({ length: 25 }, (_, i) => 1001 + i);
    return seeds.some((seed) => strategies.some((one) => isSame(subject.run(one, seed))));
  }

  test('is the same failure, and no larger', () => {
    expect(isSame(found)).toBe(true);
    expect(isSame(shrunk.result)).toBe(true);
    const now = sizeOf(shrunk);
    expect(now.operations).toBe(given.operations);
    expect(preemptionsOf(shrunk.subject, shrunk.result)).toBe(given.preemptions);
    expect(now.operations).toBeLessThanOrEqual(
      sizeOf({ subject: subjectFor(given), result: found }).operations,
    );
    expect(shrunk.proven).toBe(true);
    expect(shrunk.lastRound).toBeGreaterThan(now.operations + shrunk.plan.length);
    expect(shrunk.tries).toBeGreaterThanOrEqual(shrunk.lastRound);
  });

  test('replays from its line', () => {
    const token = decodeToken(tokenOf(shrunk.subject, shrunk.result));
    const again = replayToken(subjectOf(token), token);
    expect(again).toEqual(shrunk.result);
  });

  test('passes without any one of its switches', () => {
    const { subject, plan, result } = shrunk;
    const { drawn } = result.run.decisions;
    expect(isSame(subject.run(new Lenient(plan, drawn), 0))).toBe(true);
    for (const at of plan.keys()) {
      const less = subject.run(new Lenient(without(plan, at, 1), drawn), 0);
      expect(isSame(less), `without stretch ${at}`).toBe(false);
    }
  });

  test('passes without any one of its operations', () => {
    const kept = keptIn(shrunk);
    for (const [column, places] of kept.entries()) {
      for (const place of places) {
        const less = kept.with(
          column,
          places.filter((other) => other !== place),
        );
        expect(showsTheSame(shrunk.subject, less), `without ${column}:${place}`).toBe(false);
      }
    }
  });

  const withPassing = () => {
    const { subject, passing, difference } = shrunk;
    expect(passing!.ending).toBe('ok');
    expect(difference).toMatch(
      /^when the switch from CPU \d comes (one access|\d+ accesses) (later|earlier)$/,
    );
    const token = decodeToken(tokenOf(subject, passing!));
    expect(replayToken(subjectOf(token), token)).toEqual(passing);
  };
  const withoutPassing = () => {
    expect([shrunk.passing, shrunk.difference]).toEqual([undefined, undefined]);
  };
  test(
    'has a passing schedule beside it, if there is one',
    given.mayPass ? withPassing : withoutPassing,
  );

  test('is the same each time', async () => {
    const subject = subjectFor(given);
    const again = await shrink(subject, failureOf(subject, given.strategy));
    const { subject: smaller, ...rest } = again;
    const { subject: expected, ...others } = shrunk;
    expect(rest).toEqual(others);
    expect(tokenOf(smaller, again.result)).toBe(tokenOf(expected, shrunk.result));
  });
});

const R10 = CASES[3]!;

test('an interrupted shrink returns the smallest failure so far, as not proven minimal', async () => {
  const subject = subjectFor(R10);
  const found = failureOf(subject, R10.strategy);
  const sizes: number[] = [];
  const shrunk = await shrink(subject, found, {
    onProgress: ({ operations }) => sizes.push(operations),
    isInterrupted: () => sizes.some((n) => n < 8),
  });
  expect(shrunk).toMatchObject({ proven: false, interrupted: true, passing: undefined });
  expect(sizeOf(shrunk).operations).toBe(sizes.at(-1));
  expect(sizes.at(-1)).toBeLessThan(8);
  expect(shrunk.result).toMatchObject({ ending: found.ending, kind: found.kind });
  const token = decodeToken(tokenOf(shrunk.subject, shrunk.result));
  expect(replayToken(subjectOf(token), token)).toEqual(shrunk.result);
});

test('a shrunk failure cannot be shrunk further', async () => {
  const subject = subjectFor(R10);
  const once = await shrink(subject, failureOf(subject, R10.strategy));
  const twice = await shrink(once.subject, once.result);
  // The number of steps is not minimized: a forced switch may happen elsewhere.
  const { steps, ...size } = sizeOf(once);
  expect(steps).toBeGreaterThan(0);
  expect(sizeOf(twice)).toMatchObject(size);
  expect(keptIn(twice)).toEqual(keptIn(once));
});

describe('a test that fails without defects too', () => {
  const folder = scratch('shrink');

  const wrongly = async (when: string): Promise<Shrunk> => {
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, WRONG.replace('WHEN', when));
    const subject = subjectFor({ file, setting: setting('guest-lock', 'nonpae') });
    return shrink(subject, failureOf(subject, 'portfolio'));
  };

  test('is shrunk as long as some schedule passes', async () => {
    const { subject, passing } = await wrongly('vcpu 0 r0 == 7');
    expect(subject.litmus.vcpus.map(({ texts }) => texts)).toEqual([
      ['load 0x00400000 -> r0'],
      ['store 0x00400000 7'],
    ]);
    expect(passing!.ending).toBe('ok');
  });

  test('is shrunk to nothing if none does', async () => {
    const shrunk = await wrongly('alive');
    expect(sizeOf(shrunk)).toMatchObject({ vcpus: 0, operations: 0 });
    expect(shrunk.passing).toBe(undefined);
  });
});

const WRONG = `
name: a wrong outcome
about: What is forbidden here can be.
guest:
  tables:
    A: { 0x00400000: page 0x20 rw user }
vcpus:
  - on: A
    ops: [load 0x00400000 -> r0, yield]
  - on: A
    ops: [yield, store 0x00400000 7]
outcomes:
  - when: WHEN
    is: forbidden
    because: somebody thought so
  - when: alive
    is: allowed
    because: of the rest
`;

describe('a plan', () => {
  test.each(['random', 'pct-3', 'pos', 'surw'])('recorded of %s gives the same run', (name) => {
    const subject = subjectFor({ ...R10, setting: { ...R10.setting, defects: [] } });
    const strategy = new Noted(STRATEGIES[name]!());
    for (let seed = 1; seed <= 10; seed++) {
      const { run } = subject.run(strategy, seed);
      const again = subject.run(new Lenient(strategy.plan, run.decisions.drawn), 0);
      expect(again.run).toEqual(run);
    }
  });

  test('without entries has no preemption', () => {
    const strategy = new Noted(new Lenient([]));
    const subject = subjectFor({ ...R10, setting: { ...R10.setting, defects: [] } });
    expect(subject.run(strategy, 0).ending).toBe('ok');
    expect(strategy.preemptions).toBe(0);
    expect(strategy.plan.length).toBeGreaterThan(1);
  });
});

describe('kept operations', () => {
  const litmus = readLitmus(R10.file);

  test('appear in the words of the file', () => {
    const { vcpus } = keep(litmus, [[3], [0, 2]]);
    expect(vcpus.map(({ texts }) => texts)).toEqual([
      ['load 0x00400000 -> r0'],
      ['yield', 'yield'],
    ]);
    expect(vcpus.map(({ ops }) => ops.map(({ kind }) => kind))).toEqual([
      ['load'],
      ['yield', 'yield'],
    ]);
    expect(keep(litmus, keepAll(litmus))).toEqual(litmus);
  });

  test.each([
    ['too few columns', [[0]]],
    ['an index past the end', [[0], [4]]],
    ['an index twice', [[1, 1], [0]]],
    ['indices out of order', [[2, 1], [0]]],
  ])('refuses %s', (_, kept) => {
    expect(() => keep(litmus, kept)).toThrow(/damaged/);
  });
});
