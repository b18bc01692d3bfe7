/** Terms of docs/glossary.md, told in a page where they first stand, and in a list at its end. */

import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { escaped } from './escaped.ts';
import { folded } from './parts.ts';

/** The same place when built. */
const FILE = join(dirname(findPackageJSON(import.meta.url)!), 'docs/glossary.md');

export interface Term {
  readonly term: string;
  readonly meaning: string;
}

/** A row of the table may have several: `spte, gpte`. */
export const termsIn = (markdown: string): Term[] =>
  Array.from(markdown.matchAll(/^\| \*\*(.+?)\*\* \| (.+) \|$/gm), ([, names, meaning]) =>
    names!.split(', ').map((term) => ({ term, meaning: plain(meaning!) })),
  ).flat();

const plain = (markdown: string): string =>
  markdown.replaceAll(/\*|`/g, '').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');

let read: readonly Term[] | undefined;

const glossary = (): readonly Term[] => {
  read ??= termsIn(readFileSync(FILE, 'utf8'));
  return read;
};

/** Elements whose text is not explained. */
const LEFT_OUT = /^<(\/?)(script|style|svg|a|button|code|abbr|h1|h2|option|label|progress)\b/i;

/**
 * A page's content with each term explained where it is pointed at, the first time that it stands
 * in each section, and a list of those that there were.
 */
export function explained(html: string, terms = glossary()): string {
  const met = new Set<Term>();
  const sections = html.split(/(?=<section\b)/).map((part) => inSection(part, terms, met));
  if (met.size === 0) return html;
  const items = terms
    .filter((term) => met.has(term))
    .map(({ term, meaning }) => `<dt>${escaped(term)}</dt><dd>${escaped(meaning)}</dd>`);
  const list = folded(
    `Glossary: the ${items.length} terms of this page`,
    `<dl>${items.join('')}</dl>`,
  );
  return `${sections.join('')}\n<div class="glossary">${list}</div>`;
}

function inSection(html: string, terms: readonly Term[], met: Set<Term>): string {
  const left = new Map(terms.map((term) => [term.term.toLowerCase(), term]));
  const names = [...left.keys()].toSorted((a, b) => b.length - a.length).map(RegExp.escape);
  const any = new RegExp(`(?<![\\w-])(${names.join('|')})(s?)(?![\\w-])`, 'gi');
  let within = 0;
  return html
    .split(/(<[^>]+>)/)
    .map((part) => {
      const tag = LEFT_OUT.exec(part);
      if (tag !== null && !part.endsWith('/>')) within += tag[1] === '/' ? -1 : 1;
      if (within > 0 || part.startsWith('<')) return part;
      return part.replaceAll(any, (word, name: string) => {
        const term = left.get(name.toLowerCase());
        if (term === undefined) return word;
        left.delete(name.toLowerCase());
        met.add(term);
        return `<abbr title="${escaped(term.meaning)}">${word}</abbr>`;
      });
    })
    .join('');
}
