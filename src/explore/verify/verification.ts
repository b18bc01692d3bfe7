/** The plan and state of `umbra verify`: litmus tests in their settings. */

import type { Litmus } from '../litmus/litmus.ts';
import { readLitmus } from '../litmus/read.ts';
import { tokenOf as tokenOfRun } from '../replay.ts';
import { type Setting, settingsOf } from '../setting.ts';
import { Recorded } from '../strategies/recorded.ts';
import { Subject } from '../subject.ts';
import type { Bounds } from './bounded.ts';
import { BoundedFrontier } from './bounded-frontier.ts';
import { Frontier } from './frontier.ts';
import type { Met } from './outcomes.ts';

/** A litmus test in one setting. */
export interface Entry {
  readonly path: string;
  readonly litmus: Litmus;
  readonly setting: Setting;
  readonly bounds: Bounds | undefined;
  /** To be done where this one, which has no bound, has not ended in time. */
  readonly insteadOf?: Entry | undefined;
  /** The rest of it. */
  readonly frontier: Frontier | BoundedFrontier;
  /** How many behaviours there may be without a bound: see estimate.ts. Null: not finished. */
  estimate?: number | null;
}

/** How many behaviours there may be, if anything is known of that. */
export function guessOf({ frontier, estimate = 0 }: Entry): number | undefined {
  const { guess = 0, totals } = frontier;
  if (frontier.isDone) return totals.classes;
  if (estimate === null) return undefined;
  return Math.max(guess, estimate) || undefined;
}

export interface Asked {
  readonly bounds?: Bounds | undefined;
  /** Where time is up without a bound, as well. */
  readonly instead?: Bounds | undefined;
  /** Each test with the defect that it is aimed at; others are left out. */
  readonly ownDefect?: boolean | undefined;
}

/** Throws UserError for a file that is no litmus test. */
export const entriesOf = (
  paths: readonly string[],
  given: Partial<Setting>,
  { bounds, instead, ownDefect }: Asked,
): Entry[] =>
  paths.flatMap((path) => {
    const litmus = readLitmus(path);
    const own = litmus.defect === undefined ? [] : [litmus.defect];
    if (ownDefect && own.length === 0) return [];
    return settingsOf(litmus, ownDefect ? { ...given, defects: own } : given).flatMap((of) => {
      const setting = { ...of, abridged: true, betweenSteps: given.betweenSteps };
      const entry = entryOf({ path, litmus, setting, bounds });
      if (instead === undefined) return [entry];
      return [entry, entryOf({ path, litmus, setting, bounds: instead, insteadOf: entry })];
    });
  });

const entryOf = (entry: Omit<Entry, 'frontier'>): Entry => ({
  ...entry,
  frontier: entry.bounds === undefined ? new Frontier() : new BoundedFrontier(entry.bounds),
});

/** The token of a run with this outcome. */
export function tokenOf({ path, litmus, setting }: Entry, { decisions }: Met): string {
  const subject = new Subject(path, litmus, setting);
  return tokenOfRun(subject, subject.run(new Recorded(decisions), 0));
}
