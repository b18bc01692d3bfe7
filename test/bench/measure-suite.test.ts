/** Failing lines and sweeps are reported, and the others are measured. */

import { expect, test, vi } from 'vitest';
import { type Listener, measureSuite } from '../../bench/measure-suite.ts';
import { selected } from '../../bench/selection.ts';

test('a line and a sweep that fail are reported, and the ones after them are measured', async () => {
  const { parts } = selected('shared word, load, 64 bits');
  const [{ name, lines }] = parts as [(typeof parts)[number]];
  const sweep = selected('boot by guest memory').sweeps[0]!;
  const selection = {
    parts: [{ name, lines: [{ ...lines[0]!, name: 'gone' }, ...lines] }],
    sweeps: [{ ...sweep, sizes: [15, 1024] }],
    memory: false,
  };
  const nothing = (): void => {};
  const failed = vi.fn<Listener['failed']>();
  const listener = { begin: nothing, line: nothing, sweep: nothing, memory: nothing, failed };
  const { signal } = new AbortController();
  const result = await measureSuite(selection, { isolates: 2, signal, listener });
  expect(result.lines.map((line) => line.name)).toEqual(lines.map((line) => line.name));
  expect(result.failed).toEqual([
    { name: 'gone', reason: "there is no line 'gone'" },
    {
      name: sweep.name,
      reason: expect.stringContaining('expected at most 261120 pages (1020 MiB)'),
    },
  ]);
  expect(failed.mock.calls).toEqual(result.failed.map((failure) => [failure]));
});
