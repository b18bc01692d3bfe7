/**
 * Migrations in the report of a run: from where to where, placement, and the effects of a move.
 */

import { cell, text } from '@observablehq/plot';
import { grouped, percent, significant } from '../../numbers.ts';
import { draw } from '../drawing.ts';
import { estimateText } from '../estimate-text.ts';
import { FEWEST } from '../statistics.ts';
import { short } from '../study-cells.ts';
import type { Activity } from './activity.ts';
import { CAUSES, differenceOf, type Move, SIDES, type Side, WINDOW } from './migrations.ts';
import { figure, paragraph, table } from './parts.ts';

/** `vcpus`: names by machine-wide numbers. */
export function migrationSection(
  moves: readonly Move[],
  activity: Activity,
  hostCpus: number,
  vcpus: readonly string[],
): string {
  const residency = residencyTable(activity, hostCpus, vcpus);
  if (moves.length === 0) return [paragraph('No vCPU moved.'), residency].join('\n');
  return [matrix(moves, hostCpus), residency, whatFollows(moves)].join('\n');
}

/** More have no picture, and their table says it. */
const MOST_CPUS = 32;
const CELL = 34;
const LEFT = 60;

function matrix(moves: readonly Move[], hostCpus: number): string {
  const counts = new Map<string, { from: number; to: number; n: number }>();
  for (const { from, to } of moves) {
    const at = counts.get(`${from} ${to}`) ?? { from, to, n: 0 };
    at.n++;
    counts.set(`${from} ${to}`, at);
  }
  const cells = [...counts.values()];
  const cpus = Array.from({ length: hostCpus }, (_, i) => i);
  const figures = {
    caption: 'migrations from host CPU to host CPU',
    head: ['From', ...cpus.map((cpu) => `to ${cpu}`), 'together'],
    rows: cpus.map((from) => {
      const own = cpus.map((to) => counts.get(`${from} ${to}`)?.n ?? 0);
      return [`host CPU ${from}`, ...own.map(grouped), grouped(own.reduce((a, b) => a + b, 0))];
    }),
  };
  if (hostCpus > MOST_CPUS) return table(figures);
  const most = Math.max(...cells.map(({ n }) => n));
  const size = Math.max(16, Math.min(CELL, 640 / hostCpus));
  const strength = ({ n }: { readonly n: number }): number => 0.2 + (0.8 * n) / most;
  const svg = draw({
    name: 'Migrations from host CPU to host CPU',
    description:
      `A row for each host CPU that was left, a column for each new one; at ` +
      `most ${grouped(most)}.`,
    width: LEFT + size * hostCpus + 20,
    height: 50 + size * hostCpus,
    marginLeft: LEFT,
    marginTop: 40,
    marginRight: 20,
    marginBottom: 10,
    x: { domain: cpus, axis: 'top', label: 'to', labelArrow: 'none', tickSize: 0, padding: 0.04 },
    y: { domain: cpus, label: 'from', labelArrow: 'none', tickSize: 0, padding: 0.04 },
    marks: [
      cell(cells, {
        x: 'to',
        y: 'from',
        fill: 'var(--heat)',
        fillOpacity: strength,
        title: ({ from, to, n }) => `${grouped(n)} from host CPU ${from} to ${to}`,
      }),
      ...(size < 24
        ? []
        : [
            text(cells, {
              x: 'to',
              y: 'from',
              text: ({ n }) => short(n),
              fill: (one: { readonly n: number }) =>
                strength(one) > 0.55 ? 'var(--paper)' : 'var(--ink)',
            }),
          ]),
    ],
  });
  const caption =
    `${grouped(moves.length)} migrations: a row for the host CPU that was left, a ` +
    `column for the new one.`;
  return figure(svg, caption, figures, 'From where to where');
}

/** Where each vCPU was inside its guest. */
function residencyTable({ runs }: Activity, hostCpus: number, vcpus: readonly string[]): string {
  const spent = new Map<string, number>();
  for (const { vcpu, hostCpu, from, to } of runs) {
    const key = `${vcpu} ${hostCpu}`;
    spent.set(key, (spent.get(key) ?? 0) + to - from);
  }
  const cpus = Array.from({ length: hostCpus }, (_, i) => i);
  return table({
    caption: 'Residency: of the time that each vCPU was in its guest, how much on which host CPU',
    head: ['vCPU', ...cpus.map((cpu) => `host CPU ${cpu}`)],
    rows: vcpus.map((name, vcpu) => {
      const own = cpus.map((cpu) => spent.get(`${vcpu} ${cpu}`) ?? 0);
      const all = own.reduce((a, b) => a + b, 0);
      return [name, ...own.map((ns) => percent(ns / all))];
    }),
  });
}

const TITLES: Readonly<Record<(typeof SIDES)[number], string>> = {
  entries: 'Entries',
  walks: 'Walks',
  faults: 'Faults',
  remaps: 'Remaps',
  cycles: 'Cycles',
};

/** For each cause, and for all, of each measure: medians before and after, and the difference. */
function whatFollows(moves: readonly Move[]): string {
  const causes = CAUSES.filter((cause) => moves.some((move) => move.cause === cause));
  const groups = [
    ...(causes.length > 1 ? [['all', moves] as const] : []),
    ...causes.map((cause) => [cause, moves.filter((move) => move.cause === cause)] as const),
  ];
  const rows = groups.flatMap(([cause, own]) => {
    const whole = own.filter(({ before, after }) => before && after);
    const difference = differenceOf(own);
    const group = [cause, `${grouped(whole.length)} of ${grouped(own.length)}`];
    if (difference === undefined) return [[...group, 'anything', '–', '–', '–']];
    return SIDES.map((side) => {
      const { low, high } = difference[side];
      const isFew = low === undefined || high === undefined;
      return [
        ...[...group, TITLES[side]],
        ...[medianOf(whole, 'before', side), medianOf(whole, 'after', side)],
        isFew ? 'not clear' : estimateText(difference[side], 'moves'),
      ];
    });
  });
  return [
    table({
      caption:
        `What follows a move: in the first ${grouped(WINDOW)} operations after it ` +
        `against the last before, for each thousand`,
      head: ['Why it left its CPU', 'Moves compared', 'What', 'Before', 'After', 'More'],
      rows,
    }),
    paragraph(
      'Medians before and after, and the increase, move by move, with a 95 % interval; fewer ' +
        `than ${FEWEST} moves are never clear. Counts are known of whole stays only; moves with ` +
        'fewer operations on either side, before the next move, are not compared. Cycles are ' +
        'simulated: those of entries, walks, faults, remaps and the move itself. The first walk ' +
        'after each entry also occurs without a move.',
    ),
  ].join('\n');
}

function medianOf(moves: readonly Move[], when: 'before' | 'after', side: keyof Side): string {
  const values = moves.map((move) => move[when]![side]).toSorted((a, b) => a - b);
  const median = significant(values[Math.floor(values.length / 2)]!);
  return median < 1000 ? String(median) : grouped(median);
}
