/** The digest of a test's meaning, to which a token is bound. */

import { expect, test } from 'vitest';
import { shippedTests } from '../../src/explore/litmus/find-files.ts';
import { parseLitmus } from '../../src/explore/litmus/litmus.ts';
import { digestOf } from '../../src/explore/litmus/meaning.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';

const TEXT = `
name: two columns, and all that an outcome may say
about: Nothing happens.
guest:
  tables:
    A: { 0x00400000: page 0x20 rw user }
  launcher: { 0x21: cow }
vcpus:
  - on: A
    ops: [load 0x00400000 -> r0, set_pte A 0x00400000 = none]
  - on: A
    stack: 0x00500000
    ops: []
outcomes:
  - when: dead "no stack" or not (A 0x00400000 has rw and word 0x20:0 == vcpu 0 r0)
    is: forbidden
    because: so it is
  - when: alive
    is: allowed
    because: all else
`;

const digest = (text: string): string => digestOf(parseLitmus(text, 'some.yaml'));

test('is unchanged: printed tokens are valid only with this digest', () => {
  // Another digest invalidates tokens: keep the representation, or raise ENGINE_VERSION with it.
  expect(digest(TEXT)).toBe('58d1396f800dd287');
});

test.each([
  ['dead "no stack"', 'dead "none"'],
  ['has rw', 'has user'],
  ['word 0x20:0', 'word 0x20:1'],
  ['is: forbidden', 'is: interesting'],
  ['cow', 'ro'],
  ['0x00500000', '0x00501000'],
  ['= none', '= page 0x21'],
  ['guest:', 'cpus: 1\nguest:'],
  ['guest:', 'guest_duty: [stale]\nguest:'],
  ['guest:', 'guest:\n  paging_policy: {prefault: 2}'],
])('differs with %j as %j', (from, to) => {
  expect(TEXT).toContain(from);
  expect(digest(TEXT.replace(from, () => to))).not.toBe(digest(TEXT));
});

test.each([
  ['name: ', 'name: another, '],
  ['about: ', 'about: Well. '],
  ['about: ', 'defect: R2\nabout: '],
  ['about: ', 'paging: [pae]\nabout: '],
  ['about: ', 'disciplines: [guest-lock]\nabout: '],
  ['because: so', 'because: thus'],
  ['load 0x00400000 -> r0', 'load  0x400000  ->  r0'],
  ['guest:', '# A comment.\nguest:'],
  ['guest:', 'guest:\n  pgdirs: 4'],
])('is the same with %j as %j', (from, to) => {
  expect(TEXT).toContain(from);
  expect(digest(TEXT.replace(from, () => to))).toBe(digest(TEXT));
});

test('differs between all tests that come with umbra', () => {
  const digests = shippedTests().map(({ path }) => digestOf(readLitmus(path)));
  expect(digests.length).toBeGreaterThan(30);
  expect(new Set(digests).size).toBe(digests.length);
});
