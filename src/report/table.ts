/** Results as tables that other programs open, Parquet and CSV: columns have meaning and unit. */

import { csvFormatRows } from 'd3-dsv';
import { parquetWriteBuffer } from 'hyparquet-writer';

export interface Column {
  readonly type: 'STRING' | 'DOUBLE' | 'BOOLEAN';
  /** `1` for counts; '' where there is none. */
  readonly unit: string;
  readonly description: string;
}

type Cell = string | number | boolean | null;

/** Cells are null where there is nothing to say. */
export interface Table {
  readonly name: string;
  readonly description: string;
  readonly columns: Readonly<Record<string, Column>>;
  readonly rows: readonly Readonly<Record<string, Cell>>[];
}

export const text = (description: string): Column => ({ type: 'STRING', unit: '', description });
export const count = (description: string): Column => ({ type: 'DOUBLE', unit: '1', description });
export const quantity = (unit: string, description: string): Column => ({
  type: 'DOUBLE',
  unit,
  description,
});
export const flag = (description: string): Column => ({ type: 'BOOLEAN', unit: '', description });

export function parquetOf({ columns, rows }: Table): Uint8Array {
  const columnData = Object.entries(columns).map(([name, { type }]) => ({
    name,
    type,
    nullable: true,
    data: rows.map((row) => row[name] ?? null),
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

/** With a head line; a cell with nothing to say is empty. */
export function csvOf({ columns, rows }: Table): string {
  const names = Object.keys(columns);
  const cells = rows.map((row) => names.map((name) => String(row[name] ?? '')));
  return `${csvFormatRows([names, ...cells])}\n`;
}

/** A table without its rows. */
export const describeTable = ({ name, description, columns, rows }: Table) => ({
  file: `${name}.parquet`,
  csv: `${name}.csv`,
  description,
  rows: rows.length,
  columns,
});
