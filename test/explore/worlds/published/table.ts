/** The table of schedules to the first bug beside published figures, for docs/published.md. */

import { type Figure, PROGRAMS, STRATEGIES } from './figures.ts';
import {
  type Effort,
  intervalOf,
  MOST_SCHEDULES,
  summaryOf,
  type Trial,
  trialsOf,
} from './trials.ts';

/** Of the published figures. */
const PUBLISHED_TRIALS = 20;

export const OURS = ['portfolio', 'guided'] as const;

/** `within`: the published mean is in our interval; `agrees`: it is, given its own interval. */
export type Verdict = 'within' | 'agrees' | 'differs' | 'nothing to compare';

export interface Cell {
  readonly name: string;
  readonly strategy: string;
  readonly trials: readonly (number | null)[];
}

export const cellOf = (name: string, strategy: string, effort: Effort): Cell => ({
  name,
  strategy,
  trials: trialsOf(PROGRAMS[name]!.make, strategy, effort).map((trial: Trial) => trial ?? null),
});

const publishedFor = ({ name, strategy }: Cell): Figure => {
  const at = (STRATEGIES as readonly string[]).indexOf(strategy);
  return at < 0 ? undefined : PROGRAMS[name]!.published[at];
};

const foundIn = ({ trials }: Cell): number[] => trials.filter((trial) => trial !== null);

export function verdictOf(cell: Cell): Verdict {
  const published = publishedFor(cell);
  const found = foundIn(cell);
  const isAlways = found.length === cell.trials.length;
  if (published === undefined) return 'nothing to compare';
  // Not in all trials of this many schedules, or rarely enough for that.
  if (published === null)
    return isAlways && summaryOf(found).mean < MOST_SCHEDULES / 4 ? 'differs' : 'agrees';
  if (!isAlways) return 'differs';
  const ours = summaryOf(found);
  const [mean, deviation = 0] = published;
  const { low, high } = intervalOf(ours);
  if (low <= mean && mean <= high) return 'within';
  const error = Math.sqrt(ours.deviation ** 2 / ours.n + deviation ** 2 / PUBLISHED_TRIALS);
  return Math.abs(ours.mean - mean) <= 2.09 * error ? 'agrees' : 'differs';
}

const short = (n: number): string =>
  n >= 100 ? Math.round(n).toLocaleString('en-US') : String(Number(n.toPrecision(2)));

const MARKS: Readonly<Record<Verdict, string>> = {
  within: '',
  agrees: ' ~',
  differs: ' ≠',
  'nothing to compare': '',
};

/** As in "7.1 (6.4–7.8; 200) · 7.3": ours with its interval and trials, and the published. */
function textOf(cell: Cell): string {
  const found = foundIn(cell);
  const published = publishedFor(cell);
  const { length } = cell.trials;
  const theirs =
    published === undefined ? '' : ` · ${published === null ? '–' : short(published[0])}`;
  if (found.length < length || length < 2) {
    const none = found.length === 0 ? '–' : `${found.length} of ${length}`;
    return `${none} (${length})${theirs}${MARKS[verdictOf(cell)]}`;
  }
  const { mean, low, high } = intervalOf(summaryOf(found));
  const interval = `(${short(Math.max(1, low))}–${short(high)}; ${length})`;
  return `${short(mean)} ${interval}${theirs}${MARKS[verdictOf(cell)]}`;
}

export function markdownOf(cells: readonly Cell[]): string {
  const columns = [...STRATEGIES, ...OURS];
  const rows = Object.keys(PROGRAMS)
    .filter((name) => cells.some((cell) => cell.name === name))
    .map((name) => {
      const of = columns.map((strategy) => {
        const cell = cells.find((each) => each.name === name && each.strategy === strategy);
        return cell === undefined ? '' : textOf(cell);
      });
      return `| ${[name, ...of].join(' | ')} |`;
    });
  return [
    `| program | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '--:|').join('')}`,
    ...rows,
    '',
  ].join('\n');
}
