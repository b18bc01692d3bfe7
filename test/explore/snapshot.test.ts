/** A snapshot restores its words, and no others. */

import { expect, test } from 'vitest';
import { makeMemory } from '../../shared/words.ts';
import { Snapshot } from '../../src/explore/engine/snapshot.ts';

const WORDS = 0x10000;

function machine() {
  const memory = makeMemory(WORDS);
  return { memory, plain: new Uint32Array(memory.buffer) };
}

test('saved words are restored, and their neighbours are left alone', () => {
  const { memory, plain } = machine();
  const snapshot = new Snapshot(memory);
  plain.fill(1, 1000, 1100);
  snapshot.keep(1010, 50);
  plain.fill(2, 1000, 1100);
  snapshot.putBack(1020, 30);
  const ones = [...plain.keys()].filter((at) => plain[at] === 1);
  expect(ones).toEqual(Array.from({ length: 30 }, (_, i) => 1020 + i));
});

test('each of two snapshots of one machine restores its own words, including the last', () => {
  const { memory, plain } = machine();
  const first = new Snapshot(memory);
  const second = new Snapshot(memory);
  const last = WORDS - 1;
  plain[last] = 7;
  first.keep(0, WORDS);
  plain[last] = 8;
  second.keep(last, 1);
  plain[last] = 9;
  first.putBack(last, 1);
  expect(plain[last]).toBe(7);
  second.putBack(last, 1);
  expect(plain[last]).toBe(8);
});
