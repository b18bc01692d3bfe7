/** Which CPU ran when: for each schedule a lane for each host CPU, steps from left to right. */

import { escaped } from '../page/escaped.ts';
import { FLAG_TEXTS, type Flag } from '../story.ts';
import type { PlayerData } from './data.ts';
import type { Track } from './track.ts';

/** Pixels: of a lane with the space below it, of its bar, and between schedules. */
const ROW = 11;
const BAR = 9;
const GAP = 7;

const rect = (style: string, x: number, y: number, width: number): string =>
  `<rect ${style} x="${x}" y="${y}" width="${width}" height="${BAR}"/>`;

const upright = (kind: string, x: number, from: number, to: number): string =>
  `<line class="${kind}" x1="${x}" x2="${x}" y1="${from}" y2="${to}"/>`;

/** As wide as the longest schedule has steps. */
export function lanesSvg(
  tracks: readonly Track[],
  { parting }: Pick<PlayerData, 'parting'>,
): string {
  const each = tracks[0]!.data.story.columns.length * ROW + GAP;
  const height = tracks.length * each - GAP;
  const lanes = tracks.map((track, i) => laneOf(track, i * each));
  const parts = parting === undefined ? '' : upright('parts', parting, 0, height);
  return (
    `<svg viewBox="0 0 ${longest(tracks)} ${height}" preserveAspectRatio="none" ` +
    `aria-hidden="true" style="height:${height}px">${lanes.join('')}${parts}</svg>`
  );
}

/** Which lanes are whose. */
export function namesHtml(tracks: readonly Track[]): string {
  const names = tracks.map(({ data: { story } }) => {
    const height = story.columns.length * ROW + GAP;
    return `<span style="height:${height}px">${story.good ? 'passes' : 'goes wrong'}</span>`;
  });
  return `<div class="names" aria-hidden="true">${names.join('')}</div>`;
}

/** Steps of the longest schedule. */
export const longest = (tracks: readonly Track[]): number =>
  Math.max(...tracks.map(({ length }) => length));

function laneOf({ data: { steps, story }, told, length }: Track, top: number): string {
  const y = (cpu: number): number => top + cpu * ROW;
  const bars = story.columns.map((_, cpu) => rect('class="lane"', 0, y(cpu), length));
  for (let from = 0; from < steps.length; ) {
    const [cpu] = steps[from]!;
    let to = from + 1;
    while (steps[to]?.[0] === cpu) to++;
    bars.push(rect(`style="fill:${cpuColour(cpu)}"`, from, y(cpu), to - from));
    from = to;
  }
  const ticks = told.map((step) => {
    const at = y(steps[step]![0]);
    return upright('told', step + 0.5, at, at + BAR);
  });
  return [...bars, ...ticks].join('');
}

export const cpuColour = (cpu: number): string => `var(--series-${cpu % 8})`;

const FLAG_SIGNS: Readonly<Record<Flag, string>> = { first: '1', second: '2', break: '✕' };

/**
 * So near, by their share of the lanes, are two flags on a telephone that one would hide the other.
 */
const NEAR = 0.1;

/** Buttons above the lanes that lead to the steps that matter. */
export function flagsHtml({ flags }: Track, steps: number): string {
  const byStep = Map.groupBy(flags, ([, step]) => step);
  const flagged = [...byStep.keys()];
  const isNear = (a = Number.NaN, b = Number.NaN): boolean => b - a < NEAR * steps;
  return Array.from(byStep, ([step, all], i) => {
    const signs = all.map(([flag]) => FLAG_SIGNS[flag]).toSorted();
    const what = all.map(([flag]) => FLAG_TEXTS[flag]).join('; ');
    const name = `${signs.join(' ')}: step ${step}, ${what}`;
    const left = `left:${((100 * (step + 0.5)) / steps).toFixed(2)}%`;
    const label = `aria-label="${escaped(name)}" title="${escaped(name)}"`;
    const isBefore = isNear(step, flagged[i + 1]);
    const side = isBefore ? 'before' : isNear(flagged[i - 1], step) ? 'after' : '';
    const to = `type="button" class="${side}" data-step="${step}" style="${left}"`;
    return `<button ${to} ${label}>${signs.join(' ')}</button>`;
  }).join('');
}
