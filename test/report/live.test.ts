/** The page of work in progress shows its figures' names as text. */

import { parseHTML } from 'linkedom';
import { expect, test } from 'vitest';
import { liveHtml } from '../../src/report/page/live.ts';
import type { LivePage } from '../../src/report/page/live-section.ts';
import { reportHtml } from '../../src/report/page/report.ts';
import { MARKUP } from '../markup.ts';

const live: LivePage = {
  title: MARKUP,
  state: MARKUP,
  advance: { done: 3, all: 9, unit: MARKUP, rate: 1.5, eta: MARKUP, failures: 1 },
  facts: [[MARKUP, MARKUP]],
  failed: [{ of: MARKUP, says: MARKUP, again: MARKUP }],
  tables: [{ caption: MARKUP, head: [MARKUP], rows: [[MARKUP]] }],
};

test.each([
  ['under way', liveHtml(live)],
  ['as a report', reportHtml([{ name: MARKUP, kind: 'live', live }])],
])('%s', (_, html) => {
  const { document } = parseHTML(html);
  expect(document.querySelector('h2')!.textContent).toBe(MARKUP);
  expect(document.querySelectorAll('img, svg, [onload], [onerror]')).toHaveLength(0);
  expect(document.querySelectorAll('script').length).toBeLessThan(2);
  const names = [...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames());
  expect(names.filter((name) => !/^[a-z][a-z-]*$/.test(name))).toEqual([]);
});
