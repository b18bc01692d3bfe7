/** The frame of every page that umbra writes: one file that opens from disk, with nothing from elsewhere. */

import { COLOURS } from '../drawing.ts';

export interface Page {
  readonly title: string;
  readonly style: string;
  /** What is in the page's body, as HTML. */
  readonly body: string;
  /** Its source; the page says all that it has to say without it, too. */
  readonly script?: string;
  /** It is written anew all the time: to be loaded again after so many seconds. */
  readonly refresh?: number;
}

export function htmlPage({ title, style, body, script, refresh }: Page): string {
  const own = script === undefined ? '' : `<script type="module">\n${script}</script>\n`;
  const anew = refresh === undefined ? '' : `<meta http-equiv="refresh" content="${refresh}">\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${anew}<title>${escaped(title)}</title>
<style>${COLOURS}\n${style}</style>
</head>
<body>
${body}
${own}</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

export const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => ENTITIES[sign]!);
