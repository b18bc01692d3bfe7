/** Columns without lines between them. */

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
