/** The results of a study, for the terminal: a table for each experiment, then the findings. */

import { PRESETS, type PresetName } from '../cost/presets.ts';
import { FEWEST } from './statistics.ts';
import { pointsTable } from './study-cells.ts';
import type { Finding, Point, StudyResult } from './study-result.ts';
import { tableText } from './text-table.ts';

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
    ...Array.from(experiments, ([name, points]) => `\n${name}\n${tablesOf(result, points, page)}`),
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
  const broken = interrupted ? ' It was interrupted: not all of it was run.' : '';
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
  if (most < FEWEST) return `: too few for intervals and verdicts, which need ${FEWEST}`;
  const spread = ', ± the 95 % interval; without ± all seeds have the same value';
  return least < FEWEST ? `${spread}, or there are fewer than ${FEWEST}` : spread;
}

const LONGEST_TITLE = 14;

/** The measures side by side as far as there is room, the others in a table below. */
function tablesOf(result: StudyResult, points: readonly Point[], { columns, wrap }: Page): string {
  const { head, factors: repeated, ...table } = pointsTable(result, points);
  const heads = head.map((title) => wrap(title, LONGEST_TITLE));
  return tableText({ ...table, head: heads }, { columns, repeated, breaks: false });
}
