/** The mutation matrix as a table: for a terminal, and as Markdown. */

import { counted, significant } from '../../numbers.ts';
import { count, type Table, text } from '../../report/table.ts';
import { tableMarkdown, tableText } from '../../report/text-table.ts';
import { type MutantsReport, smallestOf } from './mutants.ts';

type Mutant = MutantsReport['mutants'][number];

export const MISSED = 'missed';

const NOTHING = '–';

/** Ctrl-C came before. */
const NOT_DONE = '…';

/** `columns`: how wide the table may be. */
export function formatMutants(report: MutantsReport, columns?: number): string {
  const rows = report.mutants.map((mutant) => [mutant.defect, ...cellsOf(mutant)]);
  const table = tableText({ head: headOf(report), rows }, { columns });
  return `${table}\n\n${explained(report).join('\n')}\n`;
}

/** A page of the docs. `command` is the one that makes it. */
export function mutantsMarkdown(report: MutantsReport, command: string): string {
  const [, ...head] = headOf(report);
  return [
    '# Mutants',
    '',
    `Made by \`${command}\`.`,
    '',
    ...explained(report),
    '',
    tableMarkdown({
      head: ['', 'defect', ...head],
      align: ['left', 'left', ...head.map(() => 'right' as const)],
      rows: report.mutants.map((mutant) => [mutant.defect, mutant.title, ...cellsOf(mutant)]),
    }),
    '',
  ].join('\n');
}

const headOf = ({ strategies }: MutantsReport): string[] => [
  ...['', ...strategies, 'steps', 'switches', 'operations'],
];

/** Of each strategy `after (share)`; then what the shortest of the shrunk stories has. */
function cellsOf(mutant: Mutant): string[] {
  const cells = mutant.strategies.map(({ after, caught, runs, ...done }) => {
    if (runs === 0) return NOT_DONE;
    const cell = after === null ? NOTHING : `${after} (${percent(caught / runs)})`;
    return done.settings < done.settings_planned ? `${cell} ${NOT_DONE}` : cell;
  });
  const smallest = smallestOf(mutant);
  if (smallest === undefined) {
    return [...cells, mutant.missed ? MISSED : NOT_DONE, NOTHING, NOTHING];
  }
  const { steps, switches, operations } = smallest;
  return [...cells, ...[steps, switches, operations].map(String)];
}

/** 100 %, 12 %, 3.4 %, 0.05 % */
const percent = (share: number): string =>
  `${share >= 0.1 ? Math.round(share * 100) : significant(share * 100, 2)} %`;

const explained = ({ runs, seed, tasks, given }: MutantsReport): readonly string[] => [
  ...(tasks.done < tasks.all
    ? [
        `Interrupted: ${tasks.done} of ${tasks.all} pieces of work are done; ${NOT_DONE} marks the rest`,
        '',
      ]
    : []),
  `Each defect alone, everything else repaired, on the litmus tests ${given === null ? 'aimed at it' : 'given'}, in all settings`,
  `that they are for; each strategy for ${counted(runs, 'schedule')} in each, from seed ${seed}. ` +
    'For each strategy:',
  'after how many schedules it caught the defect, in the setting where it was soonest, and in how',
  'many of all its schedules. At the end the smallest of the failures that were found first, once',
  'shrunk: its steps, its switches, and the operations of the vCPUs.',
];

/** A row for each defect and strategy. */
export const mutantsTable = ({ mutants }: MutantsReport): Table => ({
  name: 'mutants',
  description: 'How soon and how often each strategy caught each defect.',
  columns: {
    defect: text('id'),
    strategy: text('how schedules were chosen'),
    settings_planned: count('tests in their settings'),
    settings: count('those that are done'),
    settings_caught: count('those in which it was caught'),
    runs: count('schedules in all'),
    caught: count('schedules that caught it'),
    after: count('the fewest schedules after which it was caught; null if it was not'),
    found: text('the token of that schedule'),
  },
  rows: mutants.flatMap(({ defect, strategies }) =>
    strategies.map(({ shrunk: _, ...strategy }) => ({ defect, ...strategy })),
  ),
});
