/** A machine as `umbra inspect` shows it, with what has changed since another look. */

import { html, type TemplateResult } from 'lit-html';
import { grouped } from '../../numbers.ts';
import type { Section } from '../../report/inspection.ts';

/** Of a long section; tables of a busy guest have thousands. */
const MOST_LINES = 60;

export function sectionsTemplate(
  sections: readonly Section[],
  before: readonly Section[],
): TemplateResult {
  return html`<div class="sheets">${sections.map((section) => {
    const old = before.find(({ title }) => title === section.title);
    const texts = new Map(old?.lines.map(({ key, text }) => [key, text]));
    const shown = section.lines.slice(0, MOST_LINES);
    const more = section.lines.length - shown.length;
    return html`<article class="sheet" tabindex="0" aria-label=${section.title}>
      <h3>${section.title}</h3>
      <ul>${shown.map(({ key, depth, text }) => {
        const isNew = old !== undefined && texts.get(key) !== text;
        return html`<li class=${isNew ? 'changed' : ''} style="--depth: ${depth}">${text}</li>`;
      })}${
        more > 0 ? html`<li class="faint">and ${grouped(more)} more lines</li>` : ''
      }</ul></article>`;
  })}</div>`;
}
