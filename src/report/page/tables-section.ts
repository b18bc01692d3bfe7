/** A run of any other command in a report: the tables of its folder. */

import { grouped } from '../../numbers.ts';
import { paragraph, table } from './parts.ts';
import type { SavedTable } from './saved.ts';

const MOST_ROWS = 200;

export const tablesSection = (tables: readonly SavedTable[]): string =>
  tables.length === 0
    ? paragraph('There are no tables in this folder.')
    : tables.map(tableHtml).join('\n');

function tableHtml({ description, columns, rows }: SavedTable): string {
  const names = Object.keys(columns);
  const more = rows.length - MOST_ROWS;
  const unit = (name: string): string => {
    const { unit } = columns[name]!;
    return unit === '' || unit === '1' || unit.startsWith('see') ? '' : `, ${unit}`;
  };
  return [
    table({
      caption: `${description}${more > 0 ? ` The first ${MOST_ROWS} of ${grouped(rows.length)} rows.` : ''}`,
      head: names.map((name) => `${name.replaceAll('_', ' ')}${unit(name)}`),
      rows: rows.slice(0, MOST_ROWS).map((row) => names.map((name) => cellText(row[name]))),
    }),
    `<details><summary>What the columns are</summary>${table({
      caption: 'Columns',
      head: ['Column', 'What it is'],
      rows: names.map((name) => [name.replaceAll('_', ' '), columns[name]!.description]),
    })}</details>`,
  ].join('\n');
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'number') return grouped(value);
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}
