/** Checks, when the tests of a file have passed, that each `expect` has run (every-expect.ts). */

import { afterAll, afterEach, expect, type RunnerTestCase, type RunnerTestSuite } from 'vitest';

let lines: readonly number[] = [];
const ran = new Set<number>();

/** `$e[7]` is `expect`, and records that the file's eighth has run. */
const marking = new Proxy(expect, {
  get(_, index) {
    ran.add(Number(index));
    return expect;
  },
  set(_, __, all) {
    lines = all;
    return true;
  },
});
Object.assign(globalThis, { $e: marking });

const casesOf = ({ tasks }: RunnerTestSuite): RunnerTestCase[] =>
  tasks.flatMap((task) => (task.type === 'suite' ? casesOf(task) : [task]));

let file: RunnerTestSuite | undefined;
afterEach(({ task }) => {
  file = task.file;
});

afterAll(() => {
  // Some were skipped, by a filter or for a missing program; or one failed and reports it itself.
  if (file === undefined || casesOf(file).some(({ result }) => result?.state !== 'pass')) return;
  const idle = lines.filter((_, i) => !ran.has(i));
  if (idle.length > 0) throw new Error(`never ran: the expect in line ${idle.join(', ')}`);
});
