/** The counts of a run, one row each, with their meaning. */

import { COUNTED, FIGURES } from './figures.ts';
import type { RunReport, Statistics } from './run-report.ts';
import { quantity, type Table, text } from './table.ts';

/** Names of all statistics, as a run's report has them. */
export const STATISTICS = [
  ...new Set(COUNTED.map((id) => id.split('.')[0])),
] as readonly (keyof Statistics)[];

export function statisticsTable({ total, guests, host_cpus }: RunReport): Table {
  const rows = [
    ...rowsOf('machine', null, 'all', total),
    ...guests.flatMap((guest, i) => rowsOf('guest', i, guest.name, guest)),
    ...host_cpus.flatMap((cpu, i) => rowsOf('host CPU', i, `host CPU ${i}`, cpu)),
  ];
  return {
    name: 'statistics',
    rows,
    description: 'Counts of the machine, each guest and each host CPU.',
    columns: {
      scope: text('machine, guest or host CPU'),
      number: quantity('', 'which guest or host CPU, counted from 0; null for the machine'),
      name: text('of the guest or host CPU'),
      statistic: text('the name of the count; kinds follow a dot'),
      value: quantity('see unit', 'how many'),
      unit: text('of the value'),
      description: text('of the statistic'),
    },
  };
}

function rowsOf(scope: string, number: number | null, name: string, statistics: Statistics) {
  return STATISTICS.flatMap((key) => {
    const counted = statistics[key];
    const parts =
      typeof counted === 'number'
        ? [[key, counted] as const]
        : Object.entries(counted).map(([kind, value]) => [`${key}.${kind}`, value] as const);
    return parts.map(([statistic, value]) => {
      const { unit, description } = FIGURES[statistic]!;
      return { scope, number, name, statistic, value, unit, description };
    });
  });
}
