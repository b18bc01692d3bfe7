/**
 * Pictures as SVG, drawn by Observable Plot while a report is written, so that who looks at one needs
 * no script. Colours are CSS variables: the page has them, or the picture brings them along.
 */

import { type PlotOptions, plot } from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** Of one series each, told apart by people who see few colours too; beside them stand symbols. */
const SERIES = [
  ['#2f6db5', '#7db2f2'],
  ['#c4522f', '#f2936f'],
  ['#177a55', '#5fcb9f'],
  ['#8450b4', '#c39bec'],
  ['#a87400', '#e3b94f'],
  ['#4b5a6e', '#a9b6c8'],
  ['#b8477a', '#f093b7'],
  ['#0a8094', '#58c6d9'],
] as const;

/** Pixels. */
export const FONT_SIZE = 12;

/** For things of which there are many; from the ninth on colours come again. */
export const seriesColour = (index: number): string => `var(--series-${index % SERIES.length})`;

const declared = (scheme: 0 | 1): string =>
  SERIES.map((pair, i) => `--series-${i}: ${pair[scheme]};`).join(' ');

/** What pictures need of the page that they are in: ink, paper and the colours of series. */
export const COLOURS = `:root { color-scheme: light dark; --ink: #1c1e21; --paper: #fff; --faint: #5c6370;
  --line: #c9ced6; --heat: #a8071a; ${declared(0)} }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --paper: #16191d; --faint: #a0a8b4;
  --line: #3d444e; --heat: #ff9c94; ${declared(1)} } }
@media print { :root { --ink: #000; --paper: #fff; --faint: #444; --line: #999; --heat: #a8071a;
  ${declared(0)} } }`;

export interface Drawing extends PlotOptions {
  /** Read out in the picture's place, and shown by none. */
  readonly name: string;
  readonly description: string;
}

/** An SVG element for a page that has COLOURS. */
export function draw({ name, description, ...options }: Drawing): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = plot({
    document: document as never,
    className: 'plot',
    style: { fontSize: `${FONT_SIZE}px`, color: 'var(--ink)' },
    ...options,
  });
  for (const style of svg.querySelectorAll('style')) style.remove();
  // What is within an image is not read out.
  for (const group of svg.querySelectorAll('g')) group.removeAttribute('aria-label');
  svg.setAttribute('role', 'img');
  for (const [tag, text] of [['desc', description] as const, ['title', name] as const]) {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    element.textContent = text;
    svg.prepend(element);
  }
  return rounded(svg.outerHTML);
}

/** The same picture as a file of its own. */
export const standalone = (svg: string): string =>
  `${svg
    .replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ')
    .replace(
      '</desc>',
      `</desc><style>${COLOURS}\n:root { background: var(--paper); }</style>`,
    )}\n`;

/** A hundredth of a pixel is enough; only within tags, since text may be a figure. */
const rounded = (svg: string): string =>
  svg.replace(/<[^>]+>/g, (tag) =>
    tag.replace(/-?\d+\.\d{3,}/g, (number) => String(Math.round(Number(number) * 100) / 100)),
  );
