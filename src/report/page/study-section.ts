/** A study in a report: questions, findings with their certainty, and charts. */

import { chartSvg, chartTable, shadedText } from '../chart.ts';
import { estimateText } from '../estimate-text.ts';
import { FEWEST } from '../statistics.ts';
import type { Finding, StudyResult, Swept } from '../study-result.ts';
import { escaped } from './escaped.ts';
import { facts, figure, paragraph, table } from './parts.ts';

export function studySection(study: StudyResult): string {
  const { question, method, findings, charts, points, seeds, scale, costs, interrupted } = study;
  const drawn = charts.filter((chart) =>
    points.some(({ experiment }) => experiment === chart.experiment),
  );
  return [
    `<p class="lead">${escaped(question)}</p>`,
    ...(interrupted ? [paragraph('It was interrupted: seeds or settings are missing.')] : []),
    ...(study.sweep === undefined ? [] : sweptParts(study.sweep)),
    '<h3>Answers</h3>',
    `<ul class="findings">${findings.map(findingItem).join('\n')}</ul>`,
    ...(drawn.length > 0 ? ['<h3>Figures</h3>'] : []),
    ...drawn.map((chart) =>
      figure(chartSvg(chart, study), `${chart.title}.${shadedText(chart, study)}`, {
        caption: chart.title,
        ...chartTable(chart, study),
      }),
    ),
    '<h3>Method</h3>',
    ...method.split('\n').filter(Boolean).map(paragraph),
    facts([
      [
        'Seeds',
        `${seeds.join(', ')}${seeds.length < FEWEST ? `: too few for intervals and verdicts, which need ${FEWEST}` : ''}`,
      ],
      ...(scale === undefined ? [] : [['Scale', String(scale)] as const]),
      ['Costs', [costs.preset, ...costs.overridden].join(', ')],
    ]),
  ].join('\n');
}

/** For a sweep: failures, and results of its thresholds. */
function sweptParts({ failed, thresholds }: Swept): string[] {
  const levelsText = (levels: Readonly<Record<string, string | number>>): string =>
    Object.entries(levels)
      .map(([field, level]) => `${field}=${level}`)
      .join(', ');
  return [
    ...(failed.length === 0
      ? []
      : [
          table({
            caption: 'Runs that went wrong',
            head: ['Setting', 'Seed', 'What'],
            rows: failed.map(({ levels, seed, what }) => [levelsText(levels), String(seed), what]),
          }),
        ]),
    ...(thresholds.length === 0
      ? []
      : [
          table({
            caption: 'Thresholds',
            head: ['Threshold', 'Setting', 'Verdict', 'Found'],
            rows: thresholds.map(({ threshold, levels, verdict, found }) => [
              ...[threshold, levelsText(levels), verdict, found],
            ]),
          }),
        ]),
  ];
}

/** The verdict's word goes with its colour. */
const CLASSES = { holds: 'good', 'does not hold': 'bad', 'not clear': 'unclear' } as const;

function findingItem({ claim, verdict, answer, figure: found, published }: Finding): string {
  const { name, unit } = found;
  const others =
    published === undefined
      ? ''
      : `<br>${aside(`Published: ${published.value} (${published.source}). ${published.difference}`)}`;
  const inUnit = unit === '1' || unit === '' ? '' : `, ${unit}`;
  return (
    `<li><strong class="${CLASSES[verdict]}">${verdict}</strong> ${escaped(claim)}<br>${escaped(answer)}<br>` +
    `${aside(`${name}${inUnit}: ${estimateText(found)}`)}${others}</li>`
  );
}

const aside = (text: string): string => `<span class="published">${escaped(text)}</span>`;
