/**
 * The mutation matrix: each defect of the C code alone, everything else repaired, and how soon and
 * how often each strategy catches it on the litmus tests aimed at it.
 */

import { DEFECTS, type DefectId } from '../../defects.ts';
import { labelOf, shippedTests } from '../litmus/find-files.ts';
import { readLitmus } from '../litmus/read.ts';
import { type Setting, settingsOf } from '../setting.ts';
import type { Size } from '../shrink/shrink.ts';

/** Runs of a fresh strategy on one test in one setting. */
export interface MutantTask {
  readonly defect: DefectId;
  readonly path: string;
  readonly setting: Setting;
  readonly strategy: string;
  readonly seed: number;
  readonly runs: number;
}

/** Its result. */
export interface MutantRuns {
  /** Fewer than asked for only when there are no more. */
  readonly runs: number;
  /** How many of them did not end well. */
  readonly caught: number;
  /** The first failure: its number of runs, and the token. */
  readonly first: { readonly after: number; readonly token: string } | undefined;
}

export interface ShrunkStory extends Size {
  readonly token: string;
}

export interface MutantsReport {
  readonly schema_version: 1;
  readonly seed: number;
  /** Of each strategy on each test in each setting. */
  readonly runs: number;
  readonly strategies: readonly string[];
  /** Tests for every defect; null if each was tried on those aimed at it. */
  readonly given: readonly string[] | null;
  /** Pieces of work: a strategy on a test in a setting. Fewer are done after Ctrl-C. */
  readonly tasks: { readonly done: number; readonly all: number };
  readonly mutants: readonly Mutant[];
}

type Asked = Pick<MutantsReport, 'seed' | 'runs' | 'strategies' | 'given'>;

interface Mutant {
  readonly defect: DefectId;
  readonly title: string;
  /** All was done, and no strategy caught it. */
  readonly missed: boolean;
  readonly tests: readonly string[];
  readonly strategies: readonly Caught[];
}

interface Caught {
  readonly strategy: string;
  /** Tests in their settings: those planned, those done, and those in which it was caught. */
  readonly settings_planned: number;
  readonly settings: number;
  readonly settings_caught: number;
  /** In all settings together. */
  readonly runs: number;
  readonly caught: number;
  /** The fewest schedules after which it was caught, of all settings; null if it was not. */
  readonly after: number | null;
  /** That schedule, and its shrunk form. */
  readonly found: string | null;
  readonly shrunk: ShrunkStory | null;
}

/**
 * The planned runs for each defect, those of one subject in a row: on the tests aimed at it, or on
 * all given tests. Throws UserError for a file that is no test.
 */
export function mutantTasks(
  defects: readonly DefectId[],
  { strategies, seed, runs, given }: Asked,
): MutantTask[] {
  const paths = given ?? shippedTests().map(({ path }) => labelOf(path));
  const tests = paths.map((path) => ({ path, litmus: readLitmus(path) }));
  return defects.flatMap((defect) =>
    tests
      .filter(({ litmus }) => given !== null || litmus.defect === defect)
      .flatMap(({ path, litmus }) =>
        settingsOf(litmus, { defects: [defect] }).flatMap((setting) =>
          strategies.map((strategy) => ({ defect, path, setting, strategy, seed, runs })),
        ),
      ),
  );
}

/** Finished `tasks` have results. `shrunk`: stories of the schedules found first, by token. */
export function mutantsReport(
  asked: Asked,
  tasks: readonly MutantTask[],
  results: ReadonlyMap<MutantTask, MutantRuns>,
  shrunk: ReadonlyMap<string, ShrunkStory>,
): MutantsReport {
  const byDefect = Map.groupBy(tasks, ({ defect }) => defect);
  const mutants = [...byDefect].map(([defect, all]): Mutant => {
    const done = all.filter((task) => results.has(task));
    const strategies = asked.strategies.map((strategy): Caught => {
      const planned = all.filter((task) => task.strategy === strategy);
      const own = planned.flatMap((task) => results.get(task) ?? []);
      const first = firstOf(own);
      return {
        strategy,
        settings_planned: planned.length,
        settings: own.length,
        settings_caught: own.filter(({ caught }) => caught > 0).length,
        runs: own.reduce((n, { runs }) => n + runs, 0),
        caught: own.reduce((n, { caught }) => n + caught, 0),
        after: first?.after ?? null,
        found: first?.token ?? null,
        shrunk: shrunk.get(first?.token ?? '') ?? null,
      };
    });
    return {
      defect,
      title: DEFECTS[defect].title,
      missed: done.length === all.length && strategies.every(({ caught }) => caught === 0),
      tests: [...new Set(all.map(({ path }) => path))],
      strategies,
    };
  });
  return { schema_version: 1, ...asked, tasks: { done: results.size, all: tasks.length }, mutants };
}

/** The shrunk failure of a mutant with the fewest operations, switches and steps. */
export const smallestOf = ({ strategies }: Mutant): ShrunkStory | undefined =>
  strategies
    .flatMap(({ shrunk }) => shrunk ?? [])
    .toSorted(
      (a, b) => a.operations - b.operations || a.switches - b.switches || a.steps - b.steps,
    )[0];

/** For each defect and strategy the failing schedule that was found first. */
export function tokensToShrink(results: ReadonlyMap<MutantTask, MutantRuns>): string[] {
  const groups = Map.groupBy(results.keys(), ({ defect, strategy }) => `${defect} ${strategy}`);
  return [...groups.values()].flatMap((tasks) => {
    const first = firstOf(tasks.map((task) => results.get(task)!));
    return first === undefined ? [] : [first.token];
  });
}

/** Of equals the first. */
const firstOf = (results: readonly MutantRuns[]): MutantRuns['first'] =>
  results
    .flatMap(({ first }) => first ?? [])
    .reduce<MutantRuns['first']>(
      (best, one) => (best && best.after <= one.after ? best : one),
      undefined,
    );
