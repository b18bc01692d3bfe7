/** The page of work that goes on, on its way to the report. */

import { escaped } from './escaped.ts';
import { htmlPage } from './html.ts';
import { type LivePage, liveSection } from './live-section.ts';
import { carriedScript } from './script.ts';
import { STYLE } from './style.ts';

/** The content that the page polls, to replace its own. */
export const liveNow = (live: LivePage): string =>
  `<section aria-labelledby="live"><h2 ` +
  `id="live">${escaped(live.title)}</h2>\n${liveSection(live)}</section>`;

export const liveHtml = (live: LivePage): string =>
  htmlPage({
    title: `${live.title}, under way`,
    style: STYLE,
    script: carriedScript('page/live-keys'),
    asksServer: true,
    body: `<header><h1>umbra at work</h1>
<p class="hint">Brought up to date each second; the report comes in its place.
<output aria-live="polite"></output></p></header>
<main id="content">
${liveNow(live)}
</main>`,
  });
