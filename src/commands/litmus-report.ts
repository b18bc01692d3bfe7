/** The report of `umbra litmus` on a test: for people, as JSON, and as a table. */

import { furtherText } from '../explore/behaviours.ts';
import type { Litmus } from '../explore/litmus/litmus.ts';
import type { Operation, Pair } from '../explore/litmus/overlap.ts';
import type { Tally } from '../explore/litmus/tally.ts';
import { counted, grouped } from '../numbers.ts';
import { count, flag, type Table, text } from '../report/table.ts';
import { tableText } from '../report/text-table.ts';
import { keepLast } from './kept-schedules.ts';
import { tableColumns } from './terminal.ts';

export interface Counted {
  readonly path: string;
  readonly tally: Tally;
  /** The first schedules that went wrong, whatever their outcome. */
  readonly wrong: readonly { readonly message: string; readonly token: string }[];
}

export function reportOf({ path, tally, wrong }: Counted): unknown {
  const { litmus, schedules, undeclared, cutShort, neglected, overlapping, pairs } = tally;
  const declared = tally.lines.slice(0, litmus.outcomes.length);
  return {
    path,
    name: litmus.name,
    schedules,
    distinct: tally.behaviours.distinct,
    unseen: tally.behaviours.unseen ?? null,
    wrong,
    outcomes: declared.map(({ text: when, is, count: n, isMet }) => ({
      when,
      is,
      count: n,
      never_met: !isMet,
    })),
    not_declared: undeclared,
    cut_short: cutShort,
    left_to_guest: Object.fromEntries(neglected),
    overlap: {
      schedules: overlapping,
      pairs: pairs.map(({ pair, count: n }) => ({
        operations: [pair.a, pair.b].map((one) => ({ ...one, text: textOf(litmus, one) })),
        count: n,
      })),
    },
  };
}

export const outcomesTable = (all: readonly Counted[]): Table => ({
  name: 'outcomes',
  description: 'How often each declared outcome of each test came, over all its settings.',
  columns: {
    path: text('of the test'),
    test: text('its name'),
    outcome: text('when it is this outcome, or what else it is'),
    is: text(
      'allowed, interesting or forbidden; not declared; livelock, deadlock or oops: cut short',
    ),
    count: count('schedules'),
    never_met: flag('whether it was to be met, and never was'),
    schedules: count('of the test in all'),
  },
  rows: all.flatMap(({ path, tally: { litmus, schedules, lines } }) =>
    lines.map(({ is, text: outcome, count: n, isMet }) => ({
      path,
      test: litmus.name,
      outcome,
      is,
      count: n,
      never_met: !isMet,
      schedules,
    })),
  ),
});

export function describe({ path, tally, wrong }: Counted): string {
  const rows = tally.lines.map(({ is, text: when, count: n, isMet }) => [
    ...[is, isMet ? grouped(n) : 'never', when],
  ]);
  const table = tableText(
    { head: ['', 'count', 'when'], align: ['left', 'right', 'left'], rows },
    { columns: tableColumns() },
  );
  const bad = wrong.map(({ message, token }) => {
    return `${message}\n${keepLast({ token, says: message })}\n`;
  });
  const { litmus, schedules, behaviours } = tally;
  const runs = `${counted(schedules, 'schedule')}, ${grouped(behaviours.distinct)} of them different`;
  const further = furtherText(behaviours.unseen ?? null, ', drawn alike,');
  const heading = `${path}: ${litmus.name} (${runs})\n${further}`;
  return `${heading}${table}\n${overlapInWords(tally)}${bad.join('')}\n`;
}

/** Pairs of operations that are named. */
const MOST_NAMED = 3;

function overlapInWords({ litmus, schedules, overlapping, pairs, apart }: Tally): string {
  if (pairs.length === 0) return '';
  const all =
    'operations of different vCPUs overlapped in ' +
    `${grouped(overlapping)} of ${counted(schedules, 'schedule')}`;
  if (apart.length === 0) return `${all}\n`;
  const named = apart.slice(0, MOST_NAMED).map((pair) => `  ${pairText(litmus, pair)}\n`);
  const more = apart.length - named.length;
  const rest = more > 0 ? `  and ${more} more\n` : '';
  return `${all}; of ${pairs.length} pairs ${apart.length} never did:\n${named.join('')}${rest}`;
}

const pairText = (litmus: Litmus, { a, b }: Pair): string =>
  [a, b].map((one) => `vCPU ${one.vcpu} ${textOf(litmus, one)}`).join(' | ');

/** With its number where the vCPU does the same more than once. */
function textOf({ vcpus }: Litmus, { vcpu, place }: Operation): string {
  const { texts } = vcpus[vcpu]!;
  const text = texts[place]!;
  const isAlone = texts.indexOf(text) === texts.lastIndexOf(text);
  return isAlone ? text : `${text} (operation ${place + 1})`;
}
