/** What a study came to, for the terminal: a table for each experiment, then what follows. */

import { PRESETS, type PresetName } from '../cost/presets.ts';
import { plainTable } from './plain-table.ts';
import type { Point, Samples, StudyResult } from './study-result.ts';

/** `wrap`: makes a paragraph fit. */
export function studyText(result: StudyResult, wrap: (text: string) => string): string {
  const experiments = Map.groupBy(result.points, ({ experiment }) => experiment);
  return [
    result.title,
    '',
    wrap(result.question),
    '',
    wrap(result.method),
    '',
    wrap(setting(result)),
    ...Array.from(experiments, ([name, points]) => `\n${name}\n${tableOf(result, points)}`),
    '',
    ...result.findings.map(({ claim, verdict, answer, published }) =>
      wrap(
        `${SIGNS[verdict]} ${claim} ${answer}${published ? ` ${publishedText(published)}` : ''}`,
      ),
    ),
    '',
  ].join('\n');
}

const SIGNS = {
  holds: 'Yes:',
  'does not hold': 'No:',
  'not clear': 'Not clear:',
} as const;

const publishedText = ({
  source,
  value,
  difference,
}: NonNullable<StudyResult['findings'][number]['published']>): string =>
  `(${source}: ${value}. ${difference})`;

function setting({ seeds, scale, costs, interrupted }: StudyResult): string {
  const { title } = PRESETS[costs.preset as PresetName];
  const broken = interrupted ? ' It was broken off: not all of it was run.' : '';
  return (
    `Medians over ${seeds.length} seeds from ${seeds[0]}, in brackets where they lie with 95 %; scale ` +
    `${scale}; cycles at the costs of ${costs.preset} (${title}).${broken}`
  );
}

/** Only what some point of them has. */
function tableOf({ factors, measures }: StudyResult, points: readonly Point[]): string {
  const has = (part: 'levels' | 'measures', name: string): boolean =>
    points.some((point) => name in point[part]);
  const varied = Object.keys(factors).filter((name) => has('levels', name));
  const measured = Object.keys(measures).filter(
    (name) => !measures[name]!.detail && has('measures', name),
  );
  const table = plainTable(
    [
      ...varied.map((name) => factors[name]!.title),
      ...measured.map((name) => measures[name]!.title),
    ],
    [...varied.map(() => 'left' as const), ...measured.map(() => 'right' as const)],
  );
  for (const { levels, measures: found } of points) {
    table.push([
      ...varied.map((name) => String(levels[name] ?? '')),
      ...measured.map((name) => (found[name] ? withInterval(found[name]) : '')),
    ]);
  }
  return table.toString();
}

function withInterval({ median, low, high }: Samples): string {
  return low === high ? figure(median) : `${figure(median)} [${figure(low)}, ${figure(high)}]`;
}

/** Whole where it is large, else three digits that count. */
export const figure = (n: number): string =>
  Math.abs(n) >= 100 || Number.isInteger(n)
    ? Math.round(n).toLocaleString('en-US')
    : String(Number(n.toPrecision(3)));
