/** Mistakes in litmus files: messages with line and column. */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { describe, expect, test, vi } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { findLitmusFiles } from '../../src/explore/litmus/find-files.ts';
import { parseLitmus } from '../../src/explore/litmus/litmus.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { complaintOf } from '../complaint.ts';

const FILE = 'litmus/some.yaml';

const GOOD = `name: a truth
about: a sentence
guest:
  tables:
    A: {0x00400000: page 0x20 rw user}
vcpus:
  - on: A
    ops:
      - load 0x00400000 -> r0
      - "yield"
outcomes:
  - when: vcpu 0 r0 == 0x20
    is: allowed
    because: it is so
`;

/** The messages for the good file after some changes, without its path. */
function complaints(...changes: readonly (readonly [string, string])[]): string[] {
  let text = GOOD;
  for (const [from, to] of changes) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  const said = complaintOf(() => parseLitmus(text, FILE));
  return said.split('\n').map((line) => line.replace(`${FILE}:`, ''));
}

const LOAD = 'load 0x00400000 -> r0';
const WHEN = 'vcpu 0 r0 == 0x20';
const ENTRY = 'page 0x20 rw user';

const BAD: readonly (readonly [string, string, string | RegExp])[] = [
  [
    'about: a sentence',
    'abot: a sentence',
    /^2:1: found an unknown field abot.*did you mean about\?$/,
  ],
  ['name: a truth\n', '', '1:1: found no name, expected name: a text'],
  ['  - on: A\n', '  - on: C\n', '7:9: found C, expected one of the tables A'],
  [LOAD, 'laod 0x00400000', /^9:9: found "laod", expected load, .*; did you mean load\?$/],
  [LOAD, 'load x', '9:14: found "x", expected an address'],
  [LOAD, 'load', '9:13: found the end, expected an address'],
  [LOAD, 'load 0x00400000 -> r4', '9:28: found "r4", expected r0, r1, r2, r3; did you mean r0?'],
  [LOAD, 'load 0x00400000 r0', '9:25: found "r0", expected nothing more'],
  [LOAD, 'store 0x00400000', '9:25: found the end, expected a value'],
  [
    LOAD,
    'store 0x00400000 0x100000000',
    '9:26: found "0x100000000", expected a value of at most 0xffffffff',
  ],
  [
    LOAD,
    'store 0x00400000 0xf0f0fa17',
    '9:26: found "0xf0f0fa17", expected a value other than 0xf0f0fa17, which stands for fault',
  ],
  [LOAD, 'kernel flush', /^9:16: found "flush", expected load, store, locked, fetch$/],
  [
    LOAD,
    'set_pte C 0x00400000 = none',
    '9:17: found "C", expected one of the tables A; did you mean A?',
  ],
  [LOAD, 'set_pte A 0x00400000 none', '9:30: found "none", expected ='],
  [
    LOAD,
    'set_pte A 0x00400000 = page 1 drity',
    /^9:39: found "drity", expected rw, user, .*did you mean dirty\?$/,
  ],
  [LOAD, 'set_upper A 0x00400000 = page 1', '9:34: found "page", expected table, none'],
  [LOAD, 'set_upper A 0x00400000 = table nx', /^9:40: found "nx", expected rw, user, .*/],
  [
    LOAD,
    'set_upper A 0xc0000000 = none',
    '9:21: found "0xc0000000", expected an address from 0 to 3221225471',
  ],
  [LOAD, 'ipi 1', '9:13: found "1", expected a vCPU from 0 to 0'],
  [LOAD, 'migrate 7', '9:17: found "7", expected a host CPU from 0 to 0'],
  [LOAD, 'discard 64', '9:17: found "64", expected a page from 0 to 0x3f'],
  [LOAD, 'set_pmd A 0x00400000', '9:9: found "set_pmd", expected it with paging: [pae] only'],
  [
    LOAD,
    'set_pte A 0x00400000 = page 1 nx',
    '9:39: found "nx", expected it with paging: [pae] only',
  ],
  [ENTRY, 'page 0x20 rw nx', '5:34: found "nx", expected it with paging: [pae] only'],
  [WHEN, 'A 0x00400000 has nx', '12:28: found "nx", expected it with paging: [pae] only'],
  [ENTRY, 'page 0x20 rw user rw', '5:39: found "rw", expected each flag once'],
  [LOAD, 'set_upper A 0x00400000 = table rw rw', '9:43: found "rw", expected each flag once'],
  [WHEN, 'A 0x00400000 has rw rw', '12:31: found "rw", expected each flag once'],
  [
    LOAD,
    'load 0x00400001',
    '9:14: found "0x00400001", expected an address that is a multiple of 4',
  ],
  [
    LOAD,
    'store 0x00400ffe 1',
    '9:15: found "0x00400ffe", expected an address that is a multiple of 4',
  ],
  [LOAD, 'set_stack 0xc0024ffe 1', /^9:19: found "0xc0024ffe", expected an address that is a/],
  [
    '  - on: A\n',
    '  - on: A\n    stack: 0xc0024ffe\n',
    '8:12: found 0xc0024ffe, expected an address from 0 to 0xffffffff that is a multiple of 4',
  ],
  ['  - on: A\n', '  - on: *x\n', /^7:9: found .*alias.*: x, expected a litmus test$/],
  [LOAD, 'start 0', '7:5: found a first vCPU that is started, expected one that starts others'],
  ['"yield"', '"yeild"', /^10:10: found "yeild", expected .*did you mean yield\?$/],
  ['"yield"', "'yield 1'", '10:16: found "1", expected nothing more'],
  [
    '0x00400000: page',
    '0x00400010: page',
    '5:9: found 0x400010, expected the address of a page below 0xc0000000',
  ],
  [
    '0x00400000: page',
    '0xc0000000: page',
    '5:9: found 0xc0000000, expected the address of a page below 0xc0000000',
  ],
  [ENTRY, 'pages 0x20', '5:21: found "pages", expected page, none; did you mean page?'],
  [ENTRY, 'page', '5:25: found the end, expected a page number from 0 to 0xfffff'],
  [ENTRY, '7', '5:21: found 7, expected a text'],
  ['    A: {', '    a: {', /^5:5: found a, expected a name with a capital letter$/],
  [
    'guest:\n',
    'guest:\n  launcher: {0x10: cow}\n',
    '4:14: found 0x10, expected a page from 0x20 to 0x3f',
  ],
  [
    'guest:\n',
    'guest:\n  launcher: {0x20: cwo}\n',
    /^4:20: found "cwo", expected cow, ro, rw, none/,
  ],
  [
    'guest:\n',
    'guest:\n  pages: 1000\n',
    '4:10: found 1000, expected a whole number from 33 to 512',
  ],
  [
    'guest:\n',
    'cpus: 2\nguest:\n  pages: 9\n',
    '5:10: found 9, expected a whole number from 33 to 512',
  ],
  ['  - on: A\n', '  - on: A\n    cpu: 1\n', '8:10: found 1, expected a host CPU from 0 to 0'],
  [WHEN, 'vcpu 0 r0 = 0x20', '12:21: found "=", expected ==, !=; did you mean ==?'],
  [WHEN, 'vcpu 1 r0 == 0x20', '12:16: found "1", expected a vCPU from 0 to 0'],
  [WHEN, 'vcpu 0 r9 == 1', /^12:18: found "r9", expected r0, .*; did you mean r0\?$/],
  [
    WHEN,
    'vcpu 0 r0 ==',
    '12:23: found the end, expected a number, a table, vcpu, word, fault, shadow, tlb, dead, alive, not',
  ],
  [WHEN, 'aliev', /^12:11: found "aliev", expected .*; did you mean alive\?$/],
  [WHEN, '(alive or dead', '12:25: found the end, expected )'],
  [WHEN, 'alive or', /^12:19: found the end, expected a number/],
  [WHEN, 'alive dead', '12:17: found "dead", expected nothing more'],
  [WHEN, 'A 0x00400000 is pge 1', '12:27: found "pge", expected none, page; did you mean page?'],
  [WHEN, 'A 0x00400000 has rw drity', '12:31: found "drity", expected nothing more'],
  [WHEN, 'C 0x00400000 is none', '12:11: found "C", expected one of the tables A; did you mean A?'],
  [WHEN, 'word 0x20:1024 == 1', '12:21: found "1024", expected the index of a word from 0 to 1023'],
  [WHEN, 'tlb 1 has 0x00400000', '12:15: found "1", expected a host CPU from 0 to 0'],
  [WHEN, 'dead "("', /^12:16: found "\(", expected a regular expression: /],
  [WHEN, 'dead "end', '12:16: found "end, expected a regular expression: it has no end'],
  [
    'is: allowed',
    'is: alowed',
    '13:9: found "alowed", expected allowed, interesting, forbidden; did you mean allowed?',
  ],
  [
    'outcomes:\n',
    'guest_duty: [stael]\noutcomes:\n',
    '11:14: found "stael", expected stale, rights, accessed_dirty; did you mean stale?',
  ],
  [
    'outcomes:\n',
    'guest_duty: [rights, stale 0x00400000 all]\noutcomes:\n',
    '11:39: found "all", expected an address',
  ],
  ['outcomes:\n', 'guest_duty: stale\noutcomes:\n', /^11:13: found "?stale"?, expected a list/],
  ['vcpus:', 'vcpus: [', /found text that is not YAML/],
];

describe('a mistake', () => {
  test('the good file has none', () => {
    expect(complaints()).toEqual(['']);
  });

  test.each(BAD)('%j → %j', (from, to, expected) => {
    expect(complaints([from, to])).toContainEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    );
  });

  test('all are reported at once, in the order of the text', () => {
    const told = complaints([ENTRY, 'pages 1'], [LOAD, 'laod 1'], [WHEN, 'dead "(" or']);
    expect(told.map((line) => line.split(' ')[0])).toEqual(['5:21:', '9:9:', '12:16:']);
  });

  test('a text over several lines is reported where it begins', () => {
    const [first] = complaints([`when: ${WHEN}`, 'when: >-\n      alive and\n      daed']);
    expect(first).toMatch(/^12:11: found "daed", expected .*did you mean dead\?$/);
  });

  test('a vCPU of a guest without page tables must be started', () => {
    const second = '      - "yield"\n  - on: A\n    ops: []\n';
    const told = complaints(
      ['guest:\n', 'guest:\n  linear: true\n'],
      ['      - "yield"\n', second],
    );
    expect(told).toEqual([
      '12:5: found a vCPU that is never started, expected one that is started (start N), as at boot',
    ]);
  });

  test('a vCPU without page tables at first, and a started one, have no stack to begin with', () => {
    const stack: [string, string] = ['  - on: A\n', '  - on: A\n    stack: 0xc0024ff0\n'];
    expect(complaints(['guest:\n', 'guest:\n  linear: true\n'], stack)).toEqual([
      '9:12: found a stack of a guest without page tables, expected set_stack when it has some',
    ]);
    const second = '      - start 1\n  - on: A\n    stack: 0xc0024ff0\n    ops: []\n';
    expect(complaints(['      - "yield"\n', second])).toEqual([
      '12:12: found a stack of a vCPU that is started, expected set_stack once it is',
    ]);
  });

  test('aliases that multiply are reported at one of them, and an unknown tag at its place', () => {
    const ten = (of: string) => `[${Array.from({ length: 10 }, () => `*${of}`).join(', ')}]`;
    const bomb = `x: &a [1]\ny: &b ${ten('a')}\nz: &c ${ten('b')}\nname: ${ten('c')}\n`;
    expect(complaintOf(() => parseLitmus(bomb, FILE))).toMatch(
      /^litmus\/some\.yaml:4:\d+: found .*alias.*, expected a litmus test$/,
    );
    expect(complaints(['name: a', 'name: !strange a'])).toEqual([
      expect.stringMatching(
        /^1:7: found text that is not YAML \(.*!strange\), expected a litmus test$/,
      ),
    ]);
  });

  test('a missing file', () => {
    expect(() => readLitmus('litmus/nothing.yaml')).toThrow(
      'litmus/nothing.yaml cannot be read: ENOENT; give a litmus test: a file, or',
    );
  });
});

test('a folder below which something cannot be listed', () => {
  using listing = vi.spyOn(fs, 'readdirSync').mockImplementation(() => {
    throw Object.assign(new Error('EACCES'), { code: 'EACCES', path: 'litmus/closed' });
  });
  syncBuiltinESMExports();
  try {
    expect(() => findLitmusFiles(['litmus'])).toThrow(
      new UserError(
        'litmus/closed cannot be listed (EACCES): give a folder that can be read with all below ' +
          'it, or files',
      ),
    );
    expect(listing).toHaveBeenCalledOnce();
  } finally {
    listing.mockRestore();
    syncBuiltinESMExports();
  }
});

describe('omitted fields', () => {
  test('have the declared defaults', () => {
    expect(parseLitmus(GOOD, FILE)).toMatchObject({
      paging: ['nonpae', 'pae'],
      disciplines: ['guest-lock', 'pgdir-lock', 'lock-free'],
      cpus: 1,
      guest: { pgdirs: 4, pages: 64, linear: false },
      vcpus: [{ cpu: 0, started: true, texts: [LOAD, 'yield'] }],
      guestDuty: [],
    });
  });
});
