/**
 * What sections of a report are made of: tables, figures with the same in words, and lists of
 * facts.
 */

import { significant } from '../../numbers.ts';
import { escaped } from './escaped.ts';

/** One run, or one thing about several, under a heading of its own. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly html: string;
}

export interface PageTable {
  readonly caption: string;
  readonly head: readonly string[];
  /** The first cell is the row's header. */
  readonly rows: readonly (readonly string[])[];
}

/** Figures stand to the right, so that their digits are below one another. */
export function table({ caption, head, rows }: PageTable): string {
  const isFigure = head.map((_, i) => rows.every((cells) => /^[-–\d<]|^$/.test(cells[i] ?? '')));
  const cell = (tag: string, i: number, text: string): string =>
    `<${tag}${isFigure[i] && i > 0 ? ' class="figure"' : ''}>${escaped(text)}</${tag.split(' ')[0]}>`;
  const heads = head.map((text, i) => cell('th scope="col"', i, text)).join('');
  const body = rows.map(
    (cells) =>
      `<tr>${cells.map((text, i) => cell(i === 0 ? 'th scope="row"' : 'td', i, text)).join('')}</tr>`,
  );
  return `<div class="wide" role="group" tabindex="0" aria-label="${escaped(caption)}"><table>
<caption>${escaped(caption)}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table></div>`;
}

/**
 * A picture with what it shows below, and its figures as a table. Where there
 * is
 * no room for it, it is moved about rather than made too small to be read.
 */
export const figure = (
  svg: string,
  caption: string,
  figures: PageTable,
  title = figures.caption,
): string =>
  `<figure>
<p class="title">${escaped(title[0]!.toUpperCase() + title.slice(1))}</p>
<div class="picture" role="group" tabindex="0" aria-label="${escaped(title)}">
${svg}
</div>
<figcaption>${escaped(caption)}</figcaption>
<details><summary>The figures: ${escaped(figures.caption)}</summary>${table(figures)}</details>
</figure>`;

/** What not everybody wants to read, behind its name. */
export const folded = (name: string, html: string): string =>
  `<details><summary>${escaped(name)}</summary>\n${html}\n</details>`;

export const facts = (pairs: readonly (readonly [name: string, value: string])[]): string =>
  `<dl>\n${pairs.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join('\n')}\n</dl>`;

export const paragraph = (text: string): string => `<p>${escaped(text)}</p>`;

/** 1.25 µs, 3.4 ms: three figures. */
export function time(ns: number): string {
  const [size, unit] = TIMES.find(([least]) => ns >= least) ?? TIMES.at(-1)!;
  const value = ns / size;
  return `${value >= 100 ? value.toFixed(0) : significant(value)} ${unit}`;
}

/** Round times from 0 up to a span, some so many of them: 1, 2 or 5 of a power of ten apart. */
export function roundTimes(span: number, some: number): number[] {
  if (span <= 0) return [0];
  const size = 10 ** Math.floor(Math.log10(span / some));
  const step = size * [1, 2, 5, 10].find((times) => times * size * some >= span)!;
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, i) => i * step);
}

const TIMES = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
  [1, 'ns'],
] as const;
