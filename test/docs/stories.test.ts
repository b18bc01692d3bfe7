/**
 * The stories in docs/stories.md are what umbra tells: the same break, and the same two to
 * blame, whatever the numbers are by now. TELL=1 writes them anew.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { DefectId } from '../../shared/defects.ts';
import type { DisciplineName } from '../../shared/discipline.ts';
import type { PagingName } from '../../shared/entry.ts';
import { shrink } from '../../src/explore/shrink/shrink.ts';
import { tellStory } from '../../src/explore/story/tell.ts';
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

test('there are three', () => {
  expect(stories.map(({ defect }) => defect)).toEqual(['R2', 'R9', 'R10']);
});

/** What is the matter with which step, and who makes it where: numbers of lines and steps aside. */
function flagged(story: string): string[] {
  const cells = story.replace(/\n {6,}(?=\S)/g, ' ').replace(/ +/g, ' ');
  return Array.from(cells.matchAll(/^ ?\d+ !!! (.*)$/gm), ([, text]) => text!.replace(/:\d+/g, ''));
}

test.each(stories)('of $defect', { timeout: 120_000 }, async (story) => {
  const { path, defect, discipline, paging } = story;
  const { subject, failing } = find(path, defect, discipline, paging);
  const small = await shrink(subject, failing);
  const now = tellStory(small.subject, small.result, { passing: small.passing });
  const text = storyText(now, { columns: 100, colours: false });
  if (process.env['TELL']) {
    const whole = readFileSync(FILE, 'utf8');
    writeFileSync(
      FILE,
      whole.replace(STORY, (block, ...[, of]) =>
        of === defect ? block.replace(/```\n[^`]*```/, () => `\`\`\`\n${text}\`\`\``) : block,
      ),
    );
    return;
  }
  expect(flagged(story.told).length).toBeGreaterThan(0);
  expect(flagged(story.told)).toEqual(flagged(text));
});
