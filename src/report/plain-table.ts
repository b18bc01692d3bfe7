/** Columns without lines between them. */

import { stripVTControlCharacters } from 'node:util';
import Table, { type HorizontalAlignment } from 'cli-table3';

export const plainTable = (
  head: readonly string[],
  align: readonly HorizontalAlignment[],
): Table.Table =>
  new Table({
    head: [...head],
    colAligns: [...align],
    style: { head: [], border: [], compact: true },
    chars: NO_LINES,
  });

const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
    ...['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, name === 'middle' ? ' ' : '']),
);

interface Column {
  readonly head: string;
  readonly align: HorizontalAlignment;
  readonly cells: readonly string[];
}

/** Of a column, both sides of its text. */
const PADDING = 2;

/**
 * A table no wider than `columns`: left-aligned texts are broken between words, and columns that
 * still do not fit go into further tables below, each with the first column.
 */
export function tableText(
  head: readonly string[],
  align: readonly HorizontalAlignment[],
  rows: readonly (readonly string[])[],
  columns = Number.POSITIVE_INFINITY,
): string {
  const all = head.map(
    (name, i): Column => ({ head: name, align: align[i]!, cells: rows.map((row) => row[i]!) }),
  );
  return tables(all, columns).join('\n');
}

function tables(all: readonly Column[], columns: number): string[] {
  let most = all.length;
  while (most > 2 && widthOf(narrowed(all.slice(0, most), columns)) > columns) most--;
  const [first] = all;
  const rest = all.slice(most);
  const here = render(all.slice(0, most), columns);
  return rest.length === 0 ? [here] : [here, ...tables([first!, ...rest], columns)];
}

function render(all: readonly Column[], columns: number): string {
  const table = plainTable(
    all.map((column) => column.head),
    all.map((column) => column.align),
  );
  const widths = narrowed(all, columns);
  table.options.wordWrap = true;
  table.options.colWidths = widths.map((width) => width + PADDING);
  table.push(...all[0]!.cells.map((_, row) => all.map(({ cells }) => cells[row]!)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Widths of the columns without their padding: of texts less than they would take, if need be. */
function narrowed(all: readonly Column[], columns: number): number[] {
  const widths = all.map(({ head, cells }) => Math.max(...[head, ...cells].map(lengthOf)));
  const least = all.map(({ head, align, cells }, i) =>
    align === 'left' ? Math.max(...[head, ...cells].flatMap(wordsOf).map(lengthOf)) : widths[i]!,
  );
  for (let excess = widthOf(widths) - columns; excess > 0; excess--) {
    const free = widths.map((width, i) => width - least[i]!);
    const widest = free.indexOf(Math.max(...free));
    if (free[widest]! <= 0) break;
    widths[widest]!--;
  }
  return widths;
}

const widthOf = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width + PADDING, widths.length - 1);

const lengthOf = (text: string): number => stripVTControlCharacters(text).length;
const wordsOf = (text: string): string[] => text.split(' ');
