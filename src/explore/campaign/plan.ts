/**
 * The plan of a campaign: litmus tests × settings × strategies, cut into units. One thread runs a
 * unit in one go, and its result depends on the unit alone; so threads, shards, interruptions and
 * their order do not affect the result.
 *
 * See docs/decisions/campaign-units.md.
 */

import type { Shard } from '../../ledger.ts';
import { settingText } from '../../report/litmus-setting.ts';
import { digestOf } from '../litmus/meaning.ts';
import { readLitmus } from '../litmus/read.ts';
import { type Setting, settingsOf } from '../setting.ts';
import { LISTED_STRATEGIES, PORTFOLIO } from '../strategies/catalogue.ts';
import { ENGINE_VERSION } from '../token.ts';

/** Everything that the result of a campaign depends on, as JSON. */
export interface Plan {
  readonly engine: number;
  /** Of the first schedule of each strategy. */
  readonly seed: number;
  /** Schedules of each strategy in each setting. */
  readonly runs: number;
  readonly unit_runs: number;
  readonly strategies: readonly string[];
  /** Litmus tests in their settings. */
  readonly subjects: readonly PlannedSubject[];
}

export interface PlannedSubject {
  readonly path: string;
  /** Of what the file means. */
  readonly digest: string;
  readonly name: string;
  readonly setting: Setting;
}

export interface Unit {
  /** Its number among all units of the campaign, from 0. */
  readonly id: number;
  /** By its place in the plan. */
  readonly subject: number;
  readonly strategy: string;
  /** Of its first schedule; each next one is one more. */
  readonly seed: number;
  readonly runs: number;
}

/** Schedules of a unit: some seconds, so that an interruption loses little. */
const UNIT_RUNS = 200;

const WARM_UP = 5;

/** Throws UserError for a file that is no litmus test. */
export function planOf(
  paths: readonly string[],
  given: Partial<Setting>,
  { seed, runs, strategies }: Pick<Plan, 'seed' | 'runs' | 'strategies'>,
): Plan {
  const subjects = paths.flatMap((path): PlannedSubject[] => {
    const litmus = readLitmus(path);
    const digest = digestOf(litmus);
    return settingsOf(litmus, given).map((setting) => ({
      path,
      digest,
      name: litmus.name,
      setting,
    }));
  });
  return { engine: ENGINE_VERSION, seed, runs, unit_runs: UNIT_RUNS, strategies, subjects };
}

/** All units of a plan, those of the same subject in a row. */
export function unitsOf({ seed, runs, unit_runs, strategies, subjects }: Plan): Unit[] {
  const units: Unit[] = [];
  for (const subject of subjects.keys()) {
    for (const [strategy, all] of sharesOf(strategies, runs)) {
      const most = LISTED_STRATEGIES.includes(strategy) ? all : unit_runs;
      for (let from = 0; from < all; from += most) {
        const [id, left] = [units.length, all - from];
        units.push({ id, subject, strategy, seed: seed + from, runs: Math.min(most, left) });
      }
    }
  }
  return units;
}

/** Warm-up schedules of a unit, which are not counted: its strategy learns from them. */
export const warmUpOf = ({ strategy }: Unit): number =>
  LISTED_STRATEGIES.includes(strategy) ? 0 : WARM_UP;

export const isInShard = ({ id }: Unit, { index, of }: Shard): boolean => id % of === index - 1;

/**
 * How many schedules each strategy has in each setting. A portfolio's members would begin anew in
 * every unit; so each member has units of its own, with a share of the portfolio's schedules.
 */
function sharesOf(strategies: readonly string[], runs: number): Map<string, number> {
  const shares = new Map<string, number>();
  const add = (name: string, n: number): void => {
    if (n > 0) shares.set(name, (shares.get(name) ?? 0) + n);
  };
  for (const name of strategies) {
    if (name !== 'portfolio') add(name, runs);
    else {
      for (const [i, member] of PORTFOLIO.entries()) {
        add(member, Math.ceil((runs - i) / PORTFOLIO.length));
      }
    }
  }
  return shares;
}

/** Of two campaigns. */
export const campaignsDiffer = (one: Plan, other: Plan): string | undefined =>
  differenceOf(one, other, ['engine', 'seed', 'runs', 'unit_runs', 'strategies']);

/** The difference between two plans, in words, by these keys and their tests; undefined for none. */
export function differenceOf<P extends Pick<Plan, 'subjects'>>(
  one: P,
  other: P,
  keys: readonly (keyof P & string)[],
): string | undefined {
  for (const key of keys) {
    const [a, b] = [String(one[key]), String(other[key])];
    if (a !== b) return `${key.replace('_', ' ')} ${a} there, ${b} here`;
  }
  const here = new Set(other.subjects.map(textOf));
  const there = new Set(one.subjects.map(textOf));
  const gone = one.subjects.find((subject) => !here.has(textOf(subject)));
  const added = other.subjects.find((subject) => !there.has(textOf(subject)));
  const [path, from] = [gone?.path ?? added?.path, other.subjects];
  const now = from.find((subject) => subject.path === path);
  if (gone !== undefined && now !== undefined && gone.digest !== now.digest) {
    return `${path} has changed since`;
  }
  if (gone !== undefined) return `${describe(gone)} is in it, and not among what is asked for`;
  if (added !== undefined) return `${describe(added)} is not in it`;
  const inOrder = one.subjects.every((subject, i) => textOf(subject) === textOf(from[i]!));
  return inOrder ? undefined : 'the paths are given in another order';
}

const textOf = (subject: PlannedSubject): string => JSON.stringify(subject);

const describe = ({ path, setting }: PlannedSubject): string => `${path} (${settingText(setting)})`;
