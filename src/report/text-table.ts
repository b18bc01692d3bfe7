/** Tables of texts: for a terminal, in columns without lines between them, and in Markdown. */

import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';

export interface TextTable {
  readonly head: readonly string[];
  /** Of each column; without it the first is on the left, and all others are on the right. */
  readonly align?: readonly ('left' | 'right')[];
  readonly rows: readonly (readonly string[])[];
}

interface Room {
  readonly columns?: number | undefined;
  /** So many columns are in each table, where one has to be parted. */
  readonly repeated?: number;
  /** Whether left-aligned texts may be broken between words. */
  readonly breaks?: boolean;
}

interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
  readonly cells: readonly string[];
  /** Without padding. */
  readonly width: number;
  readonly least: number;
}

const alignOf = ({ align }: TextTable, i: number) => align?.[i] ?? (i === 0 ? 'left' : 'right');

/** A GitHub table. Cells must not contain a bar. */
export function tableMarkdown(table: TextTable): string {
  const { head, rows } = table;
  const marks = head.map((_, i) => (alignOf(table, i) === 'left' ? '---' : '---:'));
  return [head, marks, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/**
 * A table no wider than `columns`: left-aligned texts are broken between words, and columns that
 * still do not fit go into further tables below, each with the first column.
 */
export function tableText(
  table: TextTable,
  { columns = Number.POSITIVE_INFINITY, repeated = 1, breaks = true }: Room = {},
): string {
  const all = table.head.map((head, i): Column => {
    const align = alignOf(table, i);
    const cells = table.rows.map((row) => row[i]!);
    const widest = (parting: RegExp): number =>
      Math.max(...[head, ...cells].flatMap((text) => text.split(parting)).map(lengthOf));
    const width = widest(/\n/);
    return { head, align, cells, width, least: align === 'left' && breaks ? widest(/\s/) : width };
  });
  return tables(all.slice(0, repeated), all.slice(repeated), columns).join('\n');
}

function tables(first: readonly Column[], others: readonly Column[], columns: number): string[] {
  let most = others.length;
  const some = (): Column[] => [...first, ...others.slice(0, most)];
  while (most > 1 && widthOf(narrowed(some(), columns)) > columns) most--;
  const rest = others.slice(most);
  const here = render(some(), columns);
  return rest.length === 0 ? [here] : [here, ...tables(first, rest, columns)];
}

/** Of a column, both sides of its text. */
const PADDING = 2;

const LINES = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
  ...['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
];

function render(all: readonly Column[], columns: number): string {
  const table = new Table({
    head: all.map(({ head }) => head),
    colAligns: all.map(({ align }) => align),
    colWidths: narrowed(all, columns).map((width) => width + PADDING),
    wordWrap: true,
    style: { head: [], border: [], compact: true },
    chars: { ...Object.fromEntries(LINES.map((line) => [line, ''])), middle: ' ' },
  });
  table.push(...all[0]!.cells.map((_, row) => all.map(({ cells }) => cells[row]!)));
  return table.toString().replaceAll(/ +$/gm, '');
}

/** Widths of the columns without their padding: of texts less than they would take, if need be. */
function narrowed(all: readonly Column[], columns: number): number[] {
  const widths = all.map(({ width }) => width);
  for (let excess = widthOf(widths) - columns; excess > 0; excess--) {
    const free = widths.map((width, i) => width - all[i]!.least);
    const widest = free.indexOf(Math.max(...free));
    if (free[widest]! <= 0) break;
    widths[widest]!--;
  }
  return widths;
}

const widthOf = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width + PADDING, widths.length - 1);

const lengthOf = (text: string): number => stripVTControlCharacters(text).length;
