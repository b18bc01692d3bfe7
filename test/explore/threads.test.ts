/** The engine in one thread and the one on worker threads: the same runs, step for step. */

import { afterEach, describe, expect, test } from 'vitest';
import { bootThreads } from '../../src/explore/boot-threads.ts';
import type { ThreadBoard } from '../../src/explore/engine/threads/thread-board.ts';
import { readLitmus } from '../../src/explore/litmus/read.ts';
import type { Setting } from '../../src/explore/setting.ts';
import { STRATEGIES } from '../../src/explore/strategies/catalogue.ts';
import { Subject } from '../../src/explore/subject.ts';

const subjectOf = (path: string, setting: Setting): Subject =>
  new Subject(`litmus/${path}.yaml`, readLitmus(`litmus/${path}.yaml`), setting);

let board: ThreadBoard | undefined;
afterEach(async () => {
  await board?.close();
  board = undefined;
});

const CASES: readonly (readonly [string, Setting])[] = [
  ['1-fault/R2-cleared-entry-comes-back', { paging: 'pae', discipline: 'lock-free', defects: [] }],
  ['4-switch/one-slot', { paging: 'nonpae', discipline: 'guest-lock', defects: [] }],
  ['6-switcher/R13-three-cpus', { paging: 'nonpae', discipline: 'pgdir-lock', defects: [] }],
  [
    '1-fault/store-buffering',
    { paging: 'nonpae', discipline: 'lock-free', defects: [], memory: 'tso' },
  ],
];

describe.each(CASES)('%s', (path, setting) => {
  test.each(['random', 'pct-3', 'pos'])('%s', async (name) => {
    const subject = subjectOf(path, setting);
    board = await bootThreads(subject);
    const strategy = STRATEGIES[name]!();
    for (let seed = 1; seed <= 6; seed++) {
      const inOne = subject.run(strategy, seed);
      const onThreads = subject.judged(await board.run(name, seed));
      expect(onThreads).toEqual(inOne);
    }
  });
});

test.each(['R2', 'R9', 'R7'] as const)('a failure found with %s is repeated', async (id) => {
  const path = {
    R2: '1-fault/R2-cleared-entry-comes-back',
    R9: '6-switcher/R9-same-cpu-another-vcpu',
    R7: '5-flush/R7-clear-all-repairs-one',
  }[id];
  const subject = subjectOf(path, { paging: 'nonpae', discipline: 'guest-lock', defects: [id] });
  const strategy = STRATEGIES['portfolio']!();
  let found = subject.run(strategy, 1);
  for (let seed = 2; found.ending === 'ok' && seed < 2000; seed++) {
    found = subject.run(strategy, seed);
  }
  expect(found.ending).not.toBe('ok');
  board = await bootThreads(subject);
  for (let time = 0; time < 3; time++) {
    expect(subject.judged(await board.run(found.run.decisions, 0))).toEqual(found);
  }
});

test('refuses a strategy that cannot be moved between threads', async () => {
  const subject = subjectOf(...CASES[0]!);
  board = await bootThreads(subject);
  await expect(board.run('surw', 1)).rejects.toThrow(/surw has too much state.*pct-1 to pct-5/);
});

test('reports decisions of another run', async () => {
  const subject = subjectOf(...CASES[0]!);
  const { decisions } = subject.run(STRATEGIES['random']!(), 2).run;
  board = await bootThreads(subject);
  const switches = decisions.turns.map((n, i) => (i === 20 ? n + 1 : n));
  await expect(board.run({ ...decisions, turns: switches }, 0)).rejects.toThrow(
    /at step \d+: CPU \d/,
  );
});
