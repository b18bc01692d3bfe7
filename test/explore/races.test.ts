/** Races: the clocks and the detector by hand-written accesses, and what litmus tests show. */

import { describe, expect, test } from 'vitest';
import { toPtr } from '../../shared/address.ts';
import type { DefectId } from '../../shared/defects.ts';
import type { DisciplineName } from '../../shared/discipline.ts';
import type { PagingName } from '../../shared/entry.ts';
import { Access } from '../../src/explore/access.ts';
import { readLitmus } from '../../src/explore/litmus/litmus.ts';
import { Clocks } from '../../src/explore/races/clocks.ts';
import { type Accessed, Detector } from '../../src/explore/races/detector.ts';
import { placeText, type Race, RaceGatherer } from '../../src/explore/races/gather.ts';
import { Hunter } from '../../src/explore/races/hunt.ts';
import type { Role, Spot } from '../../src/explore/races/roles.ts';
import { SideTeller } from '../../src/explore/races/tell.ts';
import { Subject } from '../../src/explore/search.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { decodeToken } from '../../src/explore/token.ts';

describe('clocks', () => {
  test('what was released comes before what follows the acquire, and nothing else does', () => {
    const clocks = new Clocks(3);
    const early = clocks.now(0);
    clocks.release(0, 7);
    const late = clocks.now(0);
    clocks.acquire(1, 7);
    expect([0, 1, 2].map((cpu) => clocks.isBefore(0, early, cpu))).toEqual([true, true, false]);
    expect([0, 1, 2].map((cpu) => clocks.isBefore(0, late, cpu))).toEqual([true, false, false]);
  });

  test('order goes on from one CPU to the next', () => {
    const clocks = new Clocks(3);
    const first = clocks.now(0);
    clocks.release(0, 1);
    clocks.acquire(1, 1);
    clocks.release(1, 2);
    clocks.acquire(2, 2);
    expect(clocks.isBefore(0, first, 2)).toBe(true);
  });

  test('an acquire before the release orders nothing', () => {
    const clocks = new Clocks(2);
    clocks.acquire(1, 1);
    const now = clocks.now(0);
    clocks.release(0, 1);
    expect(clocks.isBefore(0, now, 1)).toBe(false);
  });
});

/** Words by what they are; all else lies in the frame behind them. */
const LOCK = 1;
const COUNT = 2;
const MAILBOX = 3;
const STARTED = 4;
const REFERENCES = 5;
const ENTRY = 16;
const RECORD = 32;
const DATA = 1024;
const TABLE = 2048;

const ROLES: Readonly<Record<number, Role>> = {
  [LOCK]: 'lock',
  [COUNT]: 'section',
  [MAILBOX]: 'mailbox',
  [STARTED]: 'handOver',
  [REFERENCES]: 'references',
  [ENTRY]: 'entry',
  [RECORD]: 'record',
};

const roleAt = (at: number): Role => ROLES[at] ?? (at >= TABLE ? 'entry' : 'data');

type Written = readonly [cpu: number, kind: keyof typeof Access, at: number, ...values: number[]];

/** `kind role, what the one did | what the other did`, in their order. Values: before, after. */
function racesIn(...accesses: readonly Written[]): string[] {
  const found: string[] = [];
  const names = Object.keys(Access);
  let site = '';
  const detector = new Detector<string>(
    {
      cpus: 3,
      entryWords: 1,
      spot: (at): Spot => ({ role: roleAt(at), at }),
      site: () => site,
    },
    (kind, { role }, first, second) =>
      found.push(`${kind} ${role}, ${first.site} | ${second.site}`),
  );
  for (const [cpu, kind, at, before = 0, after = 1] of accesses) {
    site = `${cpu} ${names.find((name) => name === kind)!}`;
    const step: Accessed = {
      ...{ cpu, kind: Access[kind], at: toPtr(at), value: after - before, result: 0 },
      ...{ before: [before, 0], after: [after, 0] },
    };
    detector.step(step);
  }
  return found;
}

const take = (cpu: number): Written => [cpu, 'CompareExchange', LOCK, 0, cpu + 1];
const letGo = (cpu: number): Written => [cpu, 'Exchange', LOCK, cpu + 1, 0];

describe('by hand: it is a race', () => {
  test.each<[string, Written[], string[]]>([
    [
      'to write plainly what another reads',
      [
        [0, 'Write', DATA],
        [1, 'Read', DATA],
      ],
      ['data data, 0 Write | 1 Read'],
    ],
    [
      'to write plainly what another updates by a locked operation',
      [
        [0, 'Add', DATA],
        [1, 'Write', DATA],
      ],
      ['data data, 0 Add | 1 Write'],
    ],
    [
      'to check an entry and to act while another changes it',
      [
        [0, 'Load', ENTRY],
        [1, 'Store', ENTRY],
        [0, 'Store', ENTRY],
      ],
      ['order entry, 0 Load | 1 Store', 'order entry, 1 Store | 0 Store'],
    ],
    [
      'even under a lock, if the other side does without it',
      [take(0), [0, 'Store', RECORD], letGo(0), [1, 'Store', RECORD]],
      ['order record, 0 Store | 1 Store'],
    ],
    [
      'after a look at a lock that takes nothing',
      [take(0), [0, 'Store', RECORD], letGo(0), [1, 'Load', LOCK, 0, 0], [1, 'Store', RECORD]],
      ['order record, 0 Store | 1 Store'],
    ],
    [
      'to free a table under somebody who walks it',
      [
        [1, 'Read', TABLE + 5],
        [0, 'Fill', TABLE],
      ],
      ['data entry, 1 Read | 0 Fill'],
    ],
    [
      'to walk a table after it was freed',
      [
        [0, 'Fill', TABLE],
        [1, 'Read', TABLE + 5],
      ],
      ['data entry, 0 Fill | 1 Read'],
    ],
    [
      'once for each pair, however often the two are done',
      [
        [0, 'Load', ENTRY],
        [0, 'Load', ENTRY],
        [1, 'Store', ENTRY],
      ],
      ['order entry, 0 Load | 1 Store'],
    ],
  ])('%s', (_, accesses, races) => {
    expect(racesIn(...accesses)).toEqual(races);
  });
});

describe('by hand: it is no race', () => {
  test.each<[string, Written[]]>([
    [
      'when both only read',
      [
        [0, 'Read', DATA],
        [1, 'Load', DATA],
      ],
    ],
    [
      'under the same lock',
      [take(0), [0, 'Store', ENTRY], letGo(0), take(1), [1, 'Store', ENTRY], letGo(1)],
    ],
    [
      'after a mail, a start or an interrupt',
      [
        [0, 'Write', DATA],
        [0, 'Or', MAILBOX],
        [1, 'Read', MAILBOX],
        [1, 'Read', DATA],
        [1, 'Write', DATA + 1],
        [1, 'Store', STARTED],
        [2, 'Load', STARTED],
        [2, 'Write', DATA + 1],
      ],
    ],
    [
      'to free a table when it was waited until the section of who used it was left',
      [
        [1, 'Add', COUNT],
        [1, 'Read', TABLE + 5],
        [0, 'Load', COUNT],
        [1, 'Add', COUNT],
        [0, 'Load', COUNT],
        [0, 'Fill', TABLE],
      ],
    ],
    [
      'to free a frame as the last one who had a reference',
      [
        [1, 'Write', DATA],
        [1, 'Add', REFERENCES, 4, 2],
        [0, 'Add', REFERENCES, 2, 0],
        [0, 'Fill', DATA],
      ],
    ],
    [
      'when the guest orders it by a locked operation',
      [
        [0, 'Write', DATA],
        [0, 'Exchange', DATA + 1],
        [1, 'Exchange', DATA + 1],
        [1, 'Read', DATA],
      ],
    ],
    [
      'to add to the same, or to compare and exchange',
      [
        [0, 'Add', RECORD],
        [1, 'Add', RECORD],
        [0, 'CompareExchange', ENTRY, 0, 1],
        [1, 'CompareExchange', ENTRY, 1, 2],
      ],
    ],
    [
      'what hardware does by itself',
      [
        [0, 'Write', DATA],
        [3, 'Drain', DATA],
      ],
    ],
  ])('%s', (_, accesses) => {
    expect(racesIn(...accesses)).toEqual([]);
  });

  test('an entry that is read orders the life of frames, and no accesses of entries', () => {
    const published: Written[] = [
      [0, 'Fill', TABLE],
      [0, 'Store', RECORD],
      [0, 'Store', ENTRY],
      [1, 'Read', ENTRY],
      [1, 'Read', TABLE + 5],
      [1, 'Store', RECORD],
    ];
    expect(racesIn(...published)).toEqual([
      'order entry, 0 Store | 1 Read',
      'order record, 0 Store | 1 Store',
    ]);
  });

  test('a frame that was waited for too early is used by who came after', () => {
    const early: Written[] = [
      [0, 'Load', COUNT],
      [1, 'Add', COUNT],
      [1, 'Read', TABLE + 5],
      [0, 'Fill', TABLE],
    ];
    expect(racesIn(...early)).toEqual(['data entry, 1 Read | 0 Fill']);
  });
});

interface Case {
  readonly file: string;
  readonly discipline: DisciplineName;
  readonly paging: PagingName;
  readonly defect?: DefectId;
}

/** A litmus test whose races were gathered over so many schedules. */
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
        ...{ file: '1-fault/R1-two-faults-one-entry', defect: 'R1' },
        ...{ discipline: 'lock-free', paging: 'nonpae' },
      },
      'order: replaceUnseen (entry) | replaceUnseen (setEntry)',
    ],
    [
      {
        ...{ file: '1-fault/R2-cleared-entry-comes-back', defect: 'R2' },
        ...{ discipline: 'guest-lock', paging: 'nonpae' },
      },
      'order: storeEntry | tryDemandPage (lgwriteEntry)',
    ],
    [
      {
        ...{ file: '1-fault/R4-both-allocate-the-table', defect: 'R4' },
        ...{ discipline: 'lock-free', paging: 'pae' },
      },
      'order: tableBelow (entry) | tableBelow (setEntry)',
    ],
    [
      {
        ...{ file: '5-flush/R5-table-freed-before-unlinked', defect: 'R5' },
        ...{ discipline: 'lock-free', paging: 'nonpae' },
      },
      'order: tableBelow (entry) | releaseUnseen (setEntry)',
    ],
  ])('$file', (given, text) => {
    const gathered = new Gathered(given, 10);
    expect(gathered.texts).toContain(text);
    const race = gathered.races[gathered.texts.indexOf(text)]!;
    expect(race.example.result.ending).toBe('ok');
    const { harm, schedules, orders } = gathered.hunt(text, 40);
    expect(harm?.ending).toMatch(/^(violation|oops|killed)$/);
    expect(orders[0] + orders[1]).toBeLessThanOrEqual(schedules);
    // The schedule is a token like any other.
    const { subject } = gathered;
    const again = subject.replay(decodeToken(subject.tokenOf(harm!)));
    expect(again).toMatchObject({ ending: harm!.ending, message: harm!.message });
  });
});

describe('repaired', () => {
  test.each(['message-passing', 'store-buffering'])(
    "%s: the guest's own data race is met both ways, and does no harm",
    (name) => {
      const file = `1-fault/${name}`;
      const gathered = new Gathered({ file, discipline: 'guest-lock', paging: 'nonpae' }, 10);
      expect(gathered.texts).toContain('data: access | access');
      const { harm, schedules, orders } = gathered.hunt('data: access | access', 12);
      expect({ harm, schedules }).toEqual({ harm: undefined, schedules: 12 });
      expect(Math.min(...orders)).toBeGreaterThan(0);
    },
  );

  test('what two sides do under the same lock is no race', () => {
    const given = { file: '3-set/set-pte-against-fault', paging: 'nonpae' } as const;
    const gathered = new Gathered({ ...given, discipline: 'guest-lock' }, 8);
    const teller = new SideTeller(gathered.subject);
    const locks = gathered.races.map((race) => teller.sides(race).map((side) => side.locks));
    expect(locks.length).toBeGreaterThan(0);
    expect(locks.flat(2)).toContain('lock of the guest');
    for (const [a, b] of locks) expect(a!.filter((lock) => b!.includes(lock))).toEqual([]);
  });

  test.each<DisciplineName>(['guest-lock', 'pgdir-lock', 'lock-free'])(
    '%s: frames are freed and handed out again only when nobody is at them',
    (discipline) => {
      for (const file of ['5-flush/R5-table-freed-before-unlinked', '5-flush/R6-no-shootdown']) {
        for (const paging of ['nonpae', 'pae'] as const) {
          const gathered = new Gathered({ file, discipline, paging }, 8);
          expect(gathered.races.filter(isOfFrames)).toEqual([]);
        }
      }
    },
  );

  test('and with R5 they are not: a race on the life of a frame, though all ends well', () => {
    const file = '5-flush/R5-table-freed-before-unlinked';
    const given = { file, defect: 'R5', discipline: 'lock-free', paging: 'nonpae' } as const;
    const [race] = new Gathered(given, 8).races.filter(isOfFrames);
    expect(race).toMatchObject({ kind: 'data', example: { result: { ending: 'ok' } } });
  });
});

describe('a race', () => {
  const file = '1-fault/R2-cleared-entry-comes-back';
  const given: Case = { file, defect: 'R2', discipline: 'guest-lock', paging: 'nonpae' };

  test('has the same number and counts, gathered again', () => {
    const [once, again] = [new Gathered(given, 8), new Gathered(given, 8)];
    const told = ({ races }: Gathered) =>
      races.map(({ key, runs, turned, example }) => ({
        ...{ key, runs, turned },
        digest: example.result.run.digest,
      }));
    expect(told(again)).toEqual(told(once));
    expect(once.races.length).toBeGreaterThan(1);
  });

  test('is told from both sides', () => {
    const gathered = new Gathered(given, 8);
    const text = 'order: storeEntry | tryDemandPage (lgwriteEntry)';
    const race = gathered.races[gathered.texts.indexOf(text)]!;
    const [guest, host] = new SideTeller(gathered.subject).sides(race);
    const place = 'guest pte of 0x00400000 in A';
    expect(guest).toMatchObject({
      ...{ place, does: 'writes', after: 'none', locks: [], vcpu: 1, column: 1 },
      ...{ name: 'storeEntry', operation: 'vCPU 1: set_pte A 0x00400000 = none' },
      source: expect.stringMatching(/^src\/explore\/litmus\/software\.ts:\d+$/),
    });
    expect(host).toMatchObject({
      ...{ place, does: 'writes', before: 'page 0x20 rw user', vcpu: 0, column: 0 },
      after: 'page 0x20 rw user accessed',
      ...{ locks: ['lock of the guest'], name: 'tryDemandPage' },
      operation: 'vCPU 0: load 0x00400000 -> r0',
      source: expect.stringMatching(/^src\/paging\/fault\.ts:\d+$/),
    });
    expect(race.turned).toBe(race.runs);
  });
});
