/** The results of a study, as the generated part of its page in docs/studies. */

import { pointsTable } from './study-cells.ts';
import type { ChartSpec, Finding, StudyResult } from './study-result.ts';
import { settingText } from './study-text.ts';
import { tableMarkdown } from './text-table.ts';

/** `pictureOf`: the file of a chart, from where the page is. */
export function studyMarkdown(
  result: StudyResult,
  command: string,
  pictureOf: (chart: ChartSpec) => string,
): string {
  const { question, method, findings, charts, points } = result;
  const experiments = Map.groupBy(points, ({ experiment }) => experiment);
  return [
    `**Question.** ${question}`,
    `**Method.** ${method}`,
    `${settingText(result)} Made by`,
    `\`\`\`sh\n${command}\n\`\`\``,
    '## Answer',
    findingsTable(findings),
    ...findings.flatMap(({ claim, published }) =>
      published === undefined
        ? []
        : [`*${claim}* ${published.source}: ${published.value}. ${published.difference}`],
    ),
    ...(charts.length > 0 ? ['## Pictures'] : []),
    ...charts.map((chart) => `![${chart.title}](${pictureOf(chart)})`),
    '## Figures',
    ...Array.from(experiments, ([name, all]) => [
      `### ${name}`,
      tableMarkdown(pointsTable(result, all)),
    ]).flat(),
    `${measuresList(result)}\n`,
  ].join('\n\n');
}

const VERDICTS: Readonly<Record<Finding['verdict'], string>> = {
  holds: 'yes',
  'does not hold': '**no**',
  'not clear': 'not clear',
};

const findingsTable = (findings: readonly Finding[]): string =>
  tableMarkdown({
    head: ['claim', '', 'answer'],
    align: ['left', 'left', 'left'],
    rows: findings.map(({ claim, verdict, answer }) => [claim, VERDICTS[verdict], answer]),
  });

/** The meaning of the columns that are present. */
const measuresList = ({ measures, points }: StudyResult): string =>
  Object.entries(measures)
    .filter(
      ([name, { detail = false }]) => !detail && points.some((point) => name in point.measures),
    )
    .map(([, { title, description }]) => `* ${title}: ${description}`)
    .join('\n');
