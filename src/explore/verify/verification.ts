/** The plan and state of `umbra verify`: litmus tests in their settings, saved in a file. */

import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../../errors.ts';
import type { Litmus } from '../litmus/litmus.ts';
import { digestOf } from '../litmus/meaning.ts';
import { readLitmus } from '../litmus/read.ts';
import { tokenOf as tokenOfRun } from '../replay.ts';
import { type Setting, settingsOf } from '../setting.ts';
import { Recorded } from '../strategies/recorded.ts';
import { Subject } from '../subject.ts';
import { ENGINE_VERSION } from '../token.ts';
import type { Bounds } from './bounded.ts';
import { BoundedFrontier, type SavedBounded } from './bounded-frontier.ts';
import { Frontier, type SavedFrontier } from './frontier.ts';
import type { Met } from './outcomes.ts';
import { runUnit } from './unit.ts';

/** A litmus test in one setting. */
export interface Entry {
  readonly path: string;
  readonly litmus: Litmus;
  readonly setting: Setting;
  readonly bounds: Bounds | undefined;
  /** To be done where this one, which has no bound, has not ended in time. */
  readonly insteadOf?: Entry | undefined;
  /** The rest of it. */
  frontier: Frontier | BoundedFrontier;
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

const KIND = 'umbra verify';

const savedEntry = z.object({
  path: z.string(),
  digest: z.string(),
  setting: z.unknown(),
  /** Of the first run of all: it is another one when the code has changed. */
  first: z.string(),
});

const list = z.array(z.unknown());

const savedSchema = z.object({
  kind: z.literal(KIND),
  engine: z.int(),
  entries: z.array(
    z.union([
      savedEntry.extend({
        bounds: z.null(),
        estimate: z.number().nullish(),
        frontier: z.looseObject({ met: list, places: list, branches: list }),
      }),
      savedEntry.extend({
        bounds: z.looseObject({}),
        frontier: z.looseObject({ met: list, waiting: list, later: list, seen: z.string() }),
      }),
    ]),
  ),
});

/** As text, to go on from. */
export const saved = (entries: readonly Entry[]): string =>
  `${JSON.stringify({
    kind: KIND,
    engine: ENGINE_VERSION,
    entries: entries
      .filter(({ frontier }) => frontier.totals.seconds > 0)
      .map((entry) => ({
        ...identityOf(entry),
        first: firstOf(entry),
        estimate: entry.estimate,
        frontier: entry.frontier.save(),
      })),
  })}\n`;

const identityOf = ({ path, litmus, setting, bounds }: Entry) => ({
  path,
  digest: digestOf(litmus),
  setting,
  bounds: bounds ?? null,
});

const firsts = new WeakMap<Entry, string>();

function firstOf(entry: Entry): string {
  const known = firsts.get(entry);
  if (known !== undefined) return known;
  const subject = new Subject(entry.path, entry.litmus, entry.setting);
  const { met } = runUnit(subject, [], 1);
  const { digest, trace } = subject.run(new Recorded(met[0]!.decisions), 0).run;
  const first = `${digest} ${trace}`;
  firsts.set(entry, first);
  return first;
}

/**
 * The saved state of entries, if the file exists. Throws UserError for a file that is something
 * else, or of another version of the code.
 */
export function load(entries: readonly Entry[], file: string): void {
  if (!existsSync(file)) return;
  const parsed = savedSchema.safeParse(parse(readFileSync(file, 'utf8')));
  if (!parsed.success) {
    throw new UserError(
      `${file}: found a file that umbra verify has not written, expected one that it has, or none`,
    );
  }
  const before = new Map(parsed.data.entries.map((entry) => [keyOf(entry), entry]));
  for (const entry of entries) {
    const found = before.get(keyOf(JSON.parse(JSON.stringify(identityOf(entry)))));
    if (found === undefined) continue;
    if (parsed.data.engine !== ENGINE_VERSION || found.first !== firstOf(entry)) {
      throw new UserError(
        `${file}: the code that is verified has changed since it was begun, and what was done ` +
          'does not count any more: give --out another file, or delete this one',
      );
    }
    if ('estimate' in found && found.estimate !== undefined) entry.estimate = found.estimate;
    entry.frontier =
      entry.bounds === undefined
        ? Frontier.load(found.frontier as unknown as SavedFrontier)
        : BoundedFrontier.load(entry.bounds, found.frontier as unknown as SavedBounded);
  }
}

interface Identity {
  readonly path: string;
  readonly digest: string;
  readonly setting?: unknown;
  readonly bounds?: unknown;
}

const keyOf = ({ path, digest, setting, bounds }: Identity): string =>
  JSON.stringify([path, digest, setting, bounds]);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
