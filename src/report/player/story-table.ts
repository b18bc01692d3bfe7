/** A story as a table: a column for each host CPU, time downward. */

import { escaped } from '../page/escaped.ts';
import { FLAG_TEXTS, type Line, partText, type Story, type Told } from '../story.ts';

/** `parting`: the step from which on a schedule beside it goes another way. */
export function storyTable({ columns, lines }: Story, parting?: number): string {
  const heads = columns.map((name) => `<th scope="col">${escaped(name)}</th>`).join('');
  const rows = lines.map((line) => row(line, columns.length));
  const parts = partingLine(lines, parting);
  if (parts >= 0) rows.splice(parts, 0, partingRow(columns.length));
  return `<table class="story">
<caption>What each CPU did, from top to bottom as time goes on. A step names what it accesses,
what was there and what is there afterwards, and where in the source it is made.</caption>
<thead><tr><th scope="col">Step</th>${heads}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
}

/** Behind the last step that the two share. */
function partingLine(lines: readonly Line[], parting: number | undefined): number {
  if (parting === undefined) return -1;
  return lines.findLastIndex((line) => line.kind === 'step' && line.step < parting) + 1;
}

const partingRow = (columns: number): string =>
  `<tr class="parting"><td></td><td colspan="${columns}">here the two schedules part</td></tr>`;

function row(line: Line, columns: number): string {
  const isStep = line.kind === 'step';
  const head = isStep ? `<th scope="row">${line.step}</th>` : '<td></td>';
  const cells = Array.from({ length: columns }, (_, column) =>
    column === line.column ? cell(line) : '<td></td>',
  );
  const flagged = isStep && line.flags.length > 0 ? ' flagged' : '';
  const which = isStep ? ` data-step="${line.step}"` : '';
  return `<tr class="${line.kind}${flagged}"${which}>${head}${cells.join('')}</tr>`;
}

const cell = (line: Line): string =>
  line.kind === 'step' ? stepCell(line) : `<td>${escaped(line.text)}</td>`;

function stepCell(step: Told): string {
  const { part, name, does, place, before, after, locks, source, code, flags } = step;
  const parts = flags.map((flag) => `<strong>${escaped(FLAG_TEXTS[flag])}</strong>`);
  parts.push(`<p>${escaped(does)} <b>${escaped(place)}</b></p>`);
  const change = changeHtml(before, after);
  if (change !== '') parts.push(`<p>${change}</p>`);
  if (locks.length > 0) parts.push(`<p>holding ${escaped(locks.join(', '))}</p>`);
  const where = source === '' ? '' : `: ${name}, ${source}`;
  parts.push(`<p class="where">${escaped(partText(part) + where)}</p>`);
  if (code !== '') parts.push(`<pre><code>${escaped(code)}</code></pre>`);
  return `<td>${parts.join('')}</td>`;
}

/** A value that was there, and the one that came; `after` undefined: nothing was written. */
export function changeHtml(before: string, after: string | undefined): string {
  if (after === undefined) return escaped(before);
  return `<del>${escaped(before)}</del> → <ins>${escaped(after)}</ins>`;
}

/** Where it broke and the accesses to blame, in sentences; '' for none. */
export function findingsHtml({ findings }: Story): string {
  if (findings.length === 0) return '';
  const items = findings.map(({ text }) => `<li>${escaped(text)}</li>`).join('\n');
  return `<h2>What went wrong</h2>\n<ul>${items}</ul>`;
}
