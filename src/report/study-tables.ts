/** The results of a study, as tables for other programs. */

import type { StudyResult } from './study-result.ts';
import { count, quantity, type Table, text } from './table.ts';

export const studyTables = ({ study, points, findings, seeds, measures }: StudyResult): Table[] => [
  {
    name: 'points',
    description: `results of each run of the study ${study}`,
    columns: {
      experiment: text('settings of one experiment are compared with one another'),
      setting: text('what was varied, as JSON'),
      seed: quantity('1', 'seed of everything that was drawn at random'),
      measure: text('what was measured'),
      value: quantity('', 'in the unit of the measure'),
      unit: text('of the value'),
    },
    rows: points.flatMap(({ experiment, levels, measures: found }) =>
      Object.entries(found).flatMap(([measure, { samples }]) =>
        samples.map((value, i) => ({
          experiment,
          setting: JSON.stringify(levels),
          seed: seeds[i] ?? null,
          measure,
          value,
          unit: measures[measure]!.unit,
        })),
      ),
    ),
  },
  {
    name: 'findings',
    description: `what follows from the study ${study}`,
    columns: {
      claim: text('the claim'),
      verdict: text('holds, does not hold, or not clear'),
      answer: text('with its figure'),
      figure: text('what the figure is'),
      value: quantity('', 'the figure'),
      low: quantity('', '95 % interval, from …; null with too few seeds'),
      high: quantity('', '… to'),
      samples: count('number of seeds'),
      unit: text('of the figure'),
    },
    rows: findings.map(({ claim, verdict, answer, figure: { name, unit, value, ...where } }) => ({
      claim,
      verdict,
      answer,
      figure: name,
      value,
      unit,
      low: where.low ?? null,
      high: where.high ?? null,
      samples: where.samples,
    })),
  },
];
