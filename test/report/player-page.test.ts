/** The player's page without its script: a complete story. */

import { describe, expect, test } from 'vitest';
import type { PlayerData } from '../../src/report/player/data.ts';
import { playerPage } from '../../src/report/player/page.ts';
import type { Story } from '../../src/report/story.ts';
import { STORY } from './story.ts';

const dataOf = (story: Story): PlayerData => ({
  schema_version: 1,
  tracks: [
    {
      story,
      texts: [],
      places: [],
      steps: [],
      marks: [],
      machine: { sections: [], lines: [], first: [], changes: [] },
    },
  ],
  sources: {},
});

const page = playerPage(dataOf(STORY), 'umbra replay umbra1.abc --story');
/** Without its scripts. */
const html = page.replaceAll(/<script.*?<\/script>/gs, '');

const VOID = new Set(['meta']);

/** Unclosed tags, and end tags without a start. */
function unbalanced(text: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, closes, name] of text.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
    if (closes) {
      if (open.pop() !== name) wrong.push(`</${name}>`);
    } else if (!VOID.has(name!)) open.push(name!);
  }
  return [...wrong, ...open];
}

test('it is well-formed, and its texts are escaped', () => {
  expect(html.startsWith('<!doctype html>\n<html lang="en">')).toBe(true);
  expect(unbalanced(html)).toEqual([]);
  expect(html).toContain('an entry stays &lt;cleared&gt; &amp; gone');
  expect(html).toContain('&quot;it&quot; came back');
  expect(html).not.toContain('<cleared>');
});

test('it loads no other file', () => {
  expect(page).not.toMatch(/<link|<img|\bsrc=|\bhref=|url\(|^import |https?:/m);
});

describe('its table', () => {
  const body = /<tbody>\n(.*)\n<\/tbody>/s.exec(html)![1]!;
  const rows = body.split('\n');

  test('has a caption, and a header for each column', () => {
    expect(html).toMatch(/<table class="story">\s*<caption>[^<]+<\/caption>/);
    for (const name of ['Step', ...STORY.columns]) {
      expect(html).toContain(`<th scope="col">${name}</th>`);
    }
  });

  test('has a row for each line, a cell for each column, and a header for each step', () => {
    expect(rows.length).toBe(STORY.lines.length);
    for (const [i, row] of rows.entries()) {
      expect(row.match(/<t[dh]\b/g)?.length).toBe(1 + STORY.columns.length);
      expect(row.includes('<th scope="row">')).toBe(STORY.lines[i]!.kind === 'step');
    }
  });

  test('states the failure as text, not by a colour alone', () => {
    expect(body.match(/<strong>to blame: the first of two<\/strong>/g)).toHaveLength(1);
    expect(body.match(/<strong>here it breaks<\/strong>/g)).toHaveLength(1);
  });

  test('shows the source line', () => {
    expect(rows[1]).toContain('<pre><code>: lgreadEntry(cpu, gptePtr);</code></pre>');
    expect(rows[1]).toContain('i fault: tryDemandPage, src/paging/fault.ts:82');
  });
});

test('has styles for dark, for light and for paper', () => {
  expect(html).toContain('@media (prefers-color-scheme: dark)');
  expect(html).toContain('@media print');
});

test('a run that ends well has no list of failures', () => {
  const good = playerPage(dataOf({ ...STORY, good: true, findings: [] }), 'umbra').replaceAll(
    /<script.*?<\/script>/gs,
    '',
  );
  expect(good).not.toContain('What went wrong');
  expect(unbalanced(good)).toEqual([]);
});
