/**
 * A run leaves no state behind for the next one, and checks may skip the words it did not write.
 */

import { describe, expect, test } from 'vitest';
import { checkAll } from '../../src/check/invariants.ts';
import { Moment } from '../../src/check/moment.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import type { Setting } from '../../src/explore/setting.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { Subject } from '../../src/explore/subject.ts';

const SETTINGS: readonly (readonly [string, Setting])[] = [
  [
    'litmus/5-flush/R5-table-freed-before-unlinked.yaml',
    { paging: 'nonpae', discipline: 'lock-free', defects: ['R5'] },
  ],
  [
    'litmus/6-switcher/R13-three-cpus.yaml',
    { paging: 'pae', discipline: 'guest-lock', defects: [], memory: 'tso' },
  ],
];

describe.each(SETTINGS)('%s', (path, setting) => {
  const subject = new Subject(path, readLitmus(path), setting);
  const { host, beginning } = subject.board;

  test('every word is restored, but for events that no longer count', () => {
    const { plain } = host.words;
    const { at, stride, count } = host.layout.regions.events;
    const ringOf = (word: number): number => Math.floor((word - at) / stride);
    const isOldEvent = (word: number): boolean =>
      word >= at && ringOf(word) < count && (word - at) % stride >= 16;
    beginning.putBack();
    const before = plain.slice();
    for (const name of ['pct-3', 'random', 'fewest']) {
      const strategy = STRATEGIES[name]!();
      for (let seed = 0; seed < 10; seed++) subject.run(strategy, seed);
      beginning.putBack();
      const other = plain.findIndex((word, i) => word !== before[i] && !isOldEvent(i));
      expect({ name, other }).toEqual({ name, other: -1 });
    }
  });

  test('checks find the same without the frames that were not written', () => {
    const strategy = STRATEGIES['pct-3']!();
    for (let seed = 0; seed < 30; seed++) {
      subject.run(strategy, seed);
      expect(checkAll(host, new Moment(beginning.isUnused))).toEqual(checkAll(host));
    }
  });
});
