/** The timeline of a report: its drawing of a stretch of time. */

import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import {
  countedIn,
  nowIn,
  overviewSvg,
  type TimelineData,
  timelineSvg,
  toldIn,
} from '../../src/report/page/timeline-view.ts';

const data: TimelineData = {
  vcpus: [
    { name: 'a-program-with-a-long-name vCPU 0', colour: 0 },
    { name: 'a-program-with-a-long-name vCPU 1', colour: 1 },
    { name: 'ls vCPU 0', colour: 2 },
  ],
  runs: [
    [
      [0, 4000, 0],
      [5000, 5000, 2],
    ],
    [[0, 10_000, 1]],
  ],
  faults: [[[4000, 500, 1, 0x0804_a000, 0]], []],
  waits: [[], [[2000, 100]]],
  migrations: [[0, 0, 4000, 1, 6000]],
  marks: [[9000, 1, 'the host died on CPU 1: a reason']],
  span: 10_000,
};

const drawn = (from: number, to: number, width = 1000, more = {}) =>
  parseHTML(`<html><body>${timelineSvg(data, { from, to, width, ...more })}</body></html>`)
    .document;

test('vCPUs with long names can be told apart', () => {
  const names = [...drawn(0, 10_000).querySelectorAll('text')].map(
    ({ textContent }) => textContent,
  );
  expect(names).toEqual(
    expect.arrayContaining(['a-program-wi… v0', 'a-program-wi… v1', 'ls vCPU 0']),
  );
});

test('shows what overlaps the stretch, on host CPUs and on vCPUs', () => {
  const titles = [...drawn(4600, 4900).querySelectorAll('title')].map(
    ({ textContent }) => textContent,
  );
  expect(new Set(titles)).toEqual(
    new Set(['a-program-with-a-long-name vCPU 1 on host CPU 1, 0 µs to 1 ms']),
  );
  expect(drawn(4600, 4900).querySelectorAll('.moves')).toHaveLength(1);
  expect(drawn(4000, 4100).querySelectorAll('.passed-on')).toHaveLength(1);
  expect(drawn(7000, 9000).querySelectorAll('.moves, .passed-on, .waits')).toHaveLength(0);
});

test('uses no ids, since a page may have several', () => {
  expect(drawn(0, 10_000).querySelectorAll('[id]')).toHaveLength(0);
});

test('marks the cause of death at its time', () => {
  const [mark] = drawn(8000, 10_000).querySelectorAll('.mark');
  expect(mark?.textContent).toBe('the host died on CPU 1: a reason, at 900 µs');
  expect(drawn(0, 8000).querySelectorAll('.mark')).toHaveLength(0);
});

test('draws the cursor and the selection at their times', () => {
  const look = { cursor: 5000, selection: [6000, 4000] };
  const document = drawn(0, 10_000, 1000, look);
  const gutter = 130;
  const at = (share: number): string => String(gutter + share * (1000 - gutter));
  expect(document.querySelector('.cursor')?.getAttribute('x1')).toBe(at(0.5));
  expect(document.querySelector('.selection')?.getAttribute('x')).toBe(at(0.4));
  expect(countedIn(data, [6000, 4000])).toBe('200 µs: 1 faults, 1 migrations, 0 waits');
  expect(nowIn(data, 4500)).toBe(
    'CPU 0: out of any guest, CPU 1: a-program-with-a-long-name vCPU 1',
  );
});

test("in a narrow page it has the page's width, with text of the usual size", () => {
  const svg = drawn(0, 10_000, 360).querySelector('svg')!;
  expect(svg.getAttribute('viewBox')).toMatch(/^0 0 360 /);
  const ticks = [...svg.querySelectorAll('.tick')];
  expect(ticks.length).toBeGreaterThan(1);
  expect(ticks.length).toBeLessThan(5);
});

test('the strip shows the whole run, with the visible stretch framed', () => {
  const { document } = parseHTML(
    `<html><body>${overviewSvg(data, { from: 2500, to: 5000, width: 1000 })}</body></html>`,
  );
  const frame = document.querySelector('.window')!;
  expect(Number(frame.getAttribute('x'))).toBe(130 + 870 / 4);
  expect(Number(frame.getAttribute('width'))).toBe(870 / 4);
  expect(document.querySelectorAll('.fixed')).toHaveLength(1);
  expect(document.querySelectorAll('.mark')).toHaveLength(1);
});

test('events to search are listed in the order of their times', () => {
  expect(toldIn(data).map(({ at, what }) => `${at} ${what}`)).toEqual([
    '2000 wait of 10 µs on host CPU 1',
    '4000 fault at 0x0804a000 passed on, a-program-with-a-long-name vCPU 0 on host CPU 0',
    '6000 migration of a-program-with-a-long-name vCPU 0 from host CPU 0 to 1',
    '9000 the host died on CPU 1: a reason',
  ]);
});
