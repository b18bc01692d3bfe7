/** The page of a player: one file that opens from disk, and without scripts is the story. */

import { counted } from '../../numbers.ts';
import { escaped } from '../page/escaped.ts';
import { htmlPage } from '../page/html.ts';
import { carriedScript } from '../page/script.ts';
import type { PlayerData } from './data.ts';
import { findingsHtml, storyTable } from './story-table.ts';
import { PAGE_STYLE, PLAYER_STYLE } from './style.ts';

/** `again`: the command that tells the same story. */
export function playerPage(data: PlayerData, again: string): string {
  const { story } = data.tracks[0];
  const { title, about, setting, ending, good, steps, told, turns } = story;
  return htmlPage({
    title: `${title}: a schedule of umbra`,
    style: PAGE_STYLE + PLAYER_STYLE,
    body: `<header>
<h1>${escaped(title)}</h1>
<p class="${good ? 'good' : 'bad'}">${escaped(ending)}</p>
<p>${escaped(about)} <span class="setting">${escaped(setting)}</span></p>
</header>
<main>
${storyTable(story, data.parting)}
<p>${told} of ${steps} steps are shown; ${counted(turns, 'switch')}.</p>
${findingsHtml(story)}
<h2>Again</h2>
<p><code class="token">${escaped(again)}</code></p>
</main>
<script type="application/json">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>`,
    script: carriedScript('player/page-main'),
  });
}
