/** The timeline of a report: what is drawn of which stretch of time. */

import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { type TimelineData, timelineSvg } from '../../src/report/page/timeline-view.ts';

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
  faults: [[[4000, 500, 1]], []],
  waits: [[], [[2000, 100]]],
  migrations: [[0, 0, 4000, 1, 6000]],
  span: 10_000,
};

const drawn = (from: number, to: number) =>
  parseHTML(`<html><body>${timelineSvg(data, from, to)}</body></html>`).document;

test('vCPUs with long names can be told apart', () => {
  const names = [...drawn(0, 10_000).querySelectorAll('text')].map(
    ({ textContent }) => textContent,
  );
  expect(names).toEqual(
    expect.arrayContaining(['a-program-… vCPU 0', 'a-program-… vCPU 1', 'ls vCPU 0']),
  );
});

test('shows what reaches into the time that is looked at, on host CPUs and on vCPUs', () => {
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

test('needs no name in the page, of which there may be several', () => {
  expect(drawn(0, 10_000).querySelectorAll('[id]')).toHaveLength(0);
});
