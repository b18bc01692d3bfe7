/** A story as one HTML file that opens from disk: no scripts, nothing from elsewhere. */

import { escaped, htmlPage } from './page/html.ts';
import { FLAG_TEXTS, type Line, partText, type Story, type Told } from './story.ts';

/** `again`: the command that tells the same story. */
export function storyHtml(story: Story, again: string): string {
  const { title, about, setting, ending, good, findings, columns, lines } = story;
  const heads = columns.map((name) => `<th scope="col">${escaped(name)}</th>`).join('');
  return htmlPage({
    title: `${title}: a schedule of umbra`,
    style: STYLE,
    body: `<main>
<h1>${escaped(title)}</h1>
<p>${escaped(about)}</p>
<dl>
<dt>Setting</dt><dd>${escaped(setting)}</dd>
<dt>End</dt><dd class="${good ? 'good' : 'bad'}">${escaped(ending)}</dd>
<dt>Steps</dt><dd>${story.told} told of ${story.steps}; the turn passes ${story.turns} times</dd>
<dt>Again</dt><dd><code>${escaped(again)}</code></dd>
</dl>
${findings.length === 0 ? '' : `<h2>What went wrong</h2>\n<ul>${findings.map(({ text }) => `<li>${escaped(text)}</li>`).join('\n')}</ul>\n`}<table>
<caption>What each CPU did, from top to bottom as time goes on. A step names what it accesses,
what was there and what is there afterwards, and where in the source it is made.</caption>
<thead><tr><th scope="col">Step</th>${heads}</tr></thead>
<tbody>
${lines.map((line) => row(line, columns.length)).join('\n')}
</tbody>
</table>
</main>`,
  });
}

function row(line: Line, columns: number): string {
  const head = line.kind === 'step' ? `<th scope="row">${line.step}</th>` : '<td></td>';
  const cells = Array.from({ length: columns }, (_, column) =>
    column === line.column ? cell(line) : '<td></td>',
  );
  const flagged = line.kind === 'step' && line.flags.length > 0 ? ' flagged' : '';
  const id = line.kind === 'step' ? ` id="step-${line.step}"` : '';
  return `<tr class="${line.kind}${flagged}"${id}>${head}${cells.join('')}</tr>`;
}

const cell = (line: Line): string =>
  line.kind === 'step' ? stepCell(line) : `<td>${escaped(line.text)}</td>`;

function stepCell(step: Told): string {
  const { part, name, does, place, before, after, locks, source, code, flags } = step;
  const parts = flags.map((flag) => `<strong>${escaped(FLAG_TEXTS[flag])}</strong>`);
  parts.push(`<p>${escaped(does)} <b>${escaped(place)}</b></p>`);
  if (after !== undefined) {
    const change = `<del>${escaped(before)}</del> → <ins>${escaped(after)}</ins>`;
    parts.push(`<p>${change}</p>`);
  } else if (before !== '') {
    parts.push(`<p>${escaped(before)}</p>`);
  }
  if (locks.length > 0) parts.push(`<p>holding ${escaped(locks.join(', '))}</p>`);
  const where = source === '' ? '' : `: ${name}, ${source}`;
  parts.push(`<p class="where">${escaped(partText(part) + where)}</p>`);
  if (code !== '') parts.push(`<pre><code>${escaped(code)}</code></pre>`);
  return `<td>${parts.join('')}</td>`;
}

/** Readable on dark and on light, and on paper; what is flagged has a border and words, too. */
const STYLE = `
:root { --mark: #eef1f5; --bad: #a8071a; --flag: #fff1f0; --blue: #0b4f9e; }
@media (prefers-color-scheme: dark) {
  :root { --mark: #20252b; --bad: #ff9c94; --flag: #3a1d1d; --blue: #8ec1ff; }
}
body { margin: 0; color: var(--ink); background: var(--paper);
  font: 16px/1.45 system-ui, sans-serif; }
main { max-width: 90rem; margin: 0 auto; padding: 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
.bad { color: var(--bad); font-weight: bold; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
caption { text-align: left; color: var(--faint); padding: .5rem 0; }
thead th { position: sticky; top: 0; background: var(--paper); text-align: left; }
th:first-child, tr > :first-child { width: 4rem; text-align: right; }
th, td { padding: .25rem .6rem; vertical-align: top; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
tbody th { color: var(--faint); font-weight: normal; }
td p { margin: 0; }
td pre { margin: .2rem 0 0; white-space: pre-wrap; }
code { font: 13px/1.4 ui-monospace, monospace; }
.where, .event td, .turn td { color: var(--faint); }
.operation td, .migration td { color: var(--blue); font-weight: bold; background: var(--mark); }
.turn td { font-style: italic; border-bottom-style: dashed; }
.flagged td:not(:empty) { background: var(--flag); border: 2px solid var(--bad); }
.flagged strong { display: block; color: var(--bad); }
del { text-decoration-thickness: 1px; }
ins { text-decoration: none; font-weight: bold; }
@media print {
  :root { --mark: #eee; --bad: #000; --flag: #fff; --blue: #000; }
  tr { break-inside: avoid; }
  thead th { position: static; }
}
`;
