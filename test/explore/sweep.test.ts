/** The strategy sweep: the schedules it lists, and that it ends for every test. */

import { describe, expect, test } from 'vitest';
import { parseLitmus } from '../../src/explore/litmus/litmus.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import type { Result } from '../../src/explore/result.ts';
import { type Setting, settingsOf } from '../../src/explore/setting.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import type { Strategy } from '../../src/explore/strategies/strategy.ts';
import { Sweep } from '../../src/explore/strategies/sweep.ts';
import { Subject } from '../../src/explore/subject.ts';
import { someOf } from '../slow.ts';
import { LITMUS_FILES } from './litmus-rig.ts';
import { plainProgram, play } from './program.ts';

interface TestSpec {
  readonly columns: readonly (readonly string[])[];
  /** The columns' tables; by default A. */
  readonly on?: string;
  readonly cpus?: number;
  readonly pgdirs?: number;
  readonly when?: string;
}

/** A litmus test of these columns whose outcome is allowed while the guest lives. */
function subjectOf(
  { columns, on = 'AAAA', cpus = columns.length, pgdirs = 4, when = 'alive' }: TestSpec,
  setting: Partial<Setting> = {},
): Subject {
  const text = JSON.stringify({
    name: 'columns',
    about: 'Columns of a test.',
    cpus,
    guest: {
      pgdirs,
      tables: Object.fromEntries(
        ['A', 'B', 'C', 'D'].map((name, i) => [
          name,
          { '0x00400000': `page ${0x20 + i} rw user`, '0x00401000': `page ${0x24 + i} rw user` },
        ]),
      ),
    },
    vcpus: columns.map((ops, i) => ({ on: on[i], ops })),
    outcomes: [{ when, is: 'allowed', because: 'it is so' }],
  });
  const litmus = parseLitmus(text, 'columns.yaml');
  const [whole] = settingsOf(litmus, { paging: 'nonpae', discipline: 'guest-lock', ...setting });
  return new Subject('litmus/1-fault/message-passing.yaml', litmus, whole!);
}

/** All schedules, or at most this many. */
function sweep(subject: Subject, strategy: Strategy, most = Number.POSITIVE_INFINITY): Result[] {
  const results: Result[] = [];
  while (results.length < most) {
    const result = subject.run(strategy, results.length);
    if (strategy.exhausted) break;
    results.push(result);
  }
  return results;
}

const digestsOf = (results: readonly Result[]): string[] => results.map(({ run }) => run.digest);

const X = '0x00400000';
const Y = '0x00401000';

describe('without preemption', () => {
  const serial = (): Sweep => new Sweep({ preemptions: 0, edges: false });

  test.each([
    [[2, 1], 3],
    [[2, 2], 6],
    [[1, 1, 1], 6],
    [[2, 1, 1], 12],
    [[3], 1],
    [[1, 0], 1],
  ])('columns of %j operations have %i orders', (lengths, orders) => {
    const columns = lengths.map((n, i) =>
      Array.from({ length: n }, (_, j) => `locked ${X} -> r${(i + j) % 4}`),
    );
    const digests = digestsOf(sweep(subjectOf({ columns }), serial()));
    // And once each column to its end before the next one begins.
    expect(digests).toHaveLength(columns.length > 1 ? orders + 1 : 1);
    expect(new Set(digests).size).toBe(digests.length);
  });

  test('all outcomes of whole operations in any order occur, and no others', () => {
    const columns = [
      [`store ${X} 1`, `load ${Y} -> r0`],
      [`store ${Y} 1`, `load ${X} -> r0`],
    ];
    const strategy = serial();
    const subject = (when: string): Subject => subjectOf({ columns, when });
    const met = (when: string): boolean =>
      sweep(subject(when), serial()).some(({ ending }) => ending === 'ok');
    expect(met('vcpu 0 r0 == 1 and vcpu 1 r0 == 1')).toBe(true);
    expect(met('vcpu 0 r0 == 0x24 and vcpu 1 r0 == 1')).toBe(true);
    expect(met('vcpu 0 r0 == 1 and vcpu 1 r0 == 0x20')).toBe(true);
    expect(met('vcpu 0 r0 == 0x24 and vcpu 1 r0 == 0x20')).toBe(false);
    expect(strategy.exhausted).toBe(false);
  });
});

describe('with preemptions', () => {
  const columns = [[`load ${X} -> r0`], [`set_pte A ${X} = page 0x25 rw user accessed`]];

  test('schedules with at most one preemption are distinct, and those with two come after them', () => {
    const once = digestsOf(
      sweep(subjectOf({ columns }), new Sweep({ preemptions: 1, edges: true })),
    );
    expect(once.length).toBeGreaterThan(50);
    expect(new Set(once).size).toBe(once.length);
    const twice = new Sweep({ preemptions: 2, edges: true });
    const subject = subjectOf({ columns });
    expect(digestsOf(sweep(subject, twice, once.length))).toEqual(once);
    expect(twice.preemptions).toBe(1);
    const more = digestsOf(sweep(subject, twice, 200));
    expect(twice.preemptions).toBe(2);
    expect(new Set([...once, ...more]).size).toBeGreaterThan(once.length + 150);
  });

  test('the schedules are the same for any seed, and on a board that has run before', () => {
    const make = (): Sweep => new Sweep({ preemptions: 1, edges: false });
    const subject = subjectOf({ columns });
    const first = digestsOf(sweep(subject, make()));
    expect(digestsOf(sweep(subject, make()))).toEqual(first);
    const strategy = make();
    const other = Array.from(first, () => subject.run(strategy, 77).run.digest);
    expect(other).toEqual(first);
  });

  test('there is none at a word that only one CPU accesses', () => {
    const program = plainProgram(5, 5);
    const strategy = new Sweep({ preemptions: 2, edges: true });
    play(program, strategy, 1);
    play(program, strategy, 1);
    expect(strategy.exhausted).toBe(false);
    const orders = Array.from({ length: 3 }, () => play(program, strategy, 1).order.join(''));
    expect(strategy.exhausted).toBe(true);
    expect(orders.every((order) => order === '0000011111')).toBe(true);
  });

  test('there is one at each access of a shared word, and the CPU continues from there', () => {
    // These steps are in no guest operation: a thread that continues does so to its end.
    const program = [3, 3].map((n) => Array.from({ length: n }, () => ({ at: 7 })));
    const strategy = new Sweep({ preemptions: 1, edges: true });
    const orders = new Set<string>();
    for (;;) {
      const { order } = play(program, strategy, 1);
      if (strategy.exhausted) break;
      orders.add(order.join(''));
    }
    expect([...orders].toSorted()).toEqual(['000111', '001110', '011100', '111000']);
  });
});

test('one preemption shows the outcome that only store buffers allow', () => {
  const columns = [
    [`store ${X} 1`, `load ${Y} -> r0`],
    [`store ${Y} 1`, `load ${X} -> r0`],
  ];
  const warm = columns.map((ops) => [`load ${X}`, `load ${Y}`, `locked ${X}`, ...ops]);
  const when = 'not (vcpu 0 r0 == 0x24 and vcpu 1 r0 != 1)';
  const strategy = STRATEGIES['sweep']!();
  const subject = subjectOf({ columns: warm, when }, { memory: 'tso' });
  const results = sweep(subject, strategy, 2000);
  expect(results.some(({ ending }) => ending === 'violation')).toBe(true);
});

describe('no schedule ends as a livelock', () => {
  const SETTINGS: readonly Partial<Setting>[] = [
    { paging: 'nonpae', discipline: 'guest-lock' },
    { paging: 'pae', discipline: 'pgdir-lock', memory: 'tso' },
    { paging: 'pae', discipline: 'lock-free' },
  ];
  const load = [`load ${X} -> r0`, 'yield', `load ${X} -> r1`];

  test.each<[string, TestSpec]>([
    ['one vCPU', { columns: [load] }],
    ['three vCPUs, two pgdirs', { columns: [load, load, load], on: 'ABC', pgdirs: 2 }],
    ['four vCPUs, one pgdir', { columns: [load, load, load, load], on: 'ABCD', pgdirs: 1 }],
    ['one host CPU', { columns: [load, load], cpus: 1 }],
    ['more vCPUs than host CPUs', { columns: [load, load, load], cpus: 2, on: 'ABA' }],
    [
      'a vCPU started by another',
      {
        columns: [
          ['start 1', ...load],
          ['set_stack own 1', ...load],
        ],
      },
    ],
    ['an idle host CPU', { columns: [load, ['migrate 2', ...load]], cpus: 3 }],
    ['no operations', { columns: [[], []] }],
    [
      'page tables that evict one another',
      {
        columns: [
          ['new_pgtable C', ...load],
          ['new_pgtable D', ...load],
          ['new_pgtable B', ...load],
        ],
        pgdirs: 2,
      },
    ],
  ])('%s', (_, spec) => {
    for (const setting of SETTINGS) {
      const results = sweep(subjectOf(spec, setting), STRATEGIES['sweep']!(), 40);
      const wrong = results.filter(({ ending }) => ending !== 'ok');
      expect(wrong.map(({ message }) => message)).toEqual([]);
    }
  });
});

test('its first schedules pass in every litmus test, in some of its settings', () => {
  for (const [i, path] of LITMUS_FILES.entries()) {
    const litmus = readLitmus(path);
    for (const setting of someOf(settingsOf(litmus, {}), 2, i)) {
      const results = sweep(new Subject(path, litmus, setting), STRATEGIES['sweep']!(), 8);
      const wrong = results.find(({ ending }) => ending !== 'ok');
      expect(wrong?.message, `${path} ${setting.discipline} ${setting.paging}`).toBeUndefined();
    }
  }
});
