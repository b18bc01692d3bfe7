/** The races of litmus tests, and their harm. */

import { describe, expect, test } from 'vitest';
import type { DisciplineName } from '../../../shared/discipline.ts';
import type { DefectId } from '../../../src/defects.ts';
import { Access } from '../../../src/explore/engine/access.ts';
import { placeText } from '../../../src/explore/engine/source.ts';
import { readLitmus } from '../../../src/explore/litmus/read.ts';
import { type Race, RaceGatherer } from '../../../src/explore/races/gather.ts';
import { Hunter } from '../../../src/explore/races/hunt.ts';
import { SideTeller } from '../../../src/explore/races/tell.ts';
import { replayToken, tokenOf } from '../../../src/explore/replay.ts';
import { STRATEGIES } from '../../../src/explore/strategies/catalogue.ts';
import { Subject } from '../../../src/explore/subject.ts';
import { decodeToken } from '../../../src/explore/token.ts';
import type { PagingName } from '../../../src/hardware/entry.ts';

interface Case {
  readonly file: string;
  readonly discipline: DisciplineName;
  readonly paging: PagingName;
  readonly defect?: DefectId;
}

/** A litmus test whose races were gathered over this many schedules. */
class Gathered {
  readonly subject: Subject;
  readonly gatherer: RaceGatherer;

  constructor({ file, discipline, paging, defect }: Case, runs: number) {
    const path = `litmus/${file}.yaml`;
    const defects = defect === undefined ? [] : [defect];
    this.subject = new Subject(path, readLitmus(path), { paging, discipline, defects });
    this.gatherer = new RaceGatherer(this.subject);
    const strategy = STRATEGIES['portfolio']!();
    for (let seed = 1; seed <= runs; seed++) this.gatherer.run(strategy, seed);
  }

  get races(): readonly Race[] {
    return this.gatherer.races;
  }

  /** `order: storeEntry | tryDemandPage (lgwriteEntry)` */
  get texts(): string[] {
    return this.races.map(
      ({ kind, sides }) => `${kind}: ${sides.map(({ where }) => nameOf(where)).join(' | ')}`,
    );
  }

  /** Directed schedules until one does harm. */
  hunt(text: string, most: number): ReturnType<Hunter['run']> {
    const race = this.races[this.texts.indexOf(text)]!;
    const hunter = new Hunter(this.subject, this.gatherer, race);
    for (let seed = 1; ; seed++) {
      const hunt = hunter.run(seed);
      if (hunt.harm !== undefined || seed === most) return hunt;
    }
  }
}

const nameOf = (where: Race['sides'][0]['where']): string => placeText(where).replace(/^\S+ /, '');

const isOfFrames = ({ sides }: Race): boolean => sides.some(({ access }) => access === Access.Fill);

describe('with a defect on, schedules that end well show the race, and directed ones its harm', () => {
  test.each<[Case & { defect: DefectId }, string]>([
    [
      {
        file: '1-fault/R1-two-faults-one-entry',
        defect: 'R1',
        discipline: 'lock-free',
        paging: 'nonpae',
      },
      'order: replaceUnseen (entry) | replaceUnseen (setEntry)',
    ],
    [
      {
        file: '1-fault/R2-cleared-entry-comes-back',
        defect: 'R2',
        discipline: 'guest-lock',
        paging: 'nonpae',
      },
      'order: storeEntry | tryDemandPage (lgwriteEntry)',
    ],
    [
      {
        file: '1-fault/R4-both-allocate-the-table',
        defect: 'R4',
        discipline: 'lock-free',
        paging: 'pae',
      },
      'order: tableBelow (entry) | tableBelow (setEntry)',
    ],
    [
      {
        file: '5-flush/R5-table-freed-before-unlinked',
        defect: 'R5',
        discipline: 'lock-free',
        paging: 'nonpae',
      },
      'order: tableBelow (entry) | releaseUnseen (setEntry)',
    ],
  ])('$file', (given, text) => {
    const gathered = new Gathered(given, 40);
    expect(gathered.texts).toContain(text);
    const race = gathered.races[gathered.texts.indexOf(text)]!;
    expect(race.example.result.ending).toBe('ok');
    const { harm, schedules, orders } = gathered.hunt(text, 40);
    expect(harm?.ending).toMatch(/^(violation|oops|killed)$/);
    expect(orders[0] + orders[1]).toBeLessThanOrEqual(schedules);
    // The schedule is a valid token.
    const { subject } = gathered;
    const again = replayToken(subject, decodeToken(tokenOf(subject, harm!)));
    expect(again).toMatchObject({ ending: harm!.ending, message: harm!.message });
  });
});

describe('repaired', () => {
  test.each(['message-passing', 'store-buffering'])(
    "%s: the guest's own data race occurs in both orders, without harm",
    (name) => {
      const file = `1-fault/${name}`;
      const gathered = new Gathered({ file, discipline: 'guest-lock', paging: 'nonpae' }, 10);
      expect(gathered.texts).toContain('data: access | access');
      const { harm, schedules, orders } = gathered.hunt('data: access | access', 12);
      expect({ harm, schedules }).toEqual({ harm: undefined, schedules: 12 });
      expect(Math.min(...orders)).toBeGreaterThan(0);
    },
  );

  test('accesses under the same lock do not race', () => {
    const given = { file: '3-set/set-pte-against-fault', paging: 'nonpae' } as const;
    const gathered = new Gathered({ ...given, discipline: 'guest-lock' }, 8);
    const teller = new SideTeller(gathered.subject);
    const locks = gathered.races.map((race) => teller.sides(race).map((side) => side.locks));
    expect(locks.length).toBeGreaterThan(0);
    expect(locks.flat(2)).toContain('lock of the guest');
    for (const [a, b] of locks) expect(a!.filter((lock) => b!.includes(lock))).toEqual([]);
  });

  test.each<DisciplineName>(['guest-lock', 'pgdir-lock', 'lock-free'])(
    '%s: frames are freed and reused only after their last access',
    (discipline) => {
      for (const file of ['5-flush/R5-table-freed-before-unlinked', '5-flush/R6-no-shootdown']) {
        for (const paging of ['nonpae', 'pae'] as const) {
          const gathered = new Gathered({ file, discipline, paging }, 8);
          expect(gathered.races.filter(isOfFrames)).toEqual([]);
        }
      }
    },
  );

  test('under R5 they are not: a race on the lifetime of a frame, though all ends well', () => {
    const file = '5-flush/R5-table-freed-before-unlinked';
    const given = { file, defect: 'R5', discipline: 'lock-free', paging: 'nonpae' } as const;
    const [race] = new Gathered(given, 8).races.filter(isOfFrames);
    expect(race).toMatchObject({ kind: 'data', example: { result: { ending: 'ok' } } });
  });
});

describe('a race', () => {
  const file = '1-fault/R2-cleared-entry-comes-back';
  const given: Case = { file, defect: 'R2', discipline: 'guest-lock', paging: 'nonpae' };

  test('gathered again, has the same number and counts', () => {
    const [once, again] = [new Gathered(given, 40), new Gathered(given, 40)];
    const told = ({ races }: Gathered) =>
      races.map(({ key, runs, turned, example }) => ({
        key,
        runs,
        turned,
        digest: example.result.run.digest,
      }));
    expect(told(again)).toEqual(told(once));
    expect(once.races.length).toBeGreaterThan(1);
  });

  test('is reported from both sides', () => {
    const gathered = new Gathered(given, 40);
    const text = 'order: storeEntry | tryDemandPage (lgwriteEntry)';
    const race = gathered.races[gathered.texts.indexOf(text)]!;
    const [guest, host] = new SideTeller(gathered.subject).sides(race);
    const place = 'guest pte of 0x00400000 in A';
    expect(guest).toMatchObject({
      place,
      does: 'writes',
      after: 'none',
      locks: [],
      vcpu: 1,
      column: 1,
      name: 'storeEntry',
      operation: 'vCPU 1: set_pte A 0x00400000 = none',
      source: expect.stringMatching(/^src\/explore\/litmus\/software\.ts:\d+$/),
    });
    expect(host).toMatchObject({
      place,
      does: 'writes',
      before: 'page 0x20 rw user',
      vcpu: 0,
      column: 0,
      after: 'page 0x20 rw user accessed',
      locks: ['lock of the guest'],
      name: 'tryDemandPage',
      operation: 'vCPU 0: load 0x00400000 -> r0',
      source: expect.stringMatching(/^src\/paging\/fault\.ts:\d+$/),
    });
    expect(race.turned).toBe(race.runs);
  });
});
