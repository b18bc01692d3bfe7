/**
 * The stories in docs/stories.md are umbra's output verbatim, but for source lines, which the page
 * leaves out since they move with every change. TELL=1 rewrites them.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { DisciplineName } from '../../shared/discipline.ts';
import type { DefectId } from '../../src/defects.ts';
import { shrink } from '../../src/explore/shrink/shrink.ts';
import { tellStory } from '../../src/explore/story/tell.ts';
import type { PagingName } from '../../src/hardware/entry.ts';
import type { Story } from '../../src/report/story.ts';
import { storyText } from '../../src/report/story-text.ts';
import { find } from '../explore/story/found.ts';

const FILE = 'docs/stories.md';
const STORY = /<!-- story of (\S+) (\S+) (\S+) (\S+) -->\n```\n([^`]*)```/g;

const stories = Array.from(
  readFileSync(FILE, 'utf8').matchAll(STORY),
  ([, path, defect, discipline, paging, told]) => ({
    path: path!,
    defect: defect as DefectId,
    discipline: discipline as DisciplineName,
    paging: paging as PagingName,
    told: told!,
  }),
);

test('the page has four stories', () => {
  expect(stories.map(({ defect }) => defect)).toEqual(['R2', 'R9', 'R10', 'R17']);
});

/** Compared before the text is wrapped: where it wraps would depend on the digits. */
const withoutLines = (story: Story): Story =>
  JSON.parse(JSON.stringify(story).replace(/\.ts:\d+/g, '.ts'));

test.each(stories)('of $defect', { timeout: 120_000 }, async (story) => {
  const { path, defect, discipline, paging } = story;
  const { subject, failing } = find(path, defect, discipline, paging);
  const small = await shrink(subject, failing);
  const now = tellStory(small.subject, small.result, { passing: small.passing });
  const text = storyText(withoutLines(now), { columns: 100, colours: false });
  expect(text).toMatch(/!!! here it breaks[\s\S]*To blame: /);
  if (process.env['TELL']) {
    const whole = readFileSync(FILE, 'utf8');
    writeFileSync(
      FILE,
      whole.replace(STORY, (block, ...[, of]) =>
        of === defect ? block.replace(/```\n[^`]*```/, () => `\`\`\`\n${text}\`\`\``) : block,
      ),
    );
  }
  expect(
    process.env['TELL'] ? text : story.told,
    'TELL=1 npx vitest run test/docs/stories.test.ts writes it anew',
  ).toBe(text);
});
