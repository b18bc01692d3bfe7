/** Tables as text with commas (RFC 4180), a line for each row. */

export type Cell = string | number | boolean | null;

/** A row, without its end. Null is an empty cell. */
export const csvRow = (cells: readonly Cell[]): string =>
  cells.map((cell) => (cell === null ? '' : quoted(String(cell)))).join(',');

const quoted = (text: string): string =>
  /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

export interface CsvField {
  readonly value: string;
  /** From 1. */
  readonly column: number;
}

/** The cells of a row that is one line; in quotes one may have commas, and a quote twice. */
export const csvFields = (line: string): CsvField[] =>
  Array.from(line.matchAll(/(?<=^|,)(?:"((?:[^"]|"")*)"(?=,|$)|[^,]*)/g), (match) => ({
    value: match[1]?.replaceAll('""', '"') ?? match[0],
    column: match.index + 1,
  }));
