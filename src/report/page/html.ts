/**
 * The frame of every page that umbra writes: one file that opens from disk, with nothing from
 * elsewhere.
 */

import { createHash } from 'node:crypto';
import { COLOURS } from '../colours.ts';
import { escaped } from './escaped.ts';

export interface Page {
  readonly title: string;
  readonly style: string;
  /** The page's body, as HTML. */
  readonly body: string;
  /** Its source; the page says all that it has to say without it, too. */
  readonly script?: string;
  /** It is written anew all the time: to be loaded again after so many seconds. */
  readonly refresh?: number;
  /** Its script connects to its own server only. */
  readonly asksServer?: boolean;
}

export function htmlPage(page: Page): string {
  const { title, style, body, script, refresh } = page;
  const own = script === undefined ? '' : `<script type="module">\n${script}</script>\n`;
  const anew = refresh === undefined ? '' : `<meta http-equiv="refresh" content="${refresh}">\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policyOf(page)}">
${anew}<title>${escaped(title)}</title>
<style>${COLOURS}\n${style}</style>
</head>
<body>
${body}
${own}</body>
</html>
`;
}

/** The content security policy: the page loads and runs only itself, no injected script. */
function policyOf({ script, asksServer = false }: Page): string {
  const hash = createHash('sha256').update(`\n${script}`).digest('base64');
  const own = script === undefined ? "'none'" : `'sha256-${hash}'`;
  const asks = asksServer ? "'self'" : "'none'";
  return (
    `default-src 'none'; style-src 'unsafe-inline'; script-src ${own}; connect-src ${asks}; ` +
    "base-uri 'none'; form-action 'none'"
  );
}
