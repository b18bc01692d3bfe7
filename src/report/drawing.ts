/**
 * Pictures as SVG, drawn by Observable Plot while a report is written, so that viewing needs no
 * script. Colours are CSS variables: of the page, or in the picture itself.
 */

import { type PlotOptions, plot } from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { COLOURS } from './colours.ts';

/** Pixels. */
export const FONT_SIZE = 12;

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
  // Screen readers skip the contents of an image.
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
