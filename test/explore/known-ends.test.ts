/** A result that is known by the memory in which a run has ended is the one that checks would give. */

import { describe, expect, test } from 'vitest';
import type { DefectId } from '../../src/defects.ts';
import { KnownEnds } from '../../src/explore/known-ends.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import { resultOf } from '../../src/explore/result.ts';
import { settingsOf } from '../../src/explore/setting.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { Subject } from '../../src/explore/subject.ts';
import { LITMUS_FILES } from './litmus-rig.ts';

const RUNS = 16;

/** Every other run may be disturbed by hardware. */
function compare(path: string, defects: readonly DefectId[]): { known: number; wrong: number } {
  const litmus = readLitmus(path);
  let [known, wrong] = [0, 0];
  for (const setting of settingsOf(litmus, { defects })) {
    const subject = new Subject(path, litmus, setting);
    const ends = new KnownEnds(litmus, subject.board);
    for (const name of ['random', 'pct-2']) {
      const strategy = STRATEGIES[name]!();
      for (let seed = 0; seed < RUNS; seed++) {
        const run = subject.play(strategy, seed);
        const before = ends.balance;
        const result = ends.resultOf(run);
        if (ends.balance > before) known++;
        if (result.ending !== 'ok') wrong++;
        expect(result).toEqual(resultOf(litmus, subject.board, run));
      }
    }
  }
  return { known, wrong };
}

describe('as checks find it', () => {
  test.each(LITMUS_FILES)('%s', (path) => {
    expect(compare(path, []).wrong).toBe(0);
  });

  test('in most runs, with defects that show in some', () => {
    const names = LITMUS_FILES.filter((path) => /\/R(1|2|6|17)-/.test(path));
    let [known, wrong] = [0, 0];
    for (const path of names) {
      const { defect } = readLitmus(path);
      const found = compare(path, defect === undefined ? [] : [defect]);
      known += found.known;
      wrong += found.wrong;
    }
    expect(wrong).toBeGreaterThan(10);
    expect(known).toBeGreaterThan(2 * wrong);
  });
});

test('no end is looked for where none comes again', () => {
  const path = LITMUS_FILES.find((one) => one.includes('R2-cleared-entry-comes-back'))!;
  const litmus = readLitmus(path);
  const subject = new Subject(path, litmus, settingsOf(litmus, { defects: [] })[0]!);
  const ends = new KnownEnds(litmus, subject.board);
  const { plain } = subject.board.host.words;
  const run = subject.play(STRATEGIES['random']!(), 0);
  const word = subject.board.host.layout.regions.hostCpus.at + 20;
  for (let i = 0; i < 1000; i++) {
    plain[word] = i;
    ends.resultOf(run);
  }
  expect(ends.balance).toBeGreaterThan(-200);
});
