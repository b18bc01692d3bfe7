/** A run resumed from the middle of the one before equals the run from the beginning. */

import { expect, test } from 'vitest';
import type { DisciplineName } from '../../../shared/discipline.ts';
import type { DefectId } from '../../../src/defects.ts';
import { readLitmus } from '../../../src/explore/litmus/read.ts';
import type { Result } from '../../../src/explore/result.ts';
import type { Setting } from '../../../src/explore/setting.ts';
import { Recorded } from '../../../src/explore/strategies/recorded.ts';
import { Subject } from '../../../src/explore/subject.ts';
import { Exhaustive } from '../../../src/explore/verify/exhaustive.ts';
import { runOnce } from '../../../src/explore/verify/unit.ts';

const TESTS: readonly (readonly [string, DisciplineName, DefectId[]])[] = [
  ['R4-both-allocate-the-table', 'lock-free', []],
  // A host CPU dies, and the others continue.
  ['R10-one-pgdir-two-cpus', 'guest-lock', ['R10']],
  // A vCPU without a pgdir waits for one of several words.
  ['R11-victim-in-use', 'pgdir-lock', []],
  ['R13-three-cpus', 'pgdir-lock', []],
];

const RUNS = 150;

test.each(TESTS)('%s, %s, %j', (name, discipline, defects) => {
  const setting: Setting = { paging: 'nonpae', discipline, defects, abridged: true };
  const [subject, again] = [setting, setting].map((each) => {
    return new Subject(name, readLitmus(name), each);
  }) as [Subject, Subject];
  const search = new Exhaustive(subject.board);
  const runs: Result[] = [];
  let known = 0;
  while (runs.length < RUNS && search.goOn()) {
    known += search.goesBackTo;
    const result = runOnce(subject, search);
    if (result === undefined) continue;
    runs.push(result);
    expect(again.run(new Recorded(result.run.decisions), 0)).toEqual(result);
    const there = memoryOf(again);
    expect(memoryOf(subject).map((part, i) => isSame(part, there[i]!))).toEqual([true, true]);
  }
  expect(known).toBeGreaterThan(100 * runs.length);
});

/** All but the events: those of the earlier run lie behind the last one. */
function memoryOf({ board: { host } }: Subject): readonly Uint32Array[] {
  const { at, count, stride } = host.layout.regions.events;
  const { plain } = host.words;
  return [plain.subarray(0, at), plain.subarray(at + count * stride)];
}

const isSame = (a: Uint32Array, b: Uint32Array): boolean =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );
