/** The results of a study, for the terminal: a table for each experiment, then the findings. */

import { PRESETS, type PresetName } from '../cost/presets.ts';
import { plainTable } from './plain-table.ts';
import { FEWEST } from './statistics.ts';
import { type Column, columnsOf } from './study-cells.ts';
import type { Finding, StudyResult } from './study-result.ts';

/** How wide it may be, and what makes a paragraph fit. */
export interface Page {
  readonly columns: number;
  readonly wrap: (text: string, columns: number) => string;
}

export function studyText(result: StudyResult, page: Page): string {
  const paragraph = (text: string): string => page.wrap(text, page.columns);
  const experiments = Map.groupBy(result.points, ({ experiment }) => experiment);
  return [
    result.title,
    ...[result.question, result.method, settingText(result)].map((text) => `\n${paragraph(text)}`),
    ...Array.from(
      experiments,
      ([name, points]) => `\n${name}\n${tables(columnsOf(result, points), page)}`,
    ),
    '',
    ...result.findings.map((finding) => paragraph(findingText(finding))),
    '',
  ].join('\n');
}

const ANSWERS: Readonly<Record<Finding['verdict'], string>> = {
  holds: 'Yes:',
  'does not hold': 'No:',
  'not clear': 'Not clear:',
};

const findingText = ({ claim, verdict, answer, published }: Finding): string =>
  `${ANSWERS[verdict]} ${claim} ${answer}` +
  (published ? ` (${published.source}: ${published.value}. ${published.difference})` : '');

/** How often, from which seed, by which costs. */
export function settingText({ seeds, scale, costs, interrupted, points }: StudyResult): string {
  const { title } = PRESETS[costs.preset as PresetName];
  const broken = interrupted ? ' It was broken off: not all of it was run.' : '';
  const done = points.flatMap(({ measures }) =>
    Object.values(measures).map(({ samples }) => samples.length),
  );
  const [least, most] = [Math.min(...done), Math.max(...done)];
  const wanted = interrupted ? ` of ${seeds.length}` : '';
  const many =
    most === 1 && seeds.length === 1
      ? `One run, of seed ${seeds[0]}`
      : `Medians over ${least < most ? `${least} to ${most}` : most}${wanted} seeds from ${seeds[0]}`;
  const scaled = scale === undefined ? '' : ` scale ${scale};`;
  return (
    `${many}${reachText(least, most)};${scaled} cycles at the costs of ${costs.preset} ` +
    `(${title}).${broken}`
  );
}

/** Statistics over so many seeds. */
function reachText(least: number, most: number): string {
  if (most < FEWEST) return `: too few for intervals and verdicts, which take ${FEWEST}`;
  const spread = ', ± where they lie with 95 %; without it all seeds have the same';
  return least < FEWEST ? `${spread}, or are fewer than ${FEWEST}` : spread;
}

const LONGEST_TITLE = 14;

/** The measures side by side as far as there is room, the others in a table below. */
function tables(columns: readonly Column[], page: Page): string {
  const heads = new Map(columns.map((column) => [column, page.wrap(column.title, LONGEST_TITLE)]));
  const widthOf = (column: Column): number =>
    Math.max(...[...heads.get(column)!.split('\n'), ...column.cells].map(({ length }) => length)) +
    3;
  const factors = columns.filter(({ kind }) => kind === 'factor');
  const room = page.columns - factors.reduce((n, column) => n + widthOf(column), 0);
  const rows: Column[][] = [];
  let left = 0;
  for (const column of columns.filter(({ kind }) => kind === 'measure')) {
    left -= widthOf(column);
    if (rows.length === 0 || left < 0) {
      rows.push([]);
      left = room - widthOf(column);
    }
    rows.at(-1)!.push(column);
  }
  return rows.map((measures) => table([...factors, ...measures], heads)).join('\n');
}

function table(columns: readonly Column[], heads: ReadonlyMap<Column, string>): string {
  const made = plainTable(
    columns.map((column) => heads.get(column)!),
    columns.map(({ kind }) => (kind === 'factor' ? 'left' : 'right')),
  );
  made.push(...columns[0]!.cells.map((_, row) => columns.map(({ cells }) => cells[row]!)));
  return made.toString();
}
