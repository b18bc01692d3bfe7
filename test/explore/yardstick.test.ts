/** A shrunk failure is due to the defects: without them it passes as many schedules. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { keepAll } from '../../src/explore/litmus/kept.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import type { Result } from '../../src/explore/result.ts';
import type { Setting } from '../../src/explore/setting.ts';
import { type Shrunk, shrink, sizeOf } from '../../src/explore/shrink/shrink.ts';
import { type Effort, Yardstick } from '../../src/explore/shrink/yardstick.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { Noted } from '../../src/explore/strategies/lenient.ts';
import { Recorded } from '../../src/explore/strategies/recorded.ts';
import { Subject } from '../../src/explore/subject.ts';
import { scratch } from '../scratch.ts';

const FILE = 'litmus/5-flush/unmapped-page-reused.yaml';
const SETTING: Setting = { paging: 'nonpae', discipline: 'guest-lock', defects: ['R6'] };

/** Without the unmap every machine can have it: the store comes between the loads. */
const TOO_FEW = [[2, 3, 4], [1]];

const subjectOf = (path: string, setting = SETTING): Subject =>
  new Subject(path, readLitmus(path), setting);

function searched(subject: Subject, name: string): { found: Result; search: Effort } {
  const strategy = STRATEGIES[name]!();
  for (let schedules = 1; schedules <= 2000; schedules++) {
    const found = subject.run(strategy, schedules);
    if (found.ending !== 'ok') return { found, search: [{ strategy: name, schedules }] };
  }
  throw new Error('nothing goes wrong');
}

const nobody = async (): Promise<void> => {};

describe('the check without defects', () => {
  const search = [{ strategy: 'sweep', schedules: 50 }];

  test('accepts by some dozens of schedules what it refuses by more, and remembers which', async () => {
    const yardstick = new Yardstick(subjectOf(FILE), [], search);
    expect(yardstick.failed).toBe(undefined);
    expect(yardstick.accepts(TOO_FEW, [])).toBe(true);
    const { failure, schedules, wanted } = await yardstick.check(TOO_FEW, nobody);
    expect(failure!.result).toMatchObject({ ending: 'violation', kind: 'outcome 1' });
    expect(failure!.subject.setting).toEqual({ ...SETTING, defects: [], abridged: true });
    expect(schedules).toBeLessThan(wanted);
    const { run } = failure!.result;
    const noted = new Noted(new Recorded(run.decisions));
    failure!.subject.run(noted, 0);
    yardstick.heed({ plan: noted.plan, drawn: run.decisions.drawn, abridged: true });
    expect(yardstick.accepts(TOO_FEW, [])).toBe(false);
  });

  test('tries as many as the search took, by its strategies, and at least a thousand', async () => {
    const whole = keepAll(readLitmus(FILE));
    const told: number[] = [];
    const control = await new Yardstick(subjectOf(FILE), [], search).check(whole, async (so) => {
      told.push(so.schedules);
    });
    expect(control).toEqual({
      setting: { ...SETTING, defects: [] },
      strategies: ['sweep', 'portfolio'],
      schedules: 1050,
      wanted: 1050,
      verified: false,
      failure: undefined,
    });
    // Before the schedules it ran as many behaviours; the test has more.
    const each = Array.from({ length: 1050 }, (_, i) => i + 1);
    expect(told).toEqual([...each, ...each]);
  });
});

describe('a failure whose smallest form fails without the defect', () => {
  let shrunk: Shrunk;
  let search: Effort;
  beforeAll(async () => {
    const subject = subjectOf(FILE);
    const all = searched(subject, 'sweep');
    search = all.search;
    shrunk = await shrink(subject, all.found, { search });
  });

  test('is shrunk to one that passes without it', () => {
    expect(shrunk.result).toMatchObject({ ending: 'violation', kind: 'outcome 1' });
    expect(shrunk.proven).toBe(true);
    // The failure depends on the unmap.
    const [first] = shrunk.subject.litmus.vcpus.map(({ texts }) => texts);
    expect(first).toContain('set_pte A 0x00400000 = none');
    expect(sizeOf(shrunk).operations).toBeLessThan(7);
  });

  test('with as many schedules as the search took', () => {
    const { control } = shrunk;
    expect(control).toMatchObject({ failure: undefined, strategies: ['sweep', 'portfolio'] });
    expect(control!.schedules).toBe(control!.wanted);
    expect(control!.wanted).toBe(search[0]!.schedules + 1000);
  });

  test.each(['pos', 'pct-3', 'random'])('also when found by %s', (name) => {
    const subject = shrunk.subject.changed({ setting: { ...SETTING, defects: [] } });
    const strategy = STRATEGIES[name]!();
    for (let seed = 1; seed <= 500; seed++) expect(subject.run(strategy, seed).ending).toBe('ok');
  });
});

describe('a test that rarely fails without defects, too', () => {
  const folder = scratch('yardstick');
  const file = join(folder, 'wrong.yaml');
  writeFileSync(
    file,
    `
name: two loads are the same
about: Which they need not be.
guest:
  tables:
    A: { 0x00400000: page 0x20 rw user, 0x00402000: page 0x20 rw user }
vcpus:
  - on: A
    ops: [load 0x00402004 -> r1, load 0x00402004 -> r2, "yield"]
  - on: A
    ops: [store 0x00400004 7 -> r0]
outcomes:
  - { when: vcpu 0 r1 != vcpu 0 r2, is: forbidden, because: somebody thought so }
  - { when: alive, is: allowed, because: of the rest }
`,
  );

  test('is shrunk nevertheless, and its failures without them are reported', async () => {
    const subject = subjectOf(file);
    const { found, search } = searched(subject, 'random');
    const shrunk = await shrink(subject, found, { search });
    expect(shrunk.proven).toBe(true);
    // One load and the store: some schedule passes.
    expect(sizeOf(shrunk).operations).toBe(2);
    const { failure, setting } = shrunk.control!;
    expect(setting.defects).toEqual([]);
    expect(failure!.result).toMatchObject({ ending: found.ending, kind: found.kind });
    const again = failure!.subject.run(new Recorded(failure!.result.run.decisions), 0);
    expect(again).toEqual(failure!.result);
  });
});

test('a failure that takes store buffers is held against runs without them', async () => {
  const file = join(scratch('yardstick-tso'), 'sb.yaml');
  writeFileSync(
    file,
    `
name: one of the two sees the other's store
about: Which needs sequential consistency.
disciplines: [pgdir-lock]
guest:
  tables:
    A: { 0x00400000: page 0x20 rw user accessed dirty, 0x00401000: page 0x21 rw user accessed dirty }
vcpus:
  - on: A
    ops: [load 0x00401004, store 0x00400004 1, load 0x00401004 -> r0]
  - on: A
    ops: [load 0x00400004, store 0x00401004 1, load 0x00400004 -> r0]
outcomes:
  - { when: vcpu 0 r0 == 0 and vcpu 1 r0 == 0, is: forbidden, because: no interleaving has it }
  - { when: alive, is: allowed, because: of the rest }
`,
  );
  const setting = {
    paging: 'nonpae',
    discipline: 'pgdir-lock',
    defects: [],
    memory: 'tso',
  } as const;
  const subject = subjectOf(file, setting);
  const { found, search } = searched(subject, 'pct-3');
  const shrunk = await shrink(subject, found, { search });
  // Each store and the load of its word: without one of them the outcome means nothing.
  expect(shrunk.subject.kept!.map((column) => column.length)).toEqual([2, 2]);
  expect(shrunk.control).toMatchObject({
    failure: undefined,
    setting: { discipline: 'pgdir-lock', defects: [], memory: 'sc' },
  });
});

test('interrupted during the check, it reports how far the check was', async () => {
  const subject = subjectOf(FILE);
  const { found, search } = searched(subject, 'sweep');
  let checked = 0;
  const shrunk = await shrink(subject, found, {
    search,
    onProgress: ({ control }) => {
      checked = control?.schedules ?? 0;
    },
    isInterrupted: () => checked > 300,
  });
  expect(shrunk).toMatchObject({ interrupted: true, proven: false, passing: undefined });
  expect(shrunk.control!.failure).toBe(undefined);
  expect(shrunk.control!.schedules).toBeGreaterThan(300);
  expect(shrunk.control!.schedules).toBeLessThan(shrunk.control!.wanted);
});
