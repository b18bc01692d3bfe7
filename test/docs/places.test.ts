/** Files of the code named in pages and comments exist, and pages name no lines: lines move. */

import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const PAGES = globSync(['*.md', 'docs/**/*.md']);

const CODE = globSync('{src,shared,workers,bench}/**/*.ts');

const FILE =
  /(?<![\w./])(?:src|shared|workers|bench|test|litmus|scenarios)\/[\w/.*-]*\.(?:ts|c|h|yaml|umbra)\b/g;

const found = (pattern: RegExp, pages = PAGES): string[] =>
  pages.flatMap((page) =>
    Array.from(readFileSync(page, 'utf8').matchAll(pattern), ([it]) => `${page}: ${it}`),
  );

test('pages name files', () => {
  expect(PAGES.length).toBeGreaterThan(20);
  expect(found(FILE).length).toBeGreaterThan(20);
});

test('each file that a page or a comment names exists', () => {
  const named = found(FILE, [...PAGES, ...CODE]);
  const lost = named.filter((it) => globSync(it.split(': ')[1]!).length === 0);
  expect(lost).toEqual([]);
});

test('no page names a line', () => {
  expect(found(/[\w-]+\.(?:ts|js|c|h):\d+/g)).toEqual([]);
});
