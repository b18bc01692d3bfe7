/** Clocks and detector, on hand-written accesses. */

import { describe, expect, test } from 'vitest';
import { Access } from '../../../src/explore/engine/access.ts';
import { Clocks } from '../../../src/explore/races/clocks.ts';
import { type Accessed, Detector } from '../../../src/explore/races/detector.ts';
import type { Role, Spot } from '../../../src/explore/races/roles.ts';
import { toPtr } from '../../../src/hardware/address.ts';

describe('clocks', () => {
  test('accesses before a release precede those after its acquire, and no others', () => {
    const clocks = new Clocks(3);
    const early = clocks.now(0);
    clocks.release(0, 7);
    const late = clocks.now(0);
    clocks.acquire(1, 7);
    expect([0, 1, 2].map((cpu) => clocks.isBefore(0, early, cpu))).toEqual([true, true, false]);
    expect([0, 1, 2].map((cpu) => clocks.isBefore(0, late, cpu))).toEqual([true, false, false]);
  });

  test('order is transitive from one CPU to the next', () => {
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

/** Words by kind; every other word lies in the frame after them. */
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

/** `kind role, access of one | access of the other`, in their order. Values: before, after. */
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

describe('hand-written: a race', () => {
  test.each<[string, Written[], string[]]>([
    [
      'a plain write and a read',
      [
        [0, 'Write', DATA],
        [1, 'Read', DATA],
      ],
      ['data data, 0 Write | 1 Read'],
    ],
    [
      'a plain write and a locked operation',
      [
        [0, 'Add', DATA],
        [1, 'Write', DATA],
      ],
      ['data data, 0 Add | 1 Write'],
    ],
    [
      'a check of an entry and an act on it, with a change in between',
      [
        [0, 'Load', ENTRY],
        [1, 'Store', ENTRY],
        [0, 'Store', ENTRY],
      ],
      ['order entry, 0 Load | 1 Store', 'order entry, 1 Store | 0 Store'],
    ],
    [
      'an access under a lock and one without it',
      [take(0), [0, 'Store', RECORD], letGo(0), [1, 'Store', RECORD]],
      ['order record, 0 Store | 1 Store'],
    ],
    [
      'an access after loading a lock without taking it',
      [take(0), [0, 'Store', RECORD], letGo(0), [1, 'Load', LOCK, 0, 0], [1, 'Store', RECORD]],
      ['order record, 0 Store | 1 Store'],
    ],
    [
      'freeing a table during a walk',
      [
        [1, 'Read', TABLE + 5],
        [0, 'Fill', TABLE],
      ],
      ['data entry, 1 Read | 0 Fill'],
    ],
    [
      'walking a freed table',
      [
        [0, 'Fill', TABLE],
        [1, 'Read', TABLE + 5],
      ],
      ['data entry, 0 Fill | 1 Read'],
    ],
    [
      'one for each pair of accesses, even if they are repeated',
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

describe('hand-written: no race', () => {
  test.each<[string, Written[]]>([
    [
      'two reads',
      [
        [0, 'Read', DATA],
        [1, 'Load', DATA],
      ],
    ],
    [
      'accesses under the same lock',
      [take(0), [0, 'Store', ENTRY], letGo(0), take(1), [1, 'Store', ENTRY], letGo(1)],
    ],
    [
      'accesses before and after a mail, a start or an interrupt',
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
      'freeing a table after its grace period',
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
      'freeing a frame with the last reference',
      [
        [1, 'Write', DATA],
        [1, 'Add', REFERENCES, 4, 2],
        [0, 'Add', REFERENCES, 2, 0],
        [0, 'Fill', DATA],
      ],
    ],
    [
      'accesses that the guest orders by a locked operation',
      [
        [0, 'Write', DATA],
        [0, 'Exchange', DATA + 1],
        [1, 'Exchange', DATA + 1],
        [1, 'Read', DATA],
      ],
    ],
    [
      'adds to one word, or compare-and-exchanges',
      [
        [0, 'Add', RECORD],
        [1, 'Add', RECORD],
        [0, 'CompareExchange', ENTRY, 0, 1],
        [1, 'CompareExchange', ENTRY, 1, 2],
      ],
    ],
    [
      'an act of hardware',
      [
        [0, 'Write', DATA],
        [3, 'Drain', DATA],
      ],
    ],
  ])('%s', (_, accesses) => {
    expect(racesIn(...accesses)).toEqual([]);
  });

  test('reading an entry orders the lifetime of frames, not accesses to entries', () => {
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

  test('a frame whose grace period began too early is used by a later access', () => {
    const early: Written[] = [
      [0, 'Load', COUNT],
      [1, 'Add', COUNT],
      [1, 'Read', TABLE + 5],
      [0, 'Fill', TABLE],
    ];
    expect(racesIn(...early)).toEqual(['data entry, 1 Read | 0 Fill']);
  });
});
