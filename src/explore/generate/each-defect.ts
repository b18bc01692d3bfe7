/** Each defect alone, and the first program that fails of it: a measure of the generator. */

import { DEFECTS, type DefectId } from '../../defects.ts';
import { counted } from '../../numbers.ts';
import { tableMarkdown } from '../../report/text-table.ts';
import { columnsText } from './clusters.ts';
import type { Asked, Space } from './plan.ts';
import { spaceText } from './plan.ts';
import type { Find } from './unit.ts';

/** The ladder of numbers of programs: the next rung is tried where nothing failed. */
export const LADDER: readonly Pick<Asked, 'operations' | 'alphabet'>[] = [
  { operations: 2, alphabet: 'all' },
  { operations: 3, alphabet: 'frames' },
  { operations: 3, alphabet: 'boot' },
  { operations: 3, alphabet: 'core' },
];

/** For one space: programs up to the first that fails, or all. */
export interface FirstFind {
  readonly programs: number;
  readonly schedules: number;
  readonly find: Find | undefined;
}

/** The result for a defect on one rung of the ladder. */
export interface DefectRow extends Pick<Asked, 'operations' | 'alphabet'> {
  readonly defect: DefectId;
  /** How many spaces there are, and in how many a program fails. */
  readonly spaces: number;
  readonly failing: number;
  /** Of the space in which the fewest schedules found it; null if none did. */
  readonly first: {
    readonly space: string;
    readonly programs: number;
    readonly schedules: number;
    /** The shrunk program. */
    readonly program: string;
    readonly kind: string;
    readonly cause: string;
  } | null;
}

export function rowOf(
  defect: DefectId,
  rung: Pick<Asked, 'operations' | 'alphabet'>,
  results: ReadonlyMap<Space, FirstFind>,
): DefectRow {
  const found = [...results].filter(([, { find }]) => find !== undefined);
  const [soonest] = found.toSorted(([, a], [, b]) => a.schedules - b.schedules);
  return {
    defect,
    ...rung,
    spaces: results.size,
    failing: found.length,
    first: soonest === undefined ? null : firstOf(...soonest),
  };
}

function firstOf({ setting, ...space }: Space, { programs, schedules, find }: FirstFind) {
  const { kind, cause } = find!;
  return {
    space: spaceText({ ...space, setting: { ...setting, defects: [] } }),
    programs,
    schedules,
    kind,
    cause,
    program: columnsText(find!),
  };
}

/** A page of the docs. `command` is the one that makes it. */
export function eachDefectMarkdown(rows: readonly DefectRow[], command: string): string {
  const head = ['', 'defect', 'programs', 'smallest', 'fails as', 'to blame', 'after', 'spaces'];
  return [
    '# Defects that generated programs find',
    '',
    `Made by \`${command}\`.`,
    '',
    'Each defect alone, everything else repaired, and no test written by hand: programs of two',
    'operations of the alphabet `all` are tried, each by a sweep; where none fails those of three',
    'operations of `frames`, `boot`, `core`. A space is one configuration in one discipline and form.',
    'Told is the space in which it took the fewest schedules: its first program that fails, once made',
    'smaller, how, the functions of the two accesses to blame, and after how many programs and',
    'schedules it was found.',
    '',
    tableMarkdown({
      head,
      align: head.map(() => 'left'),
      rows: rows.map((row) => [row.defect, DEFECTS[row.defect].title, ...cellsOf(row)]),
    }),
    '',
  ].join('\n');
}

const workOf = ({ programs, schedules }: NonNullable<DefectRow['first']>): string =>
  `${counted(programs, 'program')}, ${counted(schedules, 'schedule')}`;

const cellsOf = ({ operations, alphabet, spaces, failing, first }: DefectRow): string[] => [
  `${operations}, \`${alphabet}\``,
  ...(first === null
    ? ['–', 'missed', '–', '–']
    : [`${first.space}: \`${first.program}\``, ...[first.kind, first.cause || '–'], workOf(first)]),
  `${failing} of ${spaces}`,
];

/** The same for a terminal. */
export const eachDefectText = (rows: readonly DefectRow[]): string =>
  rows
    .map((row) => {
      const { defect, operations, alphabet, spaces, failing, first } = row;
      const where = `${operations} operations, ${alphabet}: ${failing} of ${spaces} spaces`;
      if (first === null) return `${defect}  missed  (${where})\n`;
      const { kind, cause, program, space } = first;
      return (
        `${defect}  ${kind}${cause && `; ${cause}`}\n    ${program}\n` +
        `    ${space}, after ${workOf(first)}  (${where})\n`
      );
    })
    .join('');
