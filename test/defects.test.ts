/** The list of defects, and its page in docs. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ALL_DEFECTS, DEFECTS, sharesSwitcher, switchesFor } from '../src/defects.ts';

const page = readFileSync(new URL('../docs/defects.md', import.meta.url), 'utf8');

test.each(ALL_DEFECTS)('docs/defects.md has %s with its title and place, and its story', (id) => {
  const { title, where } = DEFECTS[id];
  expect(page).toContain(`\n| ${id} | ${title} | ${where} |\n`);
  expect(page).toContain(`\n**${id}: ${title}.** `);
});

test('docs/defects.md says of each defect of several vCPUs whether free running showed it', () => {
  const [, measured] = page.split('### What free running shows');
  for (const id of ALL_DEFECTS.filter((name) => name.startsWith('R'))) {
    expect(measured).toMatch(new RegExp(`\\n\\| ${id} \\| .*(run|runs)\\b`));
  }
});

test('without defects no vCPUs share the Switcher', () => {
  expect(sharesSwitcher(switchesFor([]))).toBe(false);
  expect(sharesSwitcher(switchesFor(ALL_DEFECTS))).toBe(true);
});
