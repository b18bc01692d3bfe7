/** The part of the player that does not change from step to step. */

import { escaped } from '../page/escaped.ts';
import type { PlayerData } from './data.ts';
import { lanesSvg, namesHtml } from './lanes.ts';
import { findingsHtml, storyTable } from './story-table.ts';
import type { Track } from './track.ts';

const BUTTONS = [
  ['first', '|◀', 'First step (Home)'],
  ['story-back', '◀◀', 'Back in the story (Shift and ←)'],
  ['back', '◀', 'One step back (←)'],
  ['on', '▶', 'One step forward (→)'],
  ['story-on', '▶▶', 'Forward in the story (Shift and →)'],
  ['last', '▶|', 'Last step (End)'],
  ['break', 'To the break', 'To the break (B)'],
] as const;

const OTHER = ['other', 'Other schedule', 'Other schedule (O)'] as const;

export const ACTION_BY_KEY: Readonly<Record<string, string>> = {
  ArrowLeft: 'back',
  ArrowRight: 'on',
  'Shift+ArrowLeft': 'story-back',
  'Shift+ArrowRight': 'story-on',
  Home: 'first',
  End: 'last',
  b: 'break',
  o: 'other',
};

export function frameHtml(tracks: readonly Track[], data: PlayerData): string {
  const buttons = tracks.length > 1 ? [...BUTTONS, OTHER] : BUTTONS;
  return `<div class="player" tabindex="-1">
<div class="bar">
<div class="lanes">${namesHtml(tracks)}<div class="strip">
${lanesSvg(tracks, data)}
<input type="range" min="0" step="1" aria-label="Step">
<div class="flags"></div>
</div></div>
<div class="controls" role="group" aria-label="Step through the schedule">
${buttons.map(([value, sign, name]) => buttonHtml(value, sign, name)).join('\n')}
<span class="beside"></span>
</div>
<output aria-live="polite"></output>
</div>
<div class="cpus"></div>
<div class="panes">
${tracks.map((track, which) => taleHtml(track, which, data)).join('\n')}
<div class="pane machine" tabindex="0" role="group" aria-label="Machine"></div>
</div>
</div>`;
}

const buttonHtml = (value: string, sign: string, name: string): string =>
  `<button type="button" value="${value}" title="${name}" aria-label="${name}">${sign}</button>`;

/** The story, and at its end what went wrong and the token. */
function taleHtml({ data: { story, token } }: Track, which: number, data: PlayerData): string {
  const name = which === 0 ? 'Story' : 'Story of the schedule that passes';
  const schedule =
    token === undefined
      ? ''
      : `<h2>The schedule</h2>
<p><button type="button" value="copy">Copy the token</button>
<span class="copied" role="status"></span></p>
<p><code class="token">${escaped(token)}</code></p>`;
  const pane = `tabindex="0" role="group" aria-label="${name}"`;
  return `<div class="pane tale" data-which="${which}" ${pane}>
${storyTable(story, data.parting)}
${findingsHtml(story)}
${schedule}
</div>`;
}
