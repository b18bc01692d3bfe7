/** The effect of each operation of a litmus test, and the meaning of each condition. */

import { describe, expect, test } from 'vitest';
import { Counter } from '../../shared/counters.ts';
import type { Host } from '../../shared/host.ts';
import { Dead } from '../../shared/lguest.ts';
import { readCondition } from '../../src/explore/litmus/conditions.ts';
import { judge } from '../../src/explore/litmus/judge.ts';
import { parseLitmus } from '../../src/explore/litmus/litmus.ts';
import { readText, TextMistake } from '../../src/explore/litmus/tokens.ts';
import { runLitmus } from './litmus-rig.ts';

const FORMS = ['nonpae', 'pae'] as const;

interface Test {
  readonly ops: readonly (readonly string[])[];
  readonly guest?: object;
  readonly cpus?: number;
  readonly on?: readonly string[];
}

const TABLES = {
  A: { '0x00400000': 'page 0x20 rw user', '0x00401000': 'page 0x21 user' },
  B: { '0x00400000': 'page 0x22 rw user' },
};

function litmusOf({ ops, guest = {}, cpus, on = [] }: Test, when: string) {
  const value = {
    name: 'a test',
    about: 'of the tested operation',
    ...(cpus === undefined ? {} : { cpus }),
    paging: ops.flat().some((op) => /^set_pmd| nx /.test(op)) ? ['pae'] : FORMS,
    guest: { tables: TABLES, ...guest },
    vcpus: ops.map((column, i) => ({ on: on[i] ?? 'A', ops: column })),
    outcomes: [{ when, is: 'allowed', because: 'it is so' }],
  };
  return parseLitmus(JSON.stringify(value), 'test.yaml');
}

/** Run it in each of its paging forms, and return the ends. */
function check(given: Test, when: string, look: (host: Host) => void = () => {}): void {
  const litmus = litmusOf(given, when);
  for (const paging of litmus.paging) {
    const host = runLitmus(litmus, { paging, discipline: 'lock-free', defects: [] });
    const { reason } = host.guests[0]!;
    expect(judge(litmus, host).is, `${paging}: ${when} (${reason})`).toBe('allowed');
    look(host);
  }
}

const OPERATIONS: readonly (readonly [string, Test, string])[] = [
  ['load reads', { ops: [['load 0x00400000 -> r1']] }, 'vcpu 0 r1 == 0x20 and vcpu 0 r0 == 0'],
  [
    'load sets ACCESSED only',
    { ops: [['load 0x00400000']] },
    'A 0x00400000 has accessed and not A 0x00400000 has dirty',
  ],
  [
    'store writes',
    { ops: [['store 0x00400008 7 -> r0']] },
    'word 0x20:2 == 7 and vcpu 0 r0 == 1 and A 0x00400000 has accessed dirty',
  ],
  [
    'store without the right faults',
    { ops: [['store 0x00401000 7 -> r0', 'load 0x00401000 -> r1']] },
    'vcpu 0 r0 == fault and vcpu 0 r1 == 0x21 and vcpu 0 cr2 == 0x00401000',
  ],
  [
    'locked adds one',
    { ops: [['locked 0x00400000 -> r0', 'locked 0x00400000 -> r1']] },
    'vcpu 0 r0 == 0x20 and vcpu 0 r1 == 0x21 and word 0x20:0 == 0x22',
  ],
  [
    'fetch succeeds or faults',
    { ops: [['fetch 0x00400000 -> r0', 'fetch 0x00500000 -> r1']] },
    'vcpu 0 r0 == 1 and vcpu 0 r1 == fault',
  ],
  [
    'an unmapped access faults, and the column continues',
    { ops: [['load 0x00500000 -> r0', 'load 0x00400000 -> r1']] },
    'alive and vcpu 0 r0 == fault and vcpu 0 r1 == 0x20 and vcpu 0 cr2 == 0x00500000',
  ],
  [
    'the program may not use the kernel’s mapping',
    { ops: [['load 0xc0020000 -> r0', 'kernel load 0xc0020000 -> r1']] },
    'vcpu 0 r0 == fault and vcpu 0 r1 == 0x20',
  ],
  ['kernel store writes', { ops: [['kernel store 0xc0020004 9']] }, 'word 0x20:1 == 9'],
  [
    'pte makes no hypercall',
    { ops: [['load 0x00400000', 'pte A 0x00400000 = page 0x23 user', 'load 0x00400000 -> r0']] },
    'vcpu 0 r0 == 0x20 and A 0x00400000 is page 0x23 and shadow A 0x00400000 is page 0x20',
  ],
  [
    'tell_pte updates the shadow',
    {
      ops: [
        [
          'load 0x00400000',
          'pte A 0x00400000 = page 0x23 user',
          'tell_pte A 0x00400000 = page 0x23 user',
          'load 0x00400000 -> r0',
        ],
      ],
    },
    'vcpu 0 r0 == 0x23 and shadow A 0x00400000 is page 0x23',
  ],
  [
    'set_pte changes the entry and makes a hypercall',
    { ops: [['load 0x00400000', 'set_pte A 0x00400000 = none', 'load 0x00400000 -> r0']] },
    'vcpu 0 r0 == fault and A 0x00400000 is none and shadow A 0x00400000 is none',
  ],
  [
    'set_pte with DIRTY changes the shadow at once',
    { ops: [['load 0x00400000', 'set_pte A 0x00400000 = page 0x23 rw user accessed dirty']] },
    'shadow A 0x00400000 has rw and shadow A 0x00400000 is page 0x23',
  ],
  [
    'set_pte of a table that has no entries yet',
    { ops: [['set_pte A 0x10000000 = page 0x23 user', 'load 0x10000000 -> r0']] },
    'vcpu 0 r0 == 0x23',
  ],
  [
    'set_pte of the kernel’s mapping',
    { ops: [['set_pte A 0xc0023000 = none', 'kernel load 0xc0023000 -> r0']] },
    'vcpu 0 r0 == fault and alive',
  ],
  [
    'set_pgd drops the shadow of the entry',
    { ops: [['load 0x00400000', 'set_pgd A 0x00400000']] },
    'shadow A 0x00400000 is none and A 0x00400000 is page 0x20',
  ],
  [
    'set_pmd drops the shadow of the entry',
    { ops: [['load 0x00400000', 'set_pmd A 0x00400000']] },
    'shadow A 0x00400000 is none',
  ],
  [
    'set_upper changes the upper entry and makes a hypercall',
    {
      ops: [
        [
          'store 0x00400000 1 -> r0',
          'set_upper A 0x00400000 = table user',
          'load 0x00400000 -> r1',
          'store 0x00400000 2 -> r2',
        ],
      ],
    },
    'vcpu 0 r0 == 1 and vcpu 0 r1 == 1 and vcpu 0 r2 == fault and word 0x20:0 == 1',
  ],
  [
    'set_upper to none drops everything below',
    { ops: [['load 0x00400000', 'set_upper A 0x00400000 = none', 'load 0x00400000 -> r0']] },
    'vcpu 0 r0 == fault and A 0x00400000 is none and shadow A 0x00400000 is none and alive',
  ],
  [
    'set_upper can restore rights',
    {
      ops: [
        [
          'set_upper A 0x00400000 = none',
          'load 0x00400000 -> r0',
          'set_upper A 0x00400000 = table rw user accessed dirty',
          'store 0x00400000 2 -> r1',
        ],
      ],
    },
    'vcpu 0 r0 == fault and vcpu 0 r1 == 1',
  ],
  [
    'flush_user drops the shadow',
    { ops: [['load 0x00400000', 'flush_user']] },
    'shadow A 0x00400000 is none',
  ],
  [
    'flush_all drops the shadow',
    { ops: [['load 0x00400000', 'flush_all', 'load 0x00401000 -> r0']] },
    'shadow A 0x00400000 is none and vcpu 0 r0 == 0x21',
  ],
  [
    'new_pgtable switches to another table',
    {
      ops: [
        [
          'load 0x00400000 -> r0',
          'new_pgtable B',
          'load 0x00400000 -> r1',
          'new_pgtable A',
          'load 0x00400000 -> r2',
        ],
      ],
    },
    'vcpu 0 r0 == 0x20 and vcpu 0 r1 == 0x22 and vcpu 0 r2 == 0x20',
  ],
  [
    'linear: addresses are physical until the first page table',
    {
      ops: [
        [
          'kernel load 0x00020000 -> r0',
          'new_pgtable A',
          'set_stack own 1',
          'load 0x00020000 -> r1',
        ],
      ],
      guest: { linear: true },
    },
    'vcpu 0 r0 == 0x20 and vcpu 0 r1 == fault',
  ],
  [
    'set_stack: traps push there',
    { ops: [['set_stack 0xc0024800 1', 'load 0x00500000 -> r0']] },
    'vcpu 0 r0 == fault and word 0x24:511 == 0x7b',
  ],
  [
    'discard empties a page',
    { ops: [['set_pte A 0x00400000 = none', 'discard 0x20', 'kernel load 0xc0020000 -> r0']] },
    'alive and vcpu 0 r0 == 0',
  ],
  [
    'a read-only page of the Launcher',
    {
      ops: [['load 0x00400000 -> r0', 'store 0x00400000 1']],
      guest: { launcher: { '0x20': 'ro' } },
    },
    'vcpu 0 r0 == 0x20 and dead "failed to get page"',
  ],
  [
    'a page that the Launcher does not map',
    { ops: [['load 0x00400000']], guest: { launcher: { '0x20': 'none' } } },
    'dead "failed to get page 32"',
  ],
  [
    'start: another vCPU begins its column',
    { ops: [['start 1'], ['set_stack own 1', 'load 0x00400000 -> r0']] },
    'vcpu 1 r0 == 0x20 and vcpu 1 r1 == 0',
  ],
  [
    'ipi: its kernel counts it',
    {
      ops: [
        ['ipi 1', 'ipi 1'],
        ['yield', 'yield', 'yield', 'yield'],
      ],
    },
    'alive and (vcpu 1 irqs == 1 or vcpu 1 irqs == 2)',
  ],
  [
    'ipi: to a vCPU whose column has ended',
    { ops: [['yield', 'yield', 'yield', 'ipi 1'], []] },
    'alive and vcpu 1 irqs == 1',
  ],
  [
    'syscall and back',
    { ops: [['syscall', 'load 0x00400000 -> r0']] },
    'alive and vcpu 0 r0 == 0x20',
  ],
  [
    'evict and continue',
    { ops: [['load 0x00400000', 'evict', 'load 0x00400000 -> r0']] },
    'vcpu 0 r0 == 0x20',
  ],
];

describe('operations', () => {
  test.each(OPERATIONS)('%s', (_, given, when) => {
    check(given, when);
  });

  test('a computed value that stands for fault is not taken for one', () => {
    const ops = ['store 0x00400004 0xf0f0fa16', 'locked 0x00400004', 'load 0x00400004 -> r1'];
    expect(() => check({ ops: [ops] }, 'alive')).toThrow(
      'vCPU 0, operation 3: found 0xf0f0fa17 loaded, expected a test without this value, which ' +
        'stands for fault',
    );
  });

  test('set_pte with PAE sets NX', () => {
    const ops = [['load 0x00400000', 'set_pte A 0x00400000 = page 0x20 user nx accessed']];
    const litmus = litmusOf({ ops }, 'A 0x00400000 has nx and shadow A 0x00400000 has nx');
    const host = runLitmus(litmus, { paging: 'pae', discipline: 'guest-lock', defects: [] });
    expect(judge(litmus, host).is).toBe('allowed');
  });

  test('yield leaves the guest, with no other effect', () => {
    check({ ops: [['yield', 'yield']] }, 'alive', ({ guests: [lg] }) => {
      // Each yield and the end.
      expect(lg!.counters.get(Counter.Entries)).toBeGreaterThanOrEqual(3);
    });
  });

  test('migrate releases a vCPU, to continue elsewhere', () => {
    const given = { ops: [['migrate 1', 'load 0x00400000 -> r0']], cpus: 2 };
    check(given, 'vcpu 0 r0 == 0x20', ({ cpus, vcpus }) => {
      expect(cpus.map(({ lastVcpu }) => lastVcpu)).toEqual([1, 1]);
      expect(vcpus[0]!.lastHostCpu).toBe(1);
    });
  });

  test('evict empties the TLB, and no other kind of operation does', () => {
    const seen = (...ops: string[]): number => {
      const given = { ops: [['load 0x00400000', ...ops, 'load 0x00400000']] };
      const litmus = litmusOf(given, 'alive');
      const setting = { paging: 'nonpae', discipline: 'guest-lock', defects: [] } as const;
      return runLitmus(litmus, setting).guests[0]!.counters.get(Counter.Walks);
    };
    expect(seen('evict')).toBeGreaterThan(seen());
    expect(seen('load 0x00400000')).toBe(seen());
  });

  test('the guest ends by itself once every column has ended', () => {
    check({ ops: [['yield'], ['load 0x00400000'], []] }, 'alive', ({ guests: [lg] }) => {
      expect([lg!.dead, lg!.reason]).toEqual([Dead.PoweredOff, 'end']);
    });
  });
});

describe('conditions', () => {
  const CONDITIONS: readonly (readonly [string, boolean])[] = [
    ['vcpu 0 r0 == 0x20', true],
    ['vcpu 0 r0 != 32', false],
    ['32 == vcpu 0 r0', true],
    ['vcpu 0 r0 == word 0x20:0', true],
    ['vcpu 0 r1 == fault', true],
    ['fault == 0', false],
    ['A 0x00400000 is page 0x20', true],
    ['A 0x00400fff is page 0x20', true],
    ['A 0x00400000 is none', false],
    ['A 0x00500000 is none', true],
    ['A 0x00400000 has rw user accessed', true],
    ['A 0x00400000 has rw dirty', false],
    ['B 0x00400000 has accessed', false],
    ['shadow A 0x00400000 is page 0x20', true],
    ['shadow A 0x00400000 has rw', false],
    ['shadow B 0x00400000 is none', true],
    ['tlb 0 has 0x00400000', false],
    ['alive', true],
    ['dead', false],
    ['dead "end"', false],
    ['not dead', true],
    ['not not alive', true],
    ['alive and dead', false],
    ['alive or dead and dead', true],
    ['(alive or dead) and dead', false],
    ['not (alive and dead)', true],
    ['not alive or alive', true],
  ];

  test.each(CONDITIONS)('%s: %s', (when, expected) => {
    const given = { ops: [['load 0x00400000 -> r0', 'load 0x00500000 -> r1']] };
    const litmus = litmusOf(given, when);
    const host = runLitmus(litmus, { paging: 'pae', discipline: 'pgdir-lock', defects: [] });
    expect(judge(litmus, host).is).toBe(expected ? 'allowed' : 'undeclared');
  });

  test('a TLB’s entry, while the CPU is inside the guest', () => {
    const litmus = litmusOf({ ops: [['load 0x00400000']] }, 'tlb 0 has 0x00400123');
    const setting = { paging: 'nonpae', discipline: 'guest-lock', defects: [] } as const;
    const host = runLitmus(litmus, setting);
    expect(judge(litmus, host).outcome).toBe(undefined);
    // As it was before the exit.
    host.cpus[0]!.generation = 1;
    const { tlb } = host.cpus[0]!;
    host.words.plain[tlb] = 0x0040_0001;
    expect(judge(litmus, host).outcome).toBe(0);
  });

  test('the first matching outcome is the one', () => {
    const litmus = litmusOf({ ops: [[]] }, 'alive');
    const twice = { ...litmus, outcomes: [litmus.outcomes[0]!, litmus.outcomes[0]!] };
    const setting = { paging: 'nonpae', discipline: 'guest-lock', defects: [] } as const;
    expect(judge(twice, runLitmus(twice, setting)).outcome).toBe(0);
  });

  test('or binds less tightly than and, and and less than not', () => {
    const names = { tables: ['A'], vcpus: 1, hostCpus: 1, pages: 64, paging: FORMS };
    const read = readText('not alive or dead and alive', names, readCondition);
    expect(read).not.toBeInstanceOf(TextMistake);
    expect(read).toMatchObject({ kind: 'or', left: { kind: 'not' }, right: { kind: 'and' } });
  });
});
