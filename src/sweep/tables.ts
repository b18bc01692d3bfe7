/** A sweep as a table: a row for each run, with all that was measured. */

import type { StudyResult } from '../report/study-result.ts';
import { quantity, type Table, text } from '../report/table.ts';

export function sweepTable({ study, factors, measures, points, seeds }: StudyResult): Table {
  const fields = Object.keys(factors);
  return {
    name: 'runs',
    description: `what each run of the sweep of ${study} came to`,
    columns: {
      ...Object.fromEntries(
        fields.map((field) => [field, text(`field of the scenario: ${field}`)]),
      ),
      seed: quantity('1', 'what everything random was drawn from'),
      ...Object.fromEntries(
        Object.entries(measures).map(([name, { unit, description }]) => [
          name,
          quantity(unit, description),
        ]),
      ),
    },
    rows: points.flatMap(({ levels, measures: found }) => {
      const samples = Object.entries(found);
      const runs = samples[0]?.[1].samples.length ?? 0;
      return seeds.slice(0, runs).map((seed, i) => ({
        ...Object.fromEntries(fields.map((field) => [field, String(levels[field])])),
        seed,
        ...Object.fromEntries(samples.map(([name, one]) => [name, one.samples[i]!])),
      }));
    }),
  };
}
