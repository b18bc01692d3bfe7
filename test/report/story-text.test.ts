/** The text of a story at a terminal, wide and narrow, and in a pipe. */

import { expect, test } from 'vitest';
import { storyText } from '../../src/report/story-text.ts';
import { STORY } from './story.ts';

const plain = (columns: number): string => storyText(STORY, { columns, colours: false });

test('a column for each CPU, time downward', () => {
  expect(plain(100)).toBe(`an entry stays <cleared> & gone (lock-free, nonpae, with R2)
One vCPU reads a page while the other takes it away.
3 of 685 steps are shown; 2 switches.

 step CPU 0                                           CPU 1
      === vCPU 0: load 0x00400000 -> r0
    7 reads guest pte of 0x00400000 in A
        page 0x20 rw user
        i fault: tryDemandPage,
          src/paging/fault.ts:82

                                                      --- switch to CPU 1 ---
                                                      >>> vCPU 1 continues here, from CPU 0
  229                                                 !!! to blame: the first of two
                                                      writes guest pte of 0x00400000 in A
                                                        page 0x20 rw user -> none
                                                        iii set: changeSpte, src/paging/fault.ts:82
                                                        holding lock of pgdir 1

      --- switch to CPU 0 ---
  269 !!! here it breaks
      !!! to blame: the second of two
      writes guest pte of 0x00400000 in A
        none -> page 0x20 rw user accessed
        i fault: tryDemandPage,
          src/paging/fault.ts:82
      - vCPU 0: the fault at 0x00400000 is fixed

violation: forbidden: "it" came back
It breaks at step 269.
To blame: step 229; then step 269.
`);
});

test.each([40, 60, 80, 100, 200])('no line is longer than a terminal of %d columns', (columns) => {
  const lines = plain(columns).split('\n');
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(columns);
  expect(lines.filter((line) => line !== line.trimEnd())).toEqual([]);
});

test('where two columns do not fit, each line names its CPU', () => {
  const text = plain(60);
  expect(text).toContain('\n    7 CPU 0: reads guest pte of 0x00400000 in A\n');
  expect(text).toContain('\n  229 CPU 1: !!! to blame: the first of two\n');
});

test('a word longer than a column is cut', () => {
  const story = {
    ...STORY,
    lines: [{ ...STORY.lines[0]!, text: 'x'.repeat(500) }],
  } as typeof STORY;
  const lines = storyText(story, { columns: 100, colours: false }).split('\n');
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
  expect(lines.join('\n')).toContain('xxx...');
});

test('colours add no other text', () => {
  const coloured = storyText(STORY, { columns: 100, colours: true });
  expect(coloured).not.toBe(plain(100));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
  expect(coloured.replace(/\x1b\[[\d;]*m/g, '')).toBe(plain(100));
});

test('in a pipe it is plain ASCII', () => {
  expect(plain(100)).toMatch(/^[\x20-\x7e\n]*$/);
});
