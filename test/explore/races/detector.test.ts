/** Clocks and detector, by hand-written accesses. */

import { describe, expect, test } from 'vitest';
import { Access } from '../../../src/explore/engine/access.ts';
import { Clocks } from '../../../src/explore/races/clocks.ts';
import { type Accessed, Detector } from '../../../src/explore/races/detector.ts';
import type { Role, Spot } from '../../../src/explore/races/roles.ts';
import { toPtr } from '../../../src/hardware/address.ts';

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
      cpu,
      kind: Access[kind],
      at: toPtr(at),
      value: after - before,
      result: 0,
      before: [before, 0],
      after: [after, 0],
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
