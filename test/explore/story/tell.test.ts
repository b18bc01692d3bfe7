/** Stories of schedules with a known failure. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DisciplineName } from '../../../shared/discipline.ts';
import type { DefectId } from '../../../src/defects.ts';
import { recordWords } from '../../../src/explore/engine/record-words.ts';
import { readLitmus } from '../../../src/explore/litmus/read.ts';
import { tellStory } from '../../../src/explore/story/tell.ts';
import { STRATEGIES } from '../../../src/explore/strategies/catalogue.ts';
import { RandomWalk } from '../../../src/explore/strategies/random-walk.ts';
import { Subject } from '../../../src/explore/subject.ts';
import type { Flag, Story, Told } from '../../../src/report/story.ts';
import { storyText } from '../../../src/report/story-text.ts';
import { LITMUS_FILES } from '../litmus-rig.ts';
import { type Found, find, R2, R5, R9, R10 } from './found.ts';

const stepsOf = ({ lines }: Story): Told[] =>
  lines.flatMap((line) => (line.kind === 'step' ? [line] : []));

const flagged = (story: Story, flag: Flag): Told | undefined =>
  stepsOf(story).find(({ flags }) => flags.includes(flag));

const marks = ({ lines }: Story, kind: 'turn' | 'operation' | 'event'): string[] =>
  lines.flatMap((line) => (line.kind === kind ? [line.text] : []));

const tell = ({ subject, failing, passing }: Found, against: boolean): Story =>
  tellStory(subject, failing, { passing: against ? passing : undefined });

describe.each(['nonpae', 'pae'] as const)('R2, the cleared entry written back, %s', (paging) => {
  const found = find(R2, 'R2', 'lock-free', paging);
  const story = tell(found, false);

  test('breaks where the host writes it back', () => {
    expect(flagged(story, 'break')).toMatchObject({
      part: 'i',
      name: 'tryDemandPage',
      does: 'writes',
      before: 'none',
      place: 'guest pte of 0x00400000 in A',
      after: 'page 0x20 rw user accessed',
    });
    expect(flagged(story, 'break')!.code).toContain('writeBack(cpu, gptePtr, gpte)');
  });

  test.each([false, true])(
    'blames the guest’s store and that write, when compared: %s',
    (against) => {
      const told = tell(found, against);
      const [first, second] = [flagged(told, 'first')!, flagged(told, 'second')!];
      expect(first).toMatchObject({ part: 'guest', name: 'storeEntry', after: 'none' });
      expect(second.step).toBe(flagged(told, 'break')!.step);
      expect(first.column).not.toBe(second.column);
      expect(told.findings.map(({ kind }) => kind)).toEqual(['break', 'pair']);
      expect(told.findings[1]!.text.includes('guess')).toBe(!against);
    },
  );

  test('has the earlier read, and the operations of the vCPUs', () => {
    const reads = stepsOf(story).filter(
      ({ does, place }) => does === 'reads' && /^guest pte/.test(place),
    );
    expect(reads[0]!.step).toBeLessThan(flagged(story, 'first')!.step);
    expect(marks(story, 'operation')).toEqual([
      'vCPU 0: load 0x00400000 -> r0',
      'vCPU 1: set_pte A 0x00400000 = none',
    ]);
    expect(marks(story, 'event')).toContain('vCPU 0: page fault at 0x00400000 (read)');
    expect(marks(story, 'event')).toContain('vCPU 1: hypercall SET_PTE');
  });

  test('is short enough to read aloud', () => {
    expect(story.told).toBeLessThan(20);
    expect(story.told).toBe(stepsOf(story).length);
    expect(story.steps).toBe(found.failing.run.steps);
  });

  test('quotes source lines that exist', () => {
    for (const { source, code } of stepsOf(story)) {
      const [file, line] = source.split(':');
      expect(readFileSync(file!, 'utf8').split('\n')[Number(line) - 1]!.trim()).toBe(code);
    }
  });

  test('has a line for every step with --all', () => {
    const all = tellStory(found.subject, found.failing, { all: true });
    expect(stepsOf(all).map(({ step }) => step)).toEqual(
      Array.from({ length: found.failing.run.steps }, (_, i) => i),
    );
  });
});

test('R5: a freed table is named by its former use, and the step that freed it is blamed', () => {
  const story = tell(find(R5, 'R5', 'lock-free', 'pae'), false);
  expect(story.ending).toMatch(/^oops: machine check/);
  expect(flagged(story, 'break')!.step).toBe(story.steps - 1);
  expect(flagged(story, 'first')).toMatchObject({ part: 'v', does: 'frees' });
  expect(flagged(story, 'first')!.place).toMatch(/^table below the pde of 0x00400000 \(pgdir 1\)/);
  expect(flagged(story, 'first')!.locks).toEqual(['lock of pgdir 1']);
  expect(flagged(story, 'second')!.place).toBe('pte of 0x00400000 (pgdir 1), in a freed frame');
});

test('R9: the second vCPU runs with the first one’s registers', () => {
  const story = tell(find(R9, 'R9', 'guest-lock', 'nonpae'), false);
  expect(story.columns).toEqual(['CPU 0']);
  const theirs = { place: "pte of 0xffc01000, CPU 0's registers (pgdir 1)" };
  expect(flagged(story, 'first')).toMatchObject({ ...theirs, part: 'vi', name: 'mapPage' });
  expect(flagged(story, 'second')).toMatchObject({
    ...theirs,
    part: 'mmu',
    does: 'reads',
    before: 'regs page of vCPU 0 rw accessed dirty',
  });
  expect(flagged(story, 'break')!.place).toBe('whether the guest is dead');
});

test('R10: the host dies of a page that the other CPU has removed', () => {
  const story = tell(find(R10, 'R10', 'guest-lock', 'nonpae'), true);
  const [first, second] = [flagged(story, 'first')!, flagged(story, 'second')!];
  expect(first).toMatchObject({ part: 'vi', name: 'removeSwitcherPercpuMap', after: 'none' });
  expect(second).toMatchObject({ part: 'mmu', before: 'none', place: first.place });
  expect(second.flags).toContain('break');
  expect(first.column).not.toBe(second.column);
});

test('a run that ends well has a story without blame', () => {
  const litmus = readLitmus(R2);
  const setting = { paging: 'nonpae', discipline: 'pgdir-lock', defects: [] } as const;
  const subject = new Subject(R2, litmus, setting);
  const story = tellStory(subject, subject.run(new RandomWalk(), 1));
  expect(story).toMatchObject({ good: true, ending: 'it passes', findings: [] });
  expect(stepsOf(story).flatMap(({ flags }) => flags)).toEqual([]);
  expect(stepsOf(story).length).toBeGreaterThan(0);
});

test('marks a vCPU that continues on another CPU', () => {
  const path = 'litmus/6-switcher/migrations.yaml';
  const setting = { paging: 'nonpae', discipline: 'guest-lock', defects: [] } as const;
  const subject = new Subject(path, readLitmus(path), setting);
  const { lines } = tellStory(subject, subject.run(new RandomWalk(), 1));
  const moves = lines.filter(({ kind }) => kind === 'migration');
  expect(moves.length).toBeGreaterThan(0);
  for (const line of moves) {
    const [, from] = /^vCPU \d continues here, from CPU (\d)$/.exec(
      (line as { text: string }).text,
    )!;
    expect(Number(from)).not.toBe(line.column);
  }
});

test('a buffered store has a line where it is made, and one where it reaches memory', () => {
  const path = 'litmus/1-fault/store-buffering.yaml';
  const setting = {
    paging: 'nonpae',
    discipline: 'guest-lock',
    defects: [],
    memory: 'tso',
  } as const;
  const subject = new Subject(path, readLitmus(path), setting);
  const strategy = STRATEGIES.portfolio!();
  let seed = 0;
  let result = subject.run(strategy, seed);
  // Both loads before the other vCPU's store: only store buffers allow that.
  while (result.outcome !== 0 && seed < 1000) result = subject.run(strategy, ++seed);
  expect(result.outcome).toBe(0);
  const story = tellStory(subject, result);
  expect(story.setting).toContain('tso');
  for (const column of [0, 1]) {
    const theirs = stepsOf(story).filter((step) => step.column === column);
    const stored = theirs.findIndex(({ does }) => does.startsWith('stores, as yet in its buffer'));
    const { place, source } = theirs[stored]!;
    const load = theirs.findIndex(
      ({ does, before }, i) => i > stored && does === 'reads' && before === '0',
    );
    const reached = theirs.findIndex(
      (step) => step.does === 'the store reaches' && step.place === place,
    );
    expect(theirs[reached]).toMatchObject({
      place,
      source,
      before: '0',
      after: '1',
      part: 'guest',
    });
    expect([stored < load, load < reached]).toEqual([true, true]);
  }
});

test('an act of hardware is in the column of its CPU', () => {
  const subject = new Subject(R2, readLitmus(R2), {
    paging: 'nonpae',
    discipline: 'guest-lock',
    defects: [],
  });
  const strategy = STRATEGIES.random!();
  const told: Told[] = [];
  for (let seed = 1; seed < 100 && told.length < 5; seed += 2) {
    const story = tellStory(subject, subject.run(strategy, seed));
    told.push(...stepsOf(story).filter(({ part }) => part === 'hardware'));
  }
  expect(told.length).toBeGreaterThanOrEqual(5);
  for (const { column, does, place, name, source, before, after } of told) {
    expect([name, source, before, after]).toEqual(['', '', '', undefined]);
    expect(does === 'an interrupt on' || does === 'an entry goes from the').toBe(true);
    expect(place).toContain(`CPU ${column}`);
  }
});

/** A path below litmus/, and the expected blame: the place, and the functions in order. */
const BLAMED: readonly (readonly [DefectId, DisciplineName, string, string, string, string])[] = [
  [
    'R1',
    'guest-lock',
    '1-fault/R1-two-faults-one-entry',
    'pte of 0x00400000 (pgdir 1)',
    'replaceUnseen',
    'replaceUnseen',
  ],
  [
    'R2',
    'lock-free',
    '1-fault/R2-dirty-erased',
    'guest pte of 0x00400000 in A',
    'tryDemandPage',
    'tryDemandPage',
  ],
  [
    'R3',
    'guest-lock',
    '3-set/R3-released-while-mapped',
    'pte of 0x00400000 (pgdir 1)',
    'walkTwoLevels',
    'changeSpte',
  ],
  [
    'R4',
    'guest-lock',
    '1-fault/R4-both-allocate-the-table',
    'pde of 0x00400000 (pgdir 1)',
    'tableBelow',
    'tableBelow',
  ],
  ['R6', 'guest-lock', '5-flush/R6-no-shootdown', 'word 1 of guest page 0x20', 'access', 'access'],
  [
    'R7',
    'guest-lock',
    '5-flush/R7-clear-all-repairs-one',
    'switcher_mapped of pgdir 1',
    'releasePagetable',
    'mapSwitcherInGuest',
  ],
  [
    'R11',
    'guest-lock',
    '4-switch/R11-victim-in-use',
    'pte of 0x00400000 (pgdir 0)',
    'replaceSpte',
    'walkTwoLevels',
  ],
  [
    'R12',
    'guest-lock',
    '4-switch/R12-same-top-level-twice',
    'tables of pgdir 0',
    'newPgdir',
    'newPgdir',
  ],
];

test.each(BLAMED)('%s, %s, %s: %s', (defect, discipline, path, place, first, second) => {
  const story = tell(find(`litmus/${path}.yaml`, defect, discipline, 'nonpae'), true);
  const pair = [flagged(story, 'first')!, flagged(story, 'second')!];
  expect(pair.map((step) => [step.place, step.name])).toEqual([
    [place, first],
    [place, second],
  ]);
  expect(pair[0]!.column).not.toBe(pair[1]!.column);
  expect(pair[1]!.step).toBeLessThanOrEqual(flagged(story, 'break')!.step);
  expect(story.told).toBeLessThan(30);
});

test('a deadlock names each waiting CPU and the owner of its lock', () => {
  const setting = { paging: 'nonpae', discipline: 'guest-lock', defects: [] } as const;
  const subject = new Subject(R2, readLitmus(R2), setting);
  const { host, beginning } = subject.board;
  // A CPU that does not exist holds the guest's lock.
  const at = [...recordWords(host)].find(([, { name }]) => name === 'lock of the guest')![0];
  const putBack = beginning.putBack.bind(beginning);
  beginning.putBack = () => {
    putBack();
    host.words.poke(at, 3);
  };
  const result = subject.run(new RandomWalk(), 1);
  expect(result.ending).toBe('deadlock');
  const { findings, lines } = tellStory(subject, result);
  expect(findings.find(({ kind }) => kind === 'waits')!.text).toMatch(
    /^At the end: CPU 0 waits for lock of the guest to change in claimPgdir \(src\/paging\/switch.ts:\d+\); CPU 1 waits for lock of the guest/,
  );
  expect(lines).toContainEqual(
    expect.objectContaining({
      does: 'waits for',
      place: 'lock of the guest',
      before: 'held by CPU 2',
    }),
  );
});

/** Files of the paging code whose accesses a litmus test makes. */
const TOLD_OF = [
  ['litmus/4-switch/lru-victim.yaml', 'iv switch', 'src/paging/policies/eviction.ts'],
  ['litmus/5-flush/compare-instead-of-clear-all.yaml', 'v flush', 'src/paging/policies/compare.ts'],
  ['litmus/1-fault/prefault-against-clearing.yaml', 'i fault', 'src/paging/policies/prefault.ts'],
] as const;

test.each(TOLD_OF)(
  '%s: code outside lguest’s seven parts is described with one of them',
  (path, part, source) => {
    const told = storyText(everyStep(path), { columns: 400, colours: false });
    expect(told).toMatch(new RegExp(`${part}: \\w+, ${source}:\\d+`));
  },
);

/** One of each folder. */
const SOME = [...Map.groupBy(LITMUS_FILES, (path) => path.split('/')[1]).values()].map(
  ([path]) => path!,
);

test.each(SOME)('each step of %s is described', (path) => {
  const story = everyStep(path);
  expect(story.told).toBe(story.steps);
  expect(story.told).toBeGreaterThan(100);
  const told = storyText(story, { columns: 200, colours: false });
  expect(told).not.toMatch(/undefined|NaN|\[object|null/);
});

/** The first schedule, in the first setting of the test. */
function everyStep(path: string): Story {
  const litmus = readLitmus(path);
  const [paging, discipline] = [litmus.paging[0]!, litmus.disciplines[0]!];
  const subject = new Subject(path, litmus, { paging, discipline, defects: [] });
  return tellStory(subject, subject.run(new RandomWalk(), 1), { all: true });
}
